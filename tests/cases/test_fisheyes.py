"""A circular fisheye's photos without any setting for it: its model is tried and fits."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.sfm.attempts import Attempts
from blender_recon3d.pipeline.sfm.fisheye import try_fisheye
from tests.support.made_databases import mapper_in, write_database

SIDE, FOCAL = 900, 300.0  # pixels; equidistant, 170 degrees across


def poses() -> list[np.ndarray]:
    """In a room with points all around, looking in several directions."""
    found = []
    for number in range(6):
        turn, _ = cv2.Rodrigues(np.array([0.0, 0.6 * number / 5 - 0.3, 0.05 * number]))
        center = np.array([2.0 * number / 5 - 1, 0.3 * np.sin(number), 0.1 * number])
        found.append(np.column_stack([turn, -turn @ center]))
    return found


@pytest.mark.parametrize(
    ("size", "why"), [((SIDE, SIDE), "a circle with black corners"), ((640, 480), "bends straight lines")]
)
def test_a_fisheye_under_the_default_lens_gets_its_own(tmp_path, size, why):
    """Its whole circle, and the middle of it, as in action cameras: 151 degrees from corner to corner."""
    generator = np.random.default_rng(0)
    points = generator.normal(size=(160, 3)) * [3, 2, 3] + [0, 0, 3]
    yy, xx = np.mgrid[:SIDE, :SIDE]
    circle = np.where(np.hypot(xx - SIDE / 2, yy - SIDE / 2) < SIDE / 2, 120, 0).astype(np.uint8)
    left, top = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
    photo = circle[top : top + size[1], left : left + size[0]]
    pixels = {}
    for number, pose in enumerate(poses()):
        local = points @ pose[:, :3].T + pose[:, 3]
        across = np.linalg.norm(local[:, :2], axis=1)
        angle = np.arctan2(across, local[:, 2])
        place = SIDE / 2 + FOCAL * angle[:, None] * local[:, :2] / across[:, None]
        place += generator.normal(0, 0.3, place.shape)
        place[angle > np.radians(83)] = np.nan
        place -= (left, top)
        place[((place < 0) | (place > size)).any(axis=1)] = np.nan
        name = f"{number:02d}.png"
        pixels[name] = place
        cv2.imwrite(str(tmp_path / name), photo)
    camera = pycolmap.Camera.create_from_model_name(0, "SIMPLE_RADIAL", 1.2 * size[0], *size)
    database = write_database(tmp_path, camera, pixels)

    mapped = mapper_in(tmp_path)
    said: list = []
    attempts = Attempts(database, tmp_path, mapped, Progress(said.append), mapped(database), [])

    try_fisheye(attempts, tmp_path, 0)

    (found,) = attempts.models[0].cameras.values()
    assert found.model.name == "OPENCV_FISHEYE" and attempts.models[0].num_reg_images() == 6
    assert found.mean_focal_length() == pytest.approx(FOCAL, rel=0.02)
    assert any(why in event.message for event in said)
    assert any("camera-model OPENCV_FISHEYE" in event.message for event in said)
