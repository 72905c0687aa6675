"""A turntable before a room: the subject turns, the background does not."""

import numpy as np
import pytest

pytest.importorskip("pycolmap", reason="the engine's environment has pycolmap; Blender's has not")
cv2 = pytest.importorskip("cv2")

from blender_recon3d.pipeline.colmap.calls import pycolmap  # noqa: E402
from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.pipeline.events import Progress  # noqa: E402
from blender_recon3d.pipeline.job import run_job  # noqa: E402
from blender_recon3d.pipeline.matching.still_background import stands_still  # noqa: E402
from blender_recon3d.pipeline.settings import JobSettings  # noqa: E402
from blender_recon3d.pipeline.workspace import Workspace  # noqa: E402
from tests.support.made_databases import write_database  # noqa: E402
from tests.support.scenes import FOCAL, HEIGHT, WIDTH, box_scene, render, ring, spot_texture  # noqa: E402


def settings(folder):
    return JobSettings.build(
        photos=str(folder), features="sift", quality="preview", until="sfm", max_keypoints=2000, masks="off"
    )


def turntable(folder, poses):
    """The scene's box before a wall that is at the same position in every photo."""
    folder.mkdir()
    wall = cv2.resize(spot_texture(77)[:576], (640, 480))
    for number, pose in enumerate(poses):
        noise = np.random.default_rng(number).normal(0, 2, wall.shape)
        subject = render(box_scene()[1:], pose)
        alone = (subject == 190).all(axis=2)
        photo = np.where(alone[..., None], wall, subject)
        pixels = np.clip(photo + noise, 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"p{number:02d}.jpg"), pixels, [cv2.IMWRITE_JPEG_QUALITY, 93])
    return folder


def test_the_subject_alone_places_the_cameras(tmp_path):
    photos = turntable(tmp_path / "photos", ring(7, radius=1.3, arc=0.95))
    workspace = Workspace(tmp_path / "out")
    state = run_job(workspace, settings(photos), Progress())
    assert stands_still(workspace.database)
    assert state.stage("matches").summary["still_background"]
    assert state.stage("sfm").summary["photos"] >= 6


def test_where_it_cannot_the_message_names_the_background(tmp_path):
    """Too few photos of the subject: three that do not share a side of it."""
    photos = turntable(tmp_path / "photos", ring(3, radius=1.3, arc=4.2))
    with pytest.raises(UserError, match=r"the subject turns before a background that does not.*--masks"):
        run_job(Workspace(tmp_path / "out"), settings(photos), Progress())


def test_a_capture_made_by_walking_around_has_no_still_background(tmp_path):
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (300, 3))
    pixels = {}
    for number, pose in enumerate(ring(4, arc=0.6)):
        local = points @ pose[:, :3].T + pose[:, 3]
        pixels[f"{number}.jpg"] = FOCAL * local[:, :2] / local[:, 2:] + (WIDTH / 2, HEIGHT / 2)
    camera = pycolmap.Camera.create_from_model_name(0, "SIMPLE_RADIAL", FOCAL, WIDTH, HEIGHT)
    assert not stands_still(write_database(tmp_path, camera, pixels))
