"""360-degree panoramas among the photos."""

from pathlib import Path

import cv2
import numpy as np
import pycolmap
import pytest
from PIL import Image

from blender_recon3d.pipeline.colmap.model_files import read_model
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.inspection import inspect_photos
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.photos.panorama_views import SIDES, cut, side_pixels
from blender_recon3d.pipeline.photos.panoramas import PARTIAL
from blender_recon3d.pipeline.photos.photo_quality import examine
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.stage_settings import PhotosSettings
from blender_recon3d.pipeline.stages import photos as stage
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.pictures import picture, save
from tests.support.rays import panorama, pinhole, room

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" GPano:ProjectionType="%s"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def closed(seed: int) -> Image.Image:
    """A picture whose right side continues at its left."""
    angle = np.linspace(0, 2 * np.pi, 640, endpoint=False)
    noise = np.asarray(picture(seed, 480, 480))
    x = np.tile(240 + 200 * np.cos(angle), (320, 1)).astype(np.float32)
    y = (240 + 200 * np.sin(angle) * np.linspace(0.2, 1, 320)[:, None]).astype(np.float32)
    return Image.fromarray(cv2.remap(noise, x, y, cv2.INTER_LINEAR))


def test_run_and_inspect_cut_panoramas_into_views(tmp_path):
    for number in range(3):
        save(tmp_path / f"R{number}.jpg", closed(number), xmp=XMP % b"equirectangular")
    picture(7, 500, 300).save(tmp_path / "P.jpg", quality=95, xmp=XMP % b"equirectangular")
    workspace = Workspace(tmp_path / "out")
    stage.run(workspace, PhotosSettings(sources=(str(tmp_path),)), Progress())
    document = workspace.read_photos()
    assert len(document.used) == 18 and len(document.cameras) == 6 and len(document.rigs) == 1
    assert {entry.reason for entry in document.photos if not entry.used} == {PARTIAL}
    assert [entry.name for entry in document.used[:2]] == ["R0_front.jpg", "R0_right.jpg"]
    found = inspect_photos(JobSettings.build(photos=(str(tmp_path),)), Progress(), tmp_path / "out")
    assert (found.photos, found.used) == (
        4,
        3,
    ) and "3 of the photos are 360-degree panoramas" in found.advice[0]


def test_without_a_tag_panoramas_are_recognized_by_their_seam(tmp_path):
    assert examine(save(tmp_path / "a.jpg", closed(0))).panorama


def test_a_view_is_what_a_camera_with_that_side_would_see():
    scene, pose = room(), np.column_stack([np.eye(3), [0.4, 1.5, 1.9]])
    whole = panorama(scene, pose, 1200)
    for side, turn in SIDES.items():
        view = cv2.GaussianBlur(cut(whole, side), (0, 0), 2).astype(int)
        there = cv2.GaussianBlur(pinhole(scene, turn @ pose, side_pixels(1200)), (0, 0), 2)
        off = np.abs(view - there).mean()
        assert off < 0.3 * np.abs(np.roll(view, 1, axis=1) - there).mean(), side  # well below one pixel


@pytest.mark.slow
def test_rooms_are_reconstructed_from_panoramas(tmp_path):
    """Six panoramas, turned and moved; no setting says what they are."""
    scene, centers = room(), []
    for number in range(6):
        angle = 2 * np.pi * number / 6
        center = np.array([1.6 * np.cos(angle), -1.4 - 0.1 * (number % 2), 1.6 * np.sin(angle)])
        yaw = 0.7 * number
        rotation = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
        whole = panorama(scene, np.column_stack([rotation, -rotation @ center]), 1200)
        cv2.imwrite(str(tmp_path / f"R{number}.jpg"), whole, [cv2.IMWRITE_JPEG_QUALITY, 95])
        centers.append(center)
    workspace = Workspace(tmp_path / "out")
    settings = JobSettings.build(
        photos=str(tmp_path), features="sift", feature_size=400, max_keypoints=1500, until="refine"
    )
    run_job(workspace, settings, Progress())
    model = read_model(workspace.model)
    assert model.num_reg_images() == 36
    found = [np.zeros(3)] * 6
    for number in range(6):
        own = [image for image in model.images.values() if image.name.startswith(f"R{number}_")]
        places = np.array([image.projection_center() for image in own])
        assert np.ptp(places, axis=0).max() < 1e-6  # one center
        found[number] = places[0]
    moved = pycolmap.estimate_sim3d(np.array(found), np.array(centers))
    errors = np.linalg.norm(
        [moved * place - center for place, center in zip(found, centers, strict=True)], axis=1
    )
    assert errors.max() < 0.01  # meters, in a room of 6
    assert all(camera.params[0] == camera.width / 2 for camera in model.cameras.values())


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (picture(1, 480, 240), {}),  # 2:1, open
        (closed(2), {"exif": {0x920A: 4.2}}),  # taken with a lens
        (picture(3, 480, 320), {"xmp": XMP % b"cylindrical"}),
        (Image.new("RGB", (480, 240), (200, 190, 180)), {}),  # a sky is not a panorama
    ],
    ids=["open", "with a focal length", "cylindrical", "plain"],
)
def test_other_photos_are_not_panoramas(tmp_path: Path, image, options):
    found = examine(save(tmp_path / "a.jpg", image, **options))
    assert not found.reason and not found.panorama


def test_a_panoramas_mask_is_cut_like_the_panorama(tmp_path):
    for number in range(3):
        save(tmp_path / "photos" / f"R{number}.jpg", closed(number), xmp=XMP % b"equirectangular")
        mask = np.full((320, 640), 255, np.uint8)
        mask[240:] = 0  # the tripod, 45 degrees down and below
        save(tmp_path / "masks" / f"R{number}.png", Image.fromarray(mask))
    workspace = Workspace(tmp_path / "out")
    settings = PhotosSettings(sources=(str(tmp_path / "photos"),), masks=str(tmp_path / "masks"))
    stage.run(workspace, settings, Progress())
    kept = {
        side: cv2.imread(str(workspace.masks / f"R0_{side}.jpg.png"), cv2.IMREAD_GRAYSCALE).mean() / 255
        for side in SIDES
    }
    assert kept["up"] == kept["front"] == kept["left"] == 1
    assert kept["down"] == pytest.approx(1 - np.pi / 4, abs=0.01)  # 45 degrees around its middle are a circle
