"""The placement of a reconstruction in the world: its up axis and its ground.

The model itself is not transformed; the placement is applied to the Empty that holds it in Blender.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from ..documents.photos_json import PhotoEntry
from .ground import ground_plane
from .up import Up, find_up


def felt_by_name(photos: Iterable[PhotoEntry]) -> dict[str, Any]:
    """Up in each camera, by gravity, of photos.json's entries that have it."""
    return {photo.name: photo.up for photo in photos if photo.up is not None}


def place_model(
    model: Any,
    gps: Mapping[str, Any] | None = None,
    felt: Mapping[str, Any] | None = None,
    names: Collection[str] | None = None,
) -> tuple[np.ndarray, str, Up]:
    """`world_from_model` of a pycolmap.Reconstruction, how it was found, and its up. gps, felt: by photos' names;
    names: of the photos whose up is the world's, by default all."""
    images = [model.image(image_id) for image_id in sorted(model.reg_image_ids())]
    images = [image for image in images if names is None or image.name in names]
    rotations = np.stack([image.cam_from_world().rotation.matrix() for image in images])
    centers = np.stack([image.projection_center() for image in images])
    points = np.array([point.xyz for point in model.points3D.values()]).reshape(-1, 3)
    known, ups = (
        np.array([(values or {}).get(image.name, (np.nan,) * 3) for image in images], float)
        for values in (gps, felt)
    )
    return world_from_model(rotations, centers, points, known, ups)


def world_from_model(
    rotations: np.ndarray,
    centers: np.ndarray,
    points: np.ndarray,
    gps: np.ndarray | None = None,
    felt: np.ndarray | None = None,
) -> tuple[np.ndarray, str, Up]:
    """A 4x4 rigid transform to Blender's world (z up, ground at z = 0, subject over the origin), its source, and up.

    rotations [N, 3, 3] world to camera, centers [N, 3], points [M, 3]: all in the model's frame; gps
    and felt [N, 3] as `find_up` takes them. The first camera looks along +y, as Blender's front view does.
    """
    estimate = find_up(rotations, centers, points, gps, felt)
    up, how = estimate.direction, f"up from {estimate.source}"
    plane = ground_plane(points, centers, up, estimate.cone)
    if plane is not None:
        up, ground = plane
        how += ", ground from the dominant plane"
    if estimate.guess:
        how += " (a guess)"
    forward = rotations[0, 2] - up * (up @ rotations[0, 2])
    if np.linalg.norm(forward) < 1e-6:  # looks straight down
        forward = -rotations[0, 1] - up * (up @ -rotations[0, 1])
    forward /= np.linalg.norm(forward)
    rotation = np.stack([np.cross(forward, up), forward, up])
    turned = points @ rotation.T if len(points) else centers @ rotation.T
    middle = np.median(turned, axis=0)
    level = ground if plane is not None else float(np.percentile(turned[:, 2], 2))
    transform = np.eye(4)
    transform[:3, :3] = rotation
    transform[:3, 3] = [-middle[0], -middle[1], -level]
    return transform, how, estimate
