"""The content of placement.json: the similarity that places a model upright in Blender's world. numpy only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..documents.document_files import read_document
from ..documents.placement_json import PlacementDocument
from ..errors import FileFormatError
from ..files.json_values import numbers
from ..wording import Part

LARGEST = 1e12  # of scale and translation; larger values cannot be displayed


def read_placement(path: Path, advice: str | Part) -> np.ndarray:
    """placement.json's similarity, float64 [4, 4]. UserError with the advice if it is missing; FileFormatError."""
    try:
        return check_placement(read_document(PlacementDocument, path, advice).world_from_model)
    except ValueError as error:
        raise FileFormatError(path, "its world_from_model is not a similarity transform") from error


def check_placement(value: Any) -> np.ndarray:
    """float64 [4, 4]: a rotation, a scale above zero and a translation. ValueError for anything else."""
    matrix = numbers(value, 4, 4)
    if np.abs(matrix).max() > LARGEST:
        raise ValueError("its numbers are too large")
    gram = matrix[:3, :3].T @ matrix[:3, :3]
    scale_squared = np.trace(gram) / 3
    similar = 0 < scale_squared and np.allclose(gram / scale_squared, np.eye(3), atol=1e-4)
    if not (similar and np.linalg.det(matrix[:3, :3]) > 0 and np.array_equal(matrix[3], [0, 0, 0, 1])):
        raise ValueError("it is not a rotation, scale and translation")
    return matrix
