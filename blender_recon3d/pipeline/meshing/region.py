"""Which part of the cloud is meshed: the subject, all, or a box that the user gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import UserError
from ..files import json_values
from ..files.regular import read_regular
from ..files.user_path import user_path

LARGEST = 1e30  # number of a box: a product of three still is one
ROUND_RADIUS = 1.0  # of the ring of cameras: what lies beyond it is background
WIDEST_GAP = 150.0  # degrees between neighbors of a ring of cameras: wider, and it is not a ring


def subject_ball(centers: np.ndarray, forward: np.ndarray) -> tuple[np.ndarray, float] | None:
    """The ball inside a ring of cameras (center [3], radius), or None where the cameras do not go round a subject.

    centers [N, 3] and unit optical axes [N, 3] in the model's frame. The ball's center is the point nearest to
    all optical axes by least squares, its radius the cameras' median distance from there.
    """
    if len(centers) < 4:
        return None
    across = np.eye(3) - forward[:, :, None] * forward[:, None, :]
    normal = across.sum(axis=0)
    if np.linalg.cond(normal) > 1e3:  # parallel axes meet nowhere
        return None
    middle = np.linalg.solve(normal, np.einsum("nij,nj->i", across, centers))
    offset = centers - middle
    facing = -(offset * forward).sum(axis=1) > 0.7 * np.linalg.norm(offset, axis=1)
    if facing.mean() < 0.8 or _widest_gap(offset[facing]) > WIDEST_GAP:
        return None
    return middle, ROUND_RADIUS * float(np.median(np.linalg.norm(offset[facing], axis=1)))


def _widest_gap(offset: np.ndarray) -> float:
    """Degrees between neighbors [N, 3] as seen from the middle, in the plane in which they lie."""
    axes = np.linalg.svd(offset - offset.mean(axis=0), full_matrices=False)[2]
    angle = np.sort(np.arctan2(offset @ axes[1], offset @ axes[0]))
    return float(np.degrees(np.diff(angle, append=angle[0] + 2 * np.pi).max()))


def read_box(text: str) -> np.ndarray:
    """The crop box: the affine matrix [4, 4] that takes the cube from -1 to 1 to the box, in the model's frame.

    text: 12 or 16 numbers, its rows, separated by commas or blanks; or the path of a JSON file that holds them,
    alone or as "matrix". Blender's Empty of display size 1 under the reconstruction's Empty has it as
    `matrix_local`. UserError when it is not a box.
    """
    try:
        path = user_path(text)
        if _is_file(path):
            raw = json_values.parse(read_regular(path, json_values.MAX_BYTES))
            numbers = json_values.numbers(raw["matrix"] if isinstance(raw, dict) else raw).ravel()
        else:
            numbers = np.array(text.replace(",", " ").split(), np.float64)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{text[:80]} is not a crop box ({error}): {_ADVICE}", 2) from error
    if len(numbers) not in (12, 16) or not np.isfinite(numbers).all():
        raise UserError(f"{text[:80]} is not a crop box ({len(numbers)} numbers): {_ADVICE}", 2)
    matrix = np.vstack([numbers[:12].reshape(3, 4), [0, 0, 0, 1]])
    if np.abs(numbers).max() > LARGEST:
        raise UserError(f"The crop box {text[:80]} has numbers beyond {LARGEST:g}: {_ADVICE}", 2)
    if abs(np.linalg.det(matrix[:3, :3])) < 1e-12 * np.abs(matrix[:3, :3]).max() ** 3:
        raise UserError(f"The crop box {text[:80]} is flat: {_ADVICE}", 2)
    return matrix


_ADVICE = 'give the 12 numbers of a 3x4 matrix, row by row, or a JSON file with them as "matrix".'


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long for a name, or not one: numbers
        return False


def in_box(xyz: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Which of xyz [N, 3] lie in the box [4, 4] of `read_box`."""
    inverse = np.linalg.inv(box)
    return (np.abs(xyz @ inverse[:3, :3].T + inverse[:3, 3]) <= 1).all(axis=1)


def in_subject(xyz: np.ndarray, model: Path) -> np.ndarray:
    """Which of xyz [N, 3] lie in the subject's ball of the cameras of COLMAP's model; all, where there is none."""
    from ..colmap.model_files import read_model

    images = read_model(model).images.values()
    posed = [image for image in images if image.has_pose]
    if not posed:
        return np.ones(len(xyz), bool)
    centers = np.stack([image.projection_center() for image in posed])
    forward = np.stack([image.viewing_direction() for image in posed])
    ball = subject_ball(centers, forward)
    if ball is None:
        return np.ones(len(xyz), bool)
    inside = np.empty(len(xyz), bool)
    np.less_equal(np.linalg.norm(xyz - ball[0].astype(np.float32), axis=1), ball[1], out=inside)
    return inside
