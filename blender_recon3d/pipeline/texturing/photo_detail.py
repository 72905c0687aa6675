"""How large the photos' pixels are on the surface, and so how many texels show all of their detail: before any is
painted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..colmap.model_files import read_model
from ..texel_density import Density
from .samples import GRAZING

MAX_VERTICES = 20_000  # more do not improve the figures


def density_of(model: Path, vertices: np.ndarray, normals: np.ndarray, faces: np.ndarray) -> Density:
    """For a mesh with vertices and unit normals [V, 3] and faces [F, 3], in the frame of COLMAP's model in a folder.

    What other parts of the mesh hide is not considered. A mesh that no photo shows has 0 pixels.
    """
    area = _areas(vertices, faces)
    chosen = np.arange(len(vertices))[:: max(1, len(vertices) // MAX_VERTICES)]
    points, facing = vertices[chosen], normals[chosen]
    best = np.zeros(len(chosen))
    reconstruction = read_model(model)
    for number in reconstruction.reg_image_ids():
        image = reconstruction.image(number)
        camera = reconstruction.camera(image.camera_id)
        pose = np.array(image.cam_from_world().matrix())
        there = points @ pose[:, :3].T + pose[:, 3]
        depth = np.maximum(there[:, 2], 1e-12)
        focal = camera.mean_focal_length()
        inside = (np.abs(there[:, 0]) * focal < depth * camera.width / 2) & (
            np.abs(there[:, 1]) * focal < depth * camera.height / 2
        )
        center = -pose[:, :3].T @ pose[:, 3]
        way = center - points
        cosine = (way * facing).sum(axis=1) / np.maximum(np.linalg.norm(way, axis=1), 1e-30)
        shown = inside & (there[:, 2] > 1e-9) & (cosine > GRAZING)
        best = np.maximum(best, np.where(shown, cosine * (focal / depth) ** 2, 0))
    seen = best > 0
    if not seen.any():
        return Density(0.0, 0.0)
    weight = area[chosen]
    total = float(area.sum() / max(float(weight.sum()), 1e-30))
    order = np.argsort(best[seen])
    along = np.cumsum(weight[seen][order])
    middle = best[seen][order][np.searchsorted(along, along[-1] / 2)]
    return Density(float(middle**-0.5), float((weight * best).sum() * total))


def _areas(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """A third of the area of a vertex's faces, [V]."""
    corners = vertices[faces].astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1) / 6
    return np.bincount(faces.ravel(), np.repeat(area, 3), len(vertices))
