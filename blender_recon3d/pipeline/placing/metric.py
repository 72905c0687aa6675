"""The size of the model's unit, where it is known."""

from __future__ import annotations

import numpy as np

from ..documents.document_files import read_document
from ..documents.placement_json import PlacementDocument
from ..wording import run_stage
from ..workspace import Workspace
from .placement_file import check_placement


def millimeters(workspace: Workspace) -> float:
    """Millimeters in the model's unit; 0 unless GPS, markers or the user gave the model its scale."""
    if not workspace.placement.exists():
        return 0.0
    placement = read_document(PlacementDocument, workspace.placement, run_stage("sfm"))
    if placement.gps is None and not workspace.placed.exists():
        return 0.0
    try:
        matrix = check_placement(placement.world_from_model)
    except ValueError:
        return 0.0
    return 1000 * float(np.cbrt(np.linalg.det(matrix[:3, :3])))
