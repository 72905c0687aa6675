"""Rigs of several cameras that were fired together, in a folder for each camera."""

import json
from pathlib import Path

import cv2
import numpy as np
import pycolmap
import pytest
from scipy.spatial.transform import Rotation

from blender_recon3d.pipeline.colmap.model_files import read_model
from blender_recon3d.pipeline.documents.document_files import read_document
from blender_recon3d.pipeline.documents.registration_json import RegistrationDocument
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Event, Progress
from blender_recon3d.pipeline.inspection import inspect_photos
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.stage_settings import PhotosSettings
from blender_recon3d.pipeline.stages import photos as photos_stage
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.pictures import picture, save
from tests.support.scenes import box_scene, noise_texture, render, ring

SHOTS = 6
BLOCKED = 3  # the shot in which a finger is in front of one lens
# From the middle camera of a rig to each: 25 cm to the left and right, turned inward by 8 degrees.
RIG = {
    "left": np.column_stack([Rotation.from_euler("y", -8, degrees=True).as_matrix(), [0.25, 0, 0]]),
    "middle": np.eye(3, 4),
    "right": np.column_stack([Rotation.from_euler("y", 8, degrees=True).as_matrix(), [-0.25, 0, 0]]),
}

OWN_ORDER = {"left": [5, 4, 3, 2, 1, 0], "middle": [0, 1, 2, 3, 4, 5], "right": [2, 0, 5, 1, 4, 3]}


def pose_of(place: np.ndarray, base: np.ndarray) -> np.ndarray:
    return np.column_stack([place[:, :3] @ base[:, :3], place[:, :3] @ base[:, 3] + place[:, 3]])


def write_rig(folder: Path, fixed: bool = True) -> dict[str, np.ndarray]:
    """Photos of the box, and their poses by the names that they get in a workspace. fixed: otherwise each camera was
    carried around by itself."""
    scene, poses, truth = box_scene(3), ring(SHOTS), {}
    for sensor, place in RIG.items():
        (folder / sensor).mkdir(parents=True)
        for shot in range(SHOTS):
            base = poses[shot if fixed else OWN_ORDER[sensor][shot]]
            pose = pose_of(place, base)
            photo = render(scene, pose)
            if fixed and (sensor, shot) == ("right", BLOCKED):
                photo = cv2.resize(noise_texture(99), photo.shape[1::-1])
            cv2.imwrite(str(folder / sensor / f"IMG_{shot}.jpg"), photo, [cv2.IMWRITE_JPEG_QUALITY, 95])
            truth[f"{sensor}_IMG_{shot}.jpg"] = pose
    return truth


def reconstruct(folder: Path, output: Path) -> tuple[Workspace, list[str]]:
    events: list[Event] = []
    workspace = Workspace(output)
    settings = JobSettings.build(
        photos=str(folder), features="sift", feature_size=640, max_keypoints=1000, until="sfm"
    )
    run_job(workspace, settings, Progress(events.append))
    return workspace, [event.message for event in events]


def centers_off(model, truth: dict[str, np.ndarray]) -> dict[str, float]:
    """Distances of the cameras from the truth, meters, after a similarity."""
    images = [model.image(number) for number in model.reg_image_ids()]
    found = np.array([image.projection_center() for image in images])
    there = np.array([-truth[image.name][:, :3].T @ truth[image.name][:, 3] for image in images])
    good = np.array([image.num_points3D > 0 for image in images])
    moved = pycolmap.estimate_sim3d(found[good], there[good])
    return {
        image.name: float(np.linalg.norm(moved * place - wanted))
        for image, place, wanted in zip(images, found, there, strict=True)
    }


@pytest.mark.slow
def test_cameras_fixed_to_each_other_are_mapped_as_a_rig(tmp_path):
    truth = write_rig(tmp_path / "photos")
    workspace, messages = reconstruct(tmp_path / "photos", tmp_path / "out")
    assert any("3 cameras (left, middle and right) were fired together" in text for text in messages)
    model = read_model(workspace.model)
    assert [rig.num_sensors() for rig in model.rigs.values()] == [3]
    assert len(model.reg_frame_ids()) == SHOTS
    off = centers_off(model, truth)
    assert len(off) == 3 * SHOTS and max(off.values()) < 0.02
    assert off[f"right_IMG_{BLOCKED}.jpg"] < 0.02  # placed by the others of its shot
    document = read_document(RegistrationDocument, workspace.registration, "")
    assert all(entry.registered for entry in document.photos.values())


@pytest.mark.slow
def test_rounds_with_the_same_names_are_no_rig(tmp_path):
    truth = write_rig(tmp_path / "photos", fixed=False)
    workspace, messages = reconstruct(tmp_path / "photos", tmp_path / "out")
    assert any("not of cameras that are fixed to each other" in text for text in messages)
    model = read_model(workspace.model)
    assert all(rig.num_sensors() == 1 for rig in model.rigs.values())
    assert max(centers_off(model, truth).values()) < 0.02


def test_folders_with_the_same_names_are_said_before_the_start(tmp_path):
    for sensor in ("a", "b"):
        for shot in range(4):
            save(tmp_path / sensor / f"{shot}.jpg", picture(10 * shot + ord(sensor)))
    save(tmp_path / "b" / "more.jpg", picture(999))
    found = inspect_photos(JobSettings.build(photos=(str(tmp_path),)), Progress(), tmp_path / "out")
    assert any(text.startswith("a and b have photos of the same names") for text in found.advice)
    assert len(found.cameras) == 2
    single = JobSettings.build(photos=(str(tmp_path),), grouping="single")
    assert len(inspect_photos(single, Progress(), tmp_path / "out").cameras) == 1


def test_folders_with_other_names_are_no_rig(tmp_path):
    for sensor in ("a", "b"):
        for shot in range(4):
            save(tmp_path / sensor / f"{sensor}{shot}.jpg", picture(10 * shot + ord(sensor)))
    found = inspect_photos(JobSettings.build(photos=(str(tmp_path),)), Progress(), tmp_path / "out")
    assert not any("same names" in text for text in found.advice) and len(found.cameras) == 1


def test_colmaps_rig_configuration_gives_prefixes_and_poses(tmp_path):
    for sensor in ("l", "r"):
        for shot in range(4):
            save(tmp_path / f"day_{sensor}{shot}.jpg", picture(10 * shot + ord(sensor)))
    turn = Rotation.from_euler("y", 30, degrees=True)
    cameras = [
        {
            "image_prefix": "day_r",
            "cam_from_rig_rotation": turn.as_quat(scalar_first=True).tolist(),
            "cam_from_rig_translation": [1, 2, 3],
        },
        {"image_prefix": "day_l", "ref_sensor": True},
    ]
    (tmp_path / "rig_config.json").write_text(json.dumps([{"cameras": cameras}]))
    workspace = Workspace(tmp_path / "out")
    photos_stage.run(workspace, PhotosSettings(sources=(str(tmp_path),)), Progress())
    document = workspace.read_photos()
    (rig,) = document.rigs
    by_name = {photo.name: photo for photo in document.used}
    assert by_name["day_l0.jpg"].shot == by_name["day_r0.jpg"].shot != by_name["day_l1.jpg"].shot
    assert [sensor.camera for sensor in rig.sensors] == [
        by_name["day_l0.jpg"].camera,
        by_name["day_r0.jpg"].camera,
    ]
    assert np.allclose(rig.sensors[1].cam_from_rig, np.column_stack([turn.as_matrix(), [1, 2, 3]]))


def test_a_damaged_rig_configuration_is_named(tmp_path):
    for shot in range(4):
        save(tmp_path / f"{shot}.jpg", picture(shot))
    (tmp_path / "rig_config.json").write_text('[{"sensors": []}]')
    with pytest.raises(UserError, match=r"rig_config\.json is not a rig configuration of COLMAP"):
        photos_stage.run(Workspace(tmp_path / "out"), PhotosSettings(sources=(str(tmp_path),)), Progress())
