"""Focal lengths that are wrong or missing in EXIF: absurd ones, digital zoom, two zooms in one group."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.documents.photos_json import CameraEntry, PhotoEntry, PhotoState
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.photos.camera_groups import group_cameras
from blender_recon3d.pipeline.photos.exif import read_exif
from blender_recon3d.pipeline.photos.image_files import open_photo
from blender_recon3d.pipeline.refining.undetermined_focals import focal_doubts
from blender_recon3d.pipeline.sfm.attempts import Attempts, merge_alike, settle_cameras
from blender_recon3d.pipeline.sfm.fisheye import fisheye_doubts
from blender_recon3d.pipeline.stage_settings import PhotosSettings
from tests.support.made_databases import mapper_in, write_database
from tests.support.made_models import made_model, visible
from tests.support.scenes import ring

WIDTH, HEIGHT, SHORT, LONG = 640, 480, 560.0, 896.0  # pixels; digital zoom by 1.6


def entry(number: int, **known: Any) -> PhotoEntry:
    """A used photo of photos.json."""
    name = f"{number:02d}.jpg"
    plain = {"name": name, "source": name, "state": PhotoState.USED, "width": WIDTH, "height": HEIGHT}
    return PhotoEntry(**{**plain, "make": "Acme", "model": "One", **known})


def grouped(entries: list[PhotoEntry], **settings: str) -> tuple[list[CameraEntry], list[str]]:
    """The cameras, and the messages."""
    events: list = []
    _, cameras = group_cameras(entries, PhotosSettings(**settings), Progress(events.append, stage="photos"))
    return cameras, [event.message for event in events]


@pytest.mark.parametrize(("focal", "equivalent"), [(1, 1), (50, 6000), (50, 65535), (8, 0.5), (50, 5)])
def test_focal_lengths_that_no_lens_has_are_dropped_by_name(focal, equivalent):
    cameras, said = grouped([entry(number, focal_mm=focal, focal_35mm=equivalent) for number in range(5)])
    assert [camera.prior for camera in cameras] in (["none"], ["table"])
    assert cameras[0].params[0] == pytest.approx(1.2 * WIDTH)
    assert "00.jpg" in said[0] and f"{equivalent:g} mm" in said[0]


def test_a_nonsense_focal_length_does_not_take_the_equivalent_with_it(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x920A: 65535.0, 0xA405: 28})
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    with open_photo(tmp_path / "a.jpg") as image:
        read = read_exif(image)
    (camera,), said = grouped([entry(0, focal_mm=read.focal_mm, focal_35mm=read.focal_35mm)])
    assert camera.prior == "exif" and "65535 mm, which no lens has" in said[0]


def test_a_sensor_that_no_lens_fits_is_dropped_by_name():
    """A pixel density of the screen: a sensor 2 mm wide for a lens of 300 mm."""
    cameras, said = grouped([entry(number, focal_mm=300, sensor_mm=2.0) for number in range(3)])
    assert cameras[0].prior == "none" and cameras[0].params[0] == pytest.approx(1.2 * WIDTH)
    assert "00.jpg" in said[0] and "300 mm on a sensor 2 mm wide" in said[0]


@pytest.mark.parametrize(("focal", "equivalent"), [(8, 8), (5.1, 28), (300, 450), (215, 1200), (90, 35)])
def test_focal_lengths_of_lenses_stay(focal, equivalent):
    cameras, said = grouped([entry(0, focal_mm=focal, focal_35mm=equivalent)])
    assert cameras[0].prior == "exif" and not said


def test_digital_zoom_is_another_camera_and_counts_once():
    same = [
        entry(0, focal_mm=5.0, focal_35mm=28.0),
        entry(1, focal_mm=5.0, focal_35mm=28.0, digital_zoom=2.0),
    ]
    focals = [camera.params[0] for camera in grouped(same)[0]]
    assert focals[1] == pytest.approx(2 * focals[0])  # the 35 mm equivalent is the lens's
    entries = [
        entry(0, focal_mm=5.0, focal_35mm=28.0),
        entry(1, focal_mm=5.0, focal_35mm=56.0, digital_zoom=2.0),
    ]
    assert [camera.params[0] for camera in grouped(entries)[0]] == pytest.approx(focals)


def test_digital_zoom_is_read_from_a_photo(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA404] = 1.6
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    with open_photo(tmp_path / "a.jpg") as image:
        assert read_exif(image).digital_zoom == pytest.approx(1.6)


def test_a_fisheye_without_exif_starts_near_its_focal_length():
    cameras, _ = grouped([entry(0, width=900, height=900)], camera_model="OPENCV_FISHEYE")
    assert cameras[0].prior == "assumed"
    assert cameras[0].params[0] == pytest.approx(450 / np.radians(85), rel=0.15)  # 170 degrees across


def write_matches(folder: Path, focals: list[float], claimed: float, noise: float = 0.3) -> Path:
    """The matches of photos of the same scene with these focal lengths, in one camera with a claimed focal length."""
    generator = np.random.default_rng(0)
    points = generator.uniform(-0.6, 0.6, (150, 3)) * [1, 0.6, 1]
    pixels = {}
    for number, (pose, focal) in enumerate(zip(ring(len(focals), arc=2.6), focals, strict=True)):
        local = points @ pose[:, :3].T + pose[:, 3]
        seen = focal * local[:, :2] / local[:, 2:] + (WIDTH / 2, HEIGHT / 2)
        pixels[f"{number:02d}.jpg"] = seen + generator.normal(0, noise, seen.shape)
    camera = pycolmap.Camera.create_from_model_name(0, "SIMPLE_RADIAL", claimed, WIDTH, HEIGHT)
    return write_database(folder, camera, pixels)


def settled(folder: Path, database: Path) -> tuple[Attempts, list[str]]:
    mapped = mapper_in(folder)
    events: list = []
    attempts = Attempts(database, folder, mapped, Progress(events.append, stage="sfm"), mapped(database), [])
    settle_cameras(attempts)
    return attempts, [event.message for event in events if event.kind == "warning"]


@pytest.mark.parametrize(("zoomed", "noise"), [({1, 3, 5, 7}, 0.3), ({4}, 0.3), ({1, 3, 5, 7}, 1.2)])
def test_two_zooms_in_one_group_are_found_and_split(tmp_path, zoomed, noise):
    """With precise keypoints, and with coarse ones, as networks find them."""
    focals = [LONG if number in zoomed else SHORT for number in range(8)]
    attempts, said = settled(tmp_path, write_matches(tmp_path, focals, 1.2 * WIDTH, noise))
    model = attempts.models[0]
    assert model.num_reg_images() == 8 and len(said) == 1 and not attempts.doubts
    for image in model.images.values():
        assert model.camera(image.camera_id).mean_focal_length() == pytest.approx(
            focals[int(image.name[:2])], rel=0.02 if noise < 1 else 0.05
        )


def test_cameras_that_end_with_the_same_focal_length_are_joined(tmp_path):
    """Photos' own focal lengths are coarse, and two zooms may look like three."""
    focals = [LONG if number in {1, 3, 5, 7} else SHORT for number in range(8)]
    attempts, _ = settled(tmp_path, write_matches(tmp_path, focals, 1.2 * WIDTH))
    first, second = attempts.cameras
    cameras = {**attempts.cameras, 9: attempts.cameras[first]}
    camera_of = dict(attempts.camera_of)
    for image in [image for image, number in camera_of.items() if number == first][:2]:
        camera_of[image] = 9
    assert attempts.try_cameras(cameras, camera_of, "three", 1.1)
    parts = {first: {first: 1.0, second: 1.0, 9: 1.0}}
    merge_alike(attempts, parts)
    assert set(attempts.camera_of.values()) == {first, second}
    assert sorted(parts[first].values()) == pytest.approx([SHORT, LONG], rel=0.02)


@pytest.mark.parametrize("noise", [0.3, 1.2])
def test_one_zoom_stays_one_camera(tmp_path, noise):
    attempts, said = settled(tmp_path, write_matches(tmp_path, [SHORT] * 6, 1.2 * WIDTH, noise))
    assert not said and not attempts.doubts and len(attempts.models[0].cameras) == 1


@pytest.mark.parametrize(
    ("lens", "corners", "focal", "doubted"),
    [("SIMPLE_RADIAL", 0, 0.3, True), ("SIMPLE_RADIAL", 90, 0.3, False), ("SIMPLE_RADIAL", 0, 0.9, False),
     ("OPENCV_FISHEYE", 0, 0.3, False)],
)  # fmt: skip
def test_a_circular_fisheye_under_another_lens_is_doubted(lens, corners, focal, doubted, tmp_path):
    yy, xx = np.mgrid[:90, :90]
    photo = np.where(np.hypot(xx - 45, yy - 45) < 44, 120, corners).astype(np.uint8)
    Image.fromarray(photo).save(tmp_path / "a.png")
    model = pycolmap.Reconstruction()
    camera = pycolmap.Camera.create_from_model_name(1, lens, focal * 90, 90, 90)
    model.add_camera_with_trivial_rig(camera)
    image = pycolmap.Image(name="a.png", camera_id=1, image_id=1)
    model.add_image_with_trivial_frame(image, pycolmap.Rigid3d())
    doubts = fisheye_doubts(model, tmp_path)
    assert bool(doubts) == doubted
    assert all("OPENCV_FISHEYE" in doubt.remedy for doubt in doubts)


@pytest.mark.parametrize(
    ("tilt", "prior", "doubted"), [(0.1, False, True), (0.1, True, False), (20.0, False, False)]
)
def test_a_focal_length_that_photos_straight_down_do_not_determine_is_doubted(tilt, prior, doubted):
    """A flight 60 m up over houses up to 8 m high, straight down or at a slant, with and without EXIF."""
    camera = pycolmap.Camera.create_from_model_name(1, "SIMPLE_RADIAL", 700.0, 800, 600)
    random = np.random.default_rng(0)
    poses = []
    for row, column in np.ndindex(3, 4):
        turn = Rotation.from_rotvec(np.radians(random.normal(0, tilt, 3))).as_matrix() @ np.diag(
            [1.0, -1.0, -1.0]
        )
        poses.append(np.column_stack([turn, -turn @ [15.0 * column, 20.0 * row, 60.0]]))
    xyz = random.uniform([-25, -20, 0], [70, 60, 8], (1500, 3))
    model = made_model(poses, camera, xyz, visible(poses, camera, xyz), noise=0.5)
    found = focal_doubts(model, [] if prior else [1])
    assert bool(found) == doubted
    assert not doubted or "700 pixels" in found[0].text


def test_colmap_does_not_bring_a_dropped_focal_length_back(tmp_path):
    """COLMAP reads the 35 mm equivalent from the file itself."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Acme", "One"
    exif.get_ifd(0x8769).update({0x920A: 50.0, 0xA405: 6000})
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "a.jpg", exif=exif)
    cameras, _ = grouped([entry(0, focal_mm=50, focal_35mm=6000, source=str(tmp_path / "a.jpg"))])
    assert cameras[0].prior == "none" and cameras[0].params[0] == pytest.approx(1.2 * WIDTH)
