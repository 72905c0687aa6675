"""What was taken off the coordinates of another program's cameras, and where exports have it again."""

from __future__ import annotations

import numpy as np

from ..files.json_values import numbers
from ..placing.placement_file import read_placement
from ..wording import run_stage
from ..workspace import Workspace

HIGHEST = 10_000.0  # meters: heights on a map; geocentric coordinates have millions in z too


def map_offset(workspace: Workspace) -> np.ndarray:
    """float64 [3]; zeros where nothing was taken off."""
    said = workspace.read_state().stage("sfm").summary.get("offset")
    return numbers(said, 3) if isinstance(said, list) else np.zeros(3)


def is_map(offset: np.ndarray) -> bool:
    """Whether an offset is one of a map's, so that z is up."""
    return bool(offset.any()) and abs(offset[2]) < min(HIGHEST, float(np.hypot(*offset[:2])))


def map_sentence(workspace: Workspace) -> str:
    """How an exported mesh lies on the map; empty where it lies on none, or was turned or scaled since."""
    offset = map_offset(workspace)
    if not is_map(offset):
        return ""
    world = read_placement(workspace.placement, run_stage("sfm"))
    if not np.array_equal(world[:3, :3], np.eye(3)):
        return ""
    listed = ", ".join(f"{value:.12g}" for value in offset - world[:3, 3])
    return f"For map coordinates add {listed} (east, north, height); OBJ and GLB have y up."
