"""Free names for exported objects temporarily: otherwise Blender would append numbers, also in the files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import bpy


@contextmanager
def own_names(names: Iterable[str]) -> Iterator[None]:
    """Rename everything with one of these names inside the block, and restore the names after it."""
    wanted = set(names)
    aside = [
        (block, block.name)
        for blocks in (bpy.data.objects, bpy.data.meshes, bpy.data.cameras)
        for block in list(blocks)
        if block.name in wanted and block.library is None
    ]
    for number, (block, _) in enumerate(aside):
        block.name = f"Recon3D Aside {number}"
    try:
        yield
    finally:
        for block, name in aside:
            block.name = name
