"""Names that files get are free for a while: Blender numbers an object whose name is taken, and files would say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import bpy


@contextmanager
def own_names(names: Iterable[str]) -> Iterator[None]:
    """What has one of these names gets another inside the block, and its own again after it."""
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
