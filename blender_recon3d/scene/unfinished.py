"""Data blocks that are not in use yet, and are removed if the work on them is not completed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy

from .cameras import KEY


@contextmanager
def unfinished(*blocks: bpy.types.ID | None) -> Iterator[None]:
    """Remove these if the block ends with an error or a cancel."""
    try:
        yield
    except BaseException:  # GeneratorExit, too
        bpy.data.batch_remove([block for block in blocks if block is not None])
        _remove_shared()
        raise


def _remove_shared() -> None:
    """Remove the nodes and material shared by our clouds once no cloud is left."""
    for group in (bpy.data.node_groups, bpy.data.materials):
        for block in list(group):
            if isinstance(block.get(KEY), str) and block.users == 0 and block.library is None:
                group.remove(block)
