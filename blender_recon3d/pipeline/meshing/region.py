"""Which part of the cloud is meshed: the subject, everything, or a box given by the user."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import UserError
from ..files import json_values
from ..files.regular import read_regular
from ..files.user_path import user_path

LARGEST = 1e30  # number in a box: a product of three does not overflow
ROUND_RADIUS = 1.0  # of the ring of cameras: everything beyond is background
WIDEST_GAP = 150.0  # degrees between adjacent cameras of a ring; with a wider gap it is not a ring


def subject_ball(centers: np.ndarray, forward: np.ndarray) -> tuple[np.ndarray, float] | None:
    """The ball inside a ring of cameras (center [3], radius), or None if the cameras do not orbit a subject.

    centers [N, 3] and unit optical axes [N, 3] in the model's frame. The ball's center is the least-squares
    intersection of the optical axes, its radius the median distance of the cameras from there.
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
    """Largest angle in degrees between adjacent cameras [N, 3], seen from the center, in their common plane."""
    axes = np.linalg.svd(offset - offset.mean(axis=0), full_matrices=False)[2]
    angle = np.sort(np.arctan2(offset @ axes[1], offset @ axes[0]))
    return float(np.degrees(np.diff(angle, append=angle[0] + 2 * np.pi).max()))


def read_box(text: str) -> np.ndarray:
    """The crop box: the affine matrix [4, 4] that maps the cube from -1 to 1 to the box, in the model's frame.

    text: 12 or 16 numbers, row by row, separated by commas or blanks; or the path of a JSON file that contains them,
    alone or as "matrix". In Blender it is `matrix_local` of an Empty of display size 1 under the reconstruction's
    Empty. UserError if it is not a box.
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
    except (OSError, ValueError):  # numbers, which may be too long for a file name or invalid in one
        return False


def in_box(xyz: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Which of xyz [N, 3] are in the box [4, 4] of `read_box`."""
    inverse = np.linalg.inv(box)
    return (np.abs(xyz @ inverse[:3, :3].T + inverse[:3, 3]) <= 1).all(axis=1)


def in_subject(xyz: np.ndarray, model: Path) -> np.ndarray:
    """Which of xyz [N, 3] are in the subject's ball, from the cameras of COLMAP's model; all if there is none."""
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
