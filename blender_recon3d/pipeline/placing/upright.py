"""How a reconstruction stands in the world: which way is up and where the ground is.

The model itself is never moved; what is found here goes into the Empty that holds it in Blender.
"""

from __future__ import annotations

from typing import Any

import numpy as np

PLANE_TRIALS = 500
WIDEST_CONE = 20.0  # degrees between a ground plane's normal and the cameras' up, where that is uncertain
NARROWEST_CONE = 2.0  # where it is certain: people hold a camera level to about a degree
NARROW = 5.0  # below, planes at random would hardly ever fall into the cone
PLANE_SHARE = 0.08  # of the points; fewer are no ground
PLANE_THICKNESS = 0.01  # of the scene's size


def up_from_cameras(rotations: np.ndarray) -> np.ndarray:
    """The unit vector that points up, in the model's frame, when most photos were held level.

    rotations: [N, 3, 3], world to camera (x right, y down, z forward). A level camera's x axis is horizontal
    whichever way it looks down or up, so "up" is the direction that all x axes are at right angles to. Where
    the photos all look one way, the x axes span no plane and the mean of the cameras' own up decides.
    """
    right, down = rotations[:, 0], rotations[:, 1]
    mean_up = -down.mean(axis=0)
    values, vectors = np.linalg.eigh(right.T @ right / len(right))
    up = vectors[:, 0]
    spread = values[1] - values[0]
    if spread < 0.05:  # less than 13 degrees between the views
        up = mean_up - vectors[:, 2] * (vectors[:, 2] @ mean_up)
    if up @ mean_up < 0:
        up = -up
    length = np.linalg.norm(up)
    return up / length if length > 1e-9 else np.array([0.0, -1.0, 0.0])


def up_uncertainty(rotations: np.ndarray, up: np.ndarray) -> float:
    """Degrees by which `up_from_cameras` may be off: four times the spread of the cameras' roll about it."""
    right = rotations[:, 0]
    values = np.linalg.eigvalsh(right.T @ right / len(right))
    if values[1] - values[0] < 0.05:
        return WIDEST_CONE
    return float(np.clip(4 * np.degrees(np.std(right @ up)), NARROWEST_CONE, WIDEST_CONE))


def ground_plane(
    points: np.ndarray, centres: np.ndarray, up: np.ndarray, cone: float = WIDEST_CONE, seed: int = 0
) -> tuple[np.ndarray, float] | None:
    """The dominant plane below the cameras whose normal is near `up`: (unit normal n, offset d), n.x = d.

    points [N, 3] and camera centres [M, 3] in the model's frame; cone: degrees between n and `up` at most. None
    when there is no such plane.
    """
    if len(points) < 50:
        return None
    generator = np.random.default_rng(seed)
    low, high = np.percentile(points, [5, 95], axis=0)
    thickness = PLANE_THICKNESS * float(np.linalg.norm(high - low))
    sample = points if len(points) < 20000 else points[generator.choice(len(points), 20000, replace=False)]
    if cone < NARROW:
        return _level_plane(sample, centres, up, cone, thickness)
    best, best_count = None, 0
    for _ in range(PLANE_TRIALS):
        a, b, c = sample[generator.choice(len(sample), 3, replace=False)]
        normal = np.cross(b - a, c - a)
        length = np.linalg.norm(normal)
        if length < 1e-12:
            continue
        normal *= np.sign(normal @ up) / length
        if normal @ up < np.cos(np.radians(cone)):
            continue
        count = int((np.abs((sample - a) @ normal) < thickness).sum())
        above = (centres - a) @ normal > 0
        if count > best_count and above.mean() > 0.9:
            best, best_count = (normal, float(normal @ a)), count
    if best is None or best_count < PLANE_SHARE * len(sample):
        return None
    return _refine(sample, *best, thickness, up)


def _level_plane(
    points: np.ndarray, centres: np.ndarray, up: np.ndarray, cone: float, thickness: float
) -> tuple[np.ndarray, float] | None:
    """The height at which most points lie, and the plane through them as far as it stays within the cone."""
    heights = np.sort(points @ up)
    counts = np.searchsorted(heights, heights + 2 * thickness, side="right") - np.arange(len(heights))
    counts[heights > np.percentile(centres @ up, 10)] = 0
    lowest = int(np.argmax(counts))
    if counts[lowest] < PLANE_SHARE * len(points):
        return None
    offset = float(heights[lowest] + thickness)
    normal, refined = _refine(points, up, offset, thickness, up)
    return (normal, refined) if normal @ up > np.cos(np.radians(cone)) else (up, offset)


def _refine(
    points: np.ndarray, normal: np.ndarray, offset: float, thickness: float, up: np.ndarray
) -> tuple[np.ndarray, float]:
    """Least squares over the plane's own points, three times."""
    for _ in range(3):
        near = points[np.abs(points @ normal - offset) < thickness]
        centre = near.mean(axis=0)
        fitted = np.linalg.svd(near - centre, full_matrices=False)[2][2]
        normal = fitted * np.sign(fitted @ up)
        offset = float(normal @ centre)
    return normal, offset


def place_model(model: Any) -> tuple[np.ndarray, str]:
    """`world_from_model` of a pycolmap.Reconstruction."""
    images = [model.image(image_id) for image_id in sorted(model.reg_image_ids())]
    rotations = np.stack([image.cam_from_world().rotation.matrix() for image in images])
    centres = np.stack([image.projection_center() for image in images])
    points = np.array([point.xyz for point in model.points3D.values()]).reshape(-1, 3)
    return world_from_model(rotations, centres, points)


def world_from_model(
    rotations: np.ndarray, centres: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, str]:
    """A 4x4 rigid transform into Blender's world (z up, ground at z = 0, subject over the origin), and how.

    rotations [N, 3, 3] world to camera, centres [N, 3], points [M, 3]: all in the model's frame. The first
    camera looks along +y, as Blender's front view does.
    """
    up = up_from_cameras(rotations)
    how = "up from the cameras"
    plane = ground_plane(points, centres, up, up_uncertainty(rotations, up))
    if plane is not None:
        up, ground = plane
        how = "up from the cameras, ground from the dominant plane"
    forward = rotations[0, 2] - up * (up @ rotations[0, 2])
    if np.linalg.norm(forward) < 1e-6:  # looks straight down
        forward = -rotations[0, 1] - up * (up @ -rotations[0, 1])
    forward /= np.linalg.norm(forward)
    rotation = np.stack([np.cross(forward, up), forward, up])
    turned = points @ rotation.T if len(points) else centres @ rotation.T
    middle = np.median(turned, axis=0)
    level = ground if plane is not None else float(np.percentile(turned[:, 2], 2))
    transform = np.eye(4)
    transform[:3, :3] = rotation
    transform[:3, 3] = [-middle[0], -middle[1], -level]
    return transform, how
