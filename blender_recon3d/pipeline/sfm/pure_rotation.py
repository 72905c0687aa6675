"""Photos taken from one place, as from a tripod: the camera only rotates, so nothing shows depth.

Two such photos are related by K R K^-1 (Hartley and Zisserman 2004, section 8.4): a homography that is a rotation once
the focal length is removed. That of a plane seen from two places is not, whatever the focal length.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..colmap.calls import pycolmap
from ..colmap.database import open_database
from ..doubts import Doubt

SHORTEST, LONGEST, STEPS = 0.4, 4.0, 160  # focal lengths to try, in units of the longest side
OFF = (
    0.02  # spread of a rotation's singular values; 0.005 from a tripod, 0.1 in a flight looking straight down
)
MIN_SHARE = 0.5  # of the verified pairs that are homographies

ADVICE = (
    "all photos were taken from one place, by turning the camera, so nothing shows how far away things are: "
    "move sideways between photos."
)
_HOMOGRAPHIES = tuple(
    getattr(pycolmap.TwoViewGeometryConfiguration, name)
    for name in ("PLANAR", "PANORAMIC", "PLANAR_OR_PANORAMIC")
)


def one_place_doubt() -> Doubt:
    """For a model that COLMAP made of such photos nevertheless."""
    return Doubt(
        "one place",
        "All photos seem to be taken from one place, by turning the camera: nothing shows how far away things are, "
        "and the model is likely wrong.",
        "Take the photos again, and move sideways between them.",
    )


def from_one_place(path: Path) -> bool:
    """Whether most verified pairs of a database are pure rotations of the camera."""
    with open_database(path) as database:
        cameras = database.read_all_cameras()
        _, geometries = database.read_two_view_geometries()
    verified = [each for each in geometries if len(each.inlier_matches)]
    turns = [np.asarray(each.H) for each in verified if each.config in _HOMOGRAPHIES and each.H is not None]
    if not cameras or not turns or len(turns) < MIN_SHARE * len(verified):
        return False
    return off_rotation(turns, (cameras[0].width, cameras[0].height)) < OFF


def off_rotation(homographies: Sequence[np.ndarray], size: tuple[int, int]) -> float:
    """The median deviation of homographies [3, 3] between photos of this width and height from rotations, with the best
    focal length."""
    deviations = []
    for focal in max(size) * np.geomspace(SHORTEST, LONGEST, STEPS):
        matrix = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])
        values = np.linalg.svd(np.linalg.inv(matrix) @ np.stack(homographies) @ matrix, compute_uv=False)
        deviations.append(float(np.median(values[:, 0] / np.maximum(values[:, 2], 1e-12) - 1)))
    return min(deviations)
