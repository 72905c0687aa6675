"""Keep the user's placement when cameras are found again: the new model is placed like the old one.

Structure from motion uses a new frame each time. The similarity that moves the photos' new cameras to the old ones
gives the new model the same placement. numpy only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..evaluation.alignment import Undetermined, errors, robust_similarity, with_rotation

Poses = Mapping[str, np.ndarray]  # by photos' names: rotation and center of the camera in a frame, [3, 4]
BENT = 0.05  # max deviation relative to the cameras' spread; beyond that the models are different
TURNED = 10.0  # degrees, the same for their rotations


def old_from_new(old: Poses, new: Poses) -> np.ndarray | None:
    """The similarity [4, 4] from the new frame to the old one; None if their common photos do not determine it."""
    names = sorted(set(old) & set(new))
    if len(names) < 2:
        return None
    before, after = np.stack([old[name] for name in names]), np.stack([new[name] for name in names])
    target, source = before[:, :, 3], after[:, :, 3]
    turn = _mean_rotation(before[:, :, :3] @ after[:, :, :3].transpose(0, 2, 1))
    try:
        try:
            similarity, _ = robust_similarity(source, target)
        except Undetermined:  # on one line, as in many flights
            similarity = with_rotation(source, target, turn)
    except Undetermined:
        return None
    spread = float(np.median(np.linalg.norm(target - np.median(target, axis=0), axis=1)))
    if not float(np.median(errors(similarity, source, target))) <= BENT * spread:
        return None
    apart = np.clip((np.trace(similarity.rotation @ turn.T) - 1) / 2, -1, 1)
    if np.degrees(np.arccos(apart)) > TURNED:
        return None
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = similarity.scale * similarity.rotation, similarity.translation
    return matrix


def poses_of(model: Any) -> dict[str, np.ndarray]:
    """The poses of the registered photos of a pycolmap.Reconstruction."""
    poses = {}
    for number in model.reg_image_ids():
        pose = model.image(number).cam_from_world()
        turn = np.asarray(pose.rotation.matrix(), float)
        poses[model.image(number).name] = np.column_stack([turn.T, -turn.T @ pose.translation])
    return poses


def _mean_rotation(rotations: np.ndarray) -> np.ndarray:
    """The rotation nearest to the elementwise median of rotations [N, 3, 3], which is robust to a few wrong ones."""
    left, _, right = np.linalg.svd(np.median(rotations, axis=0))
    sign = np.sign(np.linalg.det(left @ right)) or 1.0
    return np.asarray(left @ np.diag([1.0, 1.0, sign]) @ right)
