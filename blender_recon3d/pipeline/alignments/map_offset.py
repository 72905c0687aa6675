"""The offset subtracted from the coordinates of another program's cameras, and added again in exports."""

from __future__ import annotations

import numpy as np

from ..files.json_values import numbers
from ..placing.placement_file import read_placement
from ..wording import run_stage
from ..workspace import Workspace

HIGHEST = 10_000.0  # meters: heights on a map; geocentric coordinates have millions in z too


def map_offset(workspace: Workspace) -> np.ndarray:
    """float64 [3]; zeros if nothing was subtracted."""
    offset = workspace.read_state().stage("sfm").summary.get("offset")
    return numbers(offset, 3) if isinstance(offset, list) else np.zeros(3)


def is_map(offset: np.ndarray) -> bool:
    """Whether an offset is from map coordinates, so that z is up."""
    return bool(offset.any()) and abs(offset[2]) < min(HIGHEST, float(np.hypot(*offset[:2])))


def map_sentence(workspace: Workspace) -> str:
    """How to get an exported mesh's map coordinates; empty if it has none, or was rotated or scaled since."""
    offset = map_offset(workspace)
    if not is_map(offset):
        return ""
    world = read_placement(workspace.placement, run_stage("sfm"))
    if not np.array_equal(world[:3, :3], np.eye(3)):
        return ""
    listed = ", ".join(f"{value:.12g}" for value in offset - world[:3, 3])
    return f"For map coordinates add {listed} (east, north, height); OBJ and GLB have y up."
