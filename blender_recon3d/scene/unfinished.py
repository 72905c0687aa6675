"""Data that belong to nothing yet, and are removed if the work on them does not reach its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy

from .cameras import KEY


@contextmanager
def unfinished(*blocks: bpy.types.ID | None) -> Iterator[None]:
    """Remove these where the block ends by an error or a cancel."""
    try:
        yield
    except BaseException:  # GeneratorExit, too
        bpy.data.batch_remove([block for block in blocks if block is not None])
        _remove_shared()
        raise


def _remove_shared() -> None:
    """What our clouds share, the nodes and the material that show them, once no cloud is left."""
    for group in (bpy.data.node_groups, bpy.data.materials):
        for block in list(group):
            if isinstance(block.get(KEY), str) and block.users == 0 and block.library is None:
                group.remove(block)
