"""A project of another program becomes a workspace with cameras, which continues with depth."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.alignments.camera_alignment import AlignedPhoto, Alignment, Lens
from blender_recon3d.pipeline.alignments.map_offset import map_sentence
from blender_recon3d.pipeline.alignments.photo_names import PhotoNames
from blender_recon3d.pipeline.alignments.take_alignment import take_alignment
from blender_recon3d.pipeline.alignments.to_model import build_model, match_photos, typical_error
from blender_recon3d.pipeline.alignments.write_alignment import write_alignment
from blender_recon3d.pipeline.alignments.writers import write_meshroom
from blender_recon3d.pipeline.colmap.model_files import read_model
from blender_recon3d.pipeline.documents.photos_json import PhotoEntry, PhotoState
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.placing.placement_file import read_placement
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.workspace import Workspace
from tests.pipeline.alignments.test_round_trips import an_alignment


def entry(source: str, size: tuple[int, int] = (640, 480), orientation: int = 1) -> PhotoEntry:
    name = source.replace("/", "_")
    return PhotoEntry(
        name=name,
        source=source,
        state=PhotoState.USED,
        width=size[0],
        height=size[1],
        orientation=orientation,
    )


def test_photos_are_found_whatever_their_case_ending_and_folder():
    photos = [
        entry("/a/day1/IMG_1.JPG"),
        entry("/a/day2/IMG_1.JPG"),
        entry("/a/day2/x.y.png"),
        entry("/b/IMG_2.tif"),
    ]
    names = PhotoNames(photos)
    assert names.find("images\\Day2\\img_1.jpeg") is photos[1]
    assert names.find("C:/photos/x.y.PNG") is photos[2]
    assert names.find("x.y") is photos[2]
    assert names.find("IMG_2") is photos[3]
    assert names.find("img_1.jpg") is None  # two of them
    assert names.find("IMG_3.jpg") is None


@pytest.mark.parametrize("orientation", [3, 6, 8])
@pytest.mark.parametrize("model", ["RADIAL", "FULL_OPENCV", "OPENCV_FISHEYE"])
def test_photos_that_exif_turns_are_turned_with_their_cameras(orientation, model):
    project = an_alignment(model)
    size = (640, 480) if orientation == 3 else (480, 640)
    photos = [entry(f"/p/{photo.name}", size, orientation) for photo in project.photos]
    found = build_model(project, match_photos(project, photos))
    assert found.num_points3D() == len(np.unique(project.point))
    assert typical_error(found) < 1e-6
    assert {(camera.width, camera.height) for camera in found.cameras.values()} == {size}


def test_larger_and_smaller_copies_scale_the_lens_and_others_are_refused():
    project = an_alignment("OPENCV")
    half = [entry(f"/p/{photo.name}", (320, 240)) for photo in project.photos]
    assert typical_error(build_model(project, match_photos(project, half))) < 1e-6
    with pytest.raises(UserError, match="640 x 480"):
        match_photos(project, [entry(f"/p/{photo.name}", (300, 300)) for photo in project.photos])


def write_photos(folder: Path, photos: Sequence[AlignedPhoto]) -> None:
    """Noise."""
    folder.mkdir()
    noise = np.random.default_rng(0)
    for photo in photos:
        picture = cv2.resize(noise.integers(0, 255, (60, 80, 3), np.uint8), (320, 240))
        cv2.imwrite(str(folder / photo.name.upper()), picture)


def settings_of(folder: Path) -> JobSettings:
    return JobSettings.build(
        photos=str(folder / "photos"), alignment=str(folder / "scene.sfm"), features="sift", until="sfm",
        refine="off", keep_copies=True, keep_blurred=True,
    )  # fmt: skip


def test_a_project_in_map_coordinates_is_moved_to_the_origin_and_exported_at_its_coordinates(tmp_path):
    far = np.array([447_312.25, 5_428_123.5, 212.0])
    near = an_alignment("OPENCV")
    photos = [
        replace(photo, cam_from_world=np.column_stack([pose[:, :3], pose[:, 3] - pose[:, :3] @ far]))
        for photo in near.photos
        for pose in [photo.cam_from_world]
    ]
    write_meshroom.write(tmp_path / "scene.sfm", replace(near, photos=photos, xyz=near.xyz + far))
    write_photos(tmp_path / "photos", photos)
    workspace, said = Workspace(tmp_path / "w"), []
    run_job(workspace, settings_of(tmp_path), Progress(said.append))
    assert any("map coordinates" in event.message for event in said if event.kind == "warning")
    model = read_model(workspace.mapped)
    assert max(abs(image.projection_center()).max() for image in model.images.values()) < 100
    assert typical_error(model) < 1e-3
    assert np.array_equal(read_placement(workspace.placement, ""), np.eye(4))  # meters, east, north and up
    assert "add 447" in map_sentence(workspace)
    write_alignment(workspace, tmp_path / "colmap", "colmap")
    exported = read_model(tmp_path / "colmap")
    for image in exported.images.values():
        pose = next(photo.cam_from_world for photo in photos if photo.name.lower() == image.name.lower())
        assert np.abs(image.projection_center() + pose[:, :3].T @ pose[:, 3]).max() < 1e-3


def test_a_project_becomes_a_workspace_whose_cameras_are_done(tmp_path):
    project = an_alignment("OPENCV")
    write_meshroom.write(tmp_path / "scene.sfm", project)
    write_photos(tmp_path / "photos", project.photos[:-1])  # one is missing
    workspace = Workspace(tmp_path / "w")
    settings = settings_of(tmp_path)
    said = []
    state = run_job(workspace, settings, Progress(said.append))
    assert set(state.stages) == {"photos", "sfm"}
    model = read_model(workspace.mapped)
    assert model.num_reg_images() == 5 and typical_error(model) < 1e-6
    assert "5 of 6 cameras" in state.stage("sfm").summary["message"]
    assert any("1 photos of the project" in event.message for event in said if event.kind == "warning")
    before = workspace.state_file.read_bytes()
    run_job(workspace, settings, Progress())
    assert workspace.state_file.read_bytes() == before
    project = tmp_path / "scene.sfm"
    project.touch()
    run_job(workspace, settings, Progress())
    assert workspace.state_file.read_bytes() == before
    project.write_text(project.read_text("utf-8") + "\n", "utf-8")  # another project
    run_job(workspace, settings, Progress())
    assert workspace.state_file.read_bytes() != before


def test_wrong_photos_are_doubted(tmp_path):
    project = an_alignment("PINHOLE")
    shifted = replace(project, pixel=project.pixel + np.array([4.0, 0]))
    found = build_model(
        shifted, match_photos(shifted, [entry(f"/p/{photo.name}") for photo in project.photos])
    )
    assert typical_error(found) > 2


def test_a_project_with_none_of_the_photos_is_reported(tmp_path, monkeypatch):
    lens = Lens("PINHOLE", 640, 480, (500.0, 500.0, 320.0, 240.0))
    photos = [AlignedPhoto(f"{n}.jpg", lens, np.eye(3, 4)) for n in range(3)]
    write_meshroom.write(tmp_path / "scene.sfm", Alignment("Meshroom", photos))
    workspace = Workspace(tmp_path / "w")
    monkeypatch.setattr(workspace, "used_photos", lambda: [entry("/p/other.jpg")])
    with pytest.raises(UserError, match="0 of the 3 photos"):
        take_alignment(workspace, str(tmp_path / "scene.sfm"), 0, Progress())
