"""Where an exported mesh is on Earth, if its workspace has a place there and the scene still has it at this place."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from ...pipeline.errors import UserError
from ...pipeline.exporting.georeference import Reference, reference_of
from ...pipeline.files.far_origin import moved
from ...pipeline.placing.placement_file import read_placement
from ...pipeline.text import Said
from ...pipeline.workspace import Workspace
from ..find_imports import offset_of_import, workspace_of

Y_UP = (
    ".glb",
    ".gltf",
    ".obj",
    ".fbx",
    ".abc",
)  # files that Blender's exporters, as we call them, write with y up
SAME = 1e-4  # of the size: how far two placements may differ; the scene's are in single precision

MOVED = Said(
    "It was moved, turned or scaled in the scene, so its place on Earth is not written: import the result again, and "
    "export before moving it."
)


def place_on_earth(
    collection: bpy.types.Collection, world: Matrix, path: Path
) -> tuple[Reference | None, str]:
    """What to write beside the file, and a message if its place was lost.

    world: the file's coordinates, in meters, from the model's [4, 4].
    """
    workspace = Workspace(workspace_of(collection))
    try:
        reference = reference_of(workspace, path.suffix.lower() in Y_UP)
        placed = moved(read_placement(workspace.placement, ""), np.array(offset_of_import(collection)))
    except UserError:  # the workspace is gone, or was never placed
        return None, ""
    if reference is None:
        return None, ""
    size = float(np.linalg.norm(placed[:3, :3], axis=0).mean())
    off = np.array(world) - placed
    shift = max(1.0, float(np.linalg.norm(placed[:3, 3])))
    if np.abs(off[:3, :3]).max() > SAME * size or np.abs(off[:3, 3]).max() > SAME * shift:
        return None, MOVED
    return reference, ""
