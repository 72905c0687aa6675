"""RAW, HDR and other photos beyond 8 bits, as cameras and renderers write them."""

import importlib
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.inspection import inspect_photos
from blender_recon3d.pipeline.photos.find_photos import look_for
from blender_recon3d.pipeline.photos.image_files import open_photo, read_rgb, upright_with_values
from blender_recon3d.pipeline.photos.photo_quality import examine
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.stage_settings import PhotosSettings
from blender_recon3d.pipeline.stages import photos as stage
from blender_recon3d.pipeline.system import extra_packages
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.pictures import picture, save
from tests.support.raw_files import write_dng


def needs(package: str):
    return pytest.mark.skipif(not extra_packages.is_installed(package), reason=f"{package} is not installed")


def smooth(seed: int) -> np.ndarray:
    """A picture whose colors survive demosaicing, uint8 [320, 480, 3]."""
    return cv2.GaussianBlur(np.asarray(picture(seed)), (0, 0), 4)


def light_of(display: np.ndarray) -> np.ndarray:
    part = display / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4).astype(np.float32)


def run(folder, out) -> Workspace:
    workspace = Workspace(out)
    stage.run(workspace, PhotosSettings(sources=(str(folder),)), Progress())
    return workspace


@needs("rawpy")
def test_raw_files_are_developed_to_the_colors_of_the_scene(tmp_path):
    photos = [smooth(number) for number in range(4)]
    for number, pixels in enumerate(photos):
        write_dng(tmp_path / "photos" / f"DSC_{number}.DNG", pixels, focal_mm=28)
    workspace = run(tmp_path / "photos", tmp_path / "out")
    entries = workspace.used_photos()
    assert [(entry.make, entry.model, entry.focal_mm) for entry in entries] == [("Recon", "Tester", 28.0)] * 4
    for entry, pixels in zip(entries, photos, strict=True):
        developed = read_rgb(workspace.images / entry.name).astype(int)
        assert developed.shape == pixels.shape
        assert np.abs(developed - pixels)[8:-8, 8:-8].mean() < 3  # of 255; demosaicing and JPEG


@needs("rawpy")
def test_raw_files_keep_their_relative_exposure(tmp_path):
    """A program that brightens each photo by itself would make both equally bright."""
    means = []
    for name, exposure in (("full.dng", 1.0), ("half.dng", 0.5)):
        with open_photo(write_dng(tmp_path / name, smooth(5), exposure=exposure)) as image:
            means.append(light_of(np.asarray(upright_with_values(image)[0])).mean())
    assert means[1] / means[0] == pytest.approx(0.5, rel=0.03)


@needs("rawpy")
def test_a_raw_file_beside_a_jpeg_of_the_same_shot_counts_once(tmp_path):
    for number in range(3):
        save(tmp_path / f"IMG_{number}.jpg", picture(number))
        write_dng(tmp_path / f"IMG_{number}.dng", np.asarray(picture(number)))
    write_dng(tmp_path / "IMG_3.dng", np.asarray(picture(3)))
    found = look_for([str(tmp_path)], tmp_path / "out")
    assert [path.name for path in found.photos] == ["IMG_0.jpg", "IMG_1.jpg", "IMG_2.jpg", "IMG_3.dng"]
    document = inspect_photos(JobSettings.build(photos=(str(tmp_path),)), Progress(), tmp_path / "out")
    assert (document.photos, document.used) == (4, 4)
    assert any("3 RAW files beside photos of the same name" in sentence for sentence in document.advice)


@needs("rawpy")
def test_a_damaged_raw_file_is_named_with_libraws_reason(tmp_path):
    path = write_dng(tmp_path / "a.dng", smooth(1))
    path.write_bytes(path.read_bytes()[:5000])
    assert "RAW file that LibRaw cannot read" in examine(path).reason
    (tmp_path / "b.cr3").write_bytes(b"\0\0\0\x18ftypcrx " + bytes(100))
    assert "LibRaw cannot read (" in examine(tmp_path / "b.cr3").reason


def test_without_the_package_the_command_is_named(tmp_path, monkeypatch):
    for name in ("rawpy", "OpenEXR"):
        monkeypatch.setitem(sys.modules, name, None)
    write_dng(tmp_path / "a.nef", smooth(0))
    save(tmp_path / "b.jpg", picture(1))
    document = inspect_photos(JobSettings.build(photos=(str(tmp_path),)), Progress(), tmp_path / "out")
    assert document.packages == ["rawpy"]
    assert any("1 RAW file (a.nef) is left out: press Add Photo Formats" in text for text in document.advice)
    assert any("-m pip install rawpy==" in text for text in document.advice)
    (tmp_path / "c.exr").write_bytes(b"v/1\x01" + bytes(200))
    assert "pip install OpenEXR==" in examine(tmp_path / "c.exr").reason
    with pytest.raises(UserError, match="a RAW file that cannot be read: press Add Photo Formats"):
        stage.run(Workspace(tmp_path / "out"), PhotosSettings(sources=(str(tmp_path / "a.nef"),)), Progress())


def test_radiance_pictures_are_exposed_together(tmp_path):
    """Light twice as strong in one photo stays twice as strong, and highlights beyond white are clipped."""
    for number, strength in enumerate((3.0, 3.0, 6.0)):
        light = light_of(smooth(number)) * strength
        cv2.imwrite(str(tmp_path / f"{number}.hdr"), light[..., ::-1])
    workspace = run(tmp_path, tmp_path / "out")
    means = [
        light_of(read_rgb(workspace.images / entry.name)).mean() / light_of(smooth(number)).mean()
        for number, entry in enumerate(workspace.used_photos())
    ]
    assert means[1] / means[0] == pytest.approx(1, rel=0.05) and means[2] / means[0] > 1.5


@needs("OpenEXR")
def test_openexr_pictures_are_read_as_light(tmp_path):
    package = importlib.import_module("OpenEXR")
    header = {"compression": package.ZIP_COMPRESSION, "type": package.scanlineimage}
    for number in range(3):
        light = light_of(smooth(number)) * 0.8  # below 1, where values could be taken for a display's
        package.File(header, {"RGB": light}).write(str(tmp_path / f"{number}.exr"))
    workspace = run(tmp_path, tmp_path / "out")
    for number, entry in enumerate(workspace.used_photos()):
        there = light_of(read_rgb(workspace.images / entry.name)).astype(float)
        scale = (there * light_of(smooth(number))).sum() / (light_of(smooth(number)) ** 2).sum()
        assert np.abs(there / scale - light_of(smooth(number))).mean() < 0.02
    (tmp_path / "3.exr").write_bytes((tmp_path / "0.exr").read_bytes()[:3000])
    assert "truncated" in examine(tmp_path / "3.exr").reason


@needs("pillow_jxl")
def test_jpeg_xl_pictures_are_read(tmp_path):
    importlib.import_module("pillow_jxl")
    for number in range(3):
        Image.fromarray(smooth(number)).save(tmp_path / f"{number}.jxl", quality=95)
    workspace = run(tmp_path, tmp_path / "out")
    for number, entry in enumerate(workspace.used_photos()):
        difference = read_rgb(workspace.images / entry.name).astype(int) - smooth(number)
        assert np.abs(difference).mean() < 3
