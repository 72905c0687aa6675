"""Groups of a model's photos that were taken from one place, as from a tripod, while other photos were not.

Within such a group nothing shows depth; the photos are placed by what they share with the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..text import named

NEAR = 0.01  # of the distance to what a photo shows: two places closer together are one
MIN_PHOTOS = 4
MIN_TURN = 15.0  # degrees between two photos of a group; frames of a slow video turn less


def turning_spots(centers: np.ndarray, forward: np.ndarray, distance: np.ndarray) -> list[np.ndarray]:
    """Indices of the photos of each group, the largest group first.

    centers [N, 3], unit optical axes [N, 3] and median distances [N] to a photo's points, in the model's frame.
    """
    apart = np.linalg.norm(centers[:, None] - centers[None], axis=2)
    near = apart < NEAR * np.minimum(distance[:, None], distance[None])
    free, spots = np.ones(len(centers), bool), []
    for seed in np.argsort(-near.sum(axis=1), kind="stable"):
        members = np.flatnonzero(near[seed] & free)
        if not free[seed] or len(members) < MIN_PHOTOS:
            continue
        least = float((forward[members] @ forward[members].T).min())
        if np.degrees(np.arccos(np.clip(least, -1, 1))) >= MIN_TURN:
            spots.append(members)
            free[members] = False
    return spots


def spots_of(model: Any) -> list[list[str]]:
    """The names of the photos of each group in a pycolmap.Reconstruction."""
    posed = sorted((image for image in model.images.values() if image.has_pose), key=lambda image: image.name)
    # The views of a panorama, and of a rig's cameras, are one photo.
    images = list({image.frame_id: image for image in reversed(posed)}.values())[::-1]
    if len(images) < MIN_PHOTOS:
        return []
    centers = np.stack([image.projection_center() for image in images])
    forward = np.stack([image.viewing_direction() for image in images])
    distance = np.array([_distance(model, image) for image in images])
    return [[images[number].name for number in group] for group in turning_spots(centers, forward, distance)]


def spot_sentence(names: list[str]) -> str:
    return (
        f"These {len(names)} photos were taken from one place, by turning the camera: {named(names)}. Among themselves "
        "they do not show how far away things are: move sideways between photos."
    )


def _distance(model: Any, image: Any) -> float:
    points = [model.points3D[each.point3D_id].xyz for each in image.get_observation_points2D()]
    if not points:
        return 0.0
    return float(np.median(np.linalg.norm(np.stack(points) - image.projection_center(), axis=1)))
