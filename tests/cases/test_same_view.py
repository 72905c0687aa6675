"""Copies, brackets and bursts show one view and count as one; photos from nearby positions do not."""

from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from blender_recon3d.pipeline.photos.photo_quality import PhotoInfo, examine, set_aside
from tests.support.pictures import picture, save
from tests.support.scenes import box_scene, look_at, render

CAMERA = {0x010F: "Canon", 0x0110: "EOS", 0x920A: 50.0}


def aside(folder: Path, keep: bool = False) -> dict[str, str]:
    photos = [examine(path) for path in sorted(folder.iterdir())]
    set_aside(photos, keep_copies=keep)
    return {photo.path.name: photo.reason for photo in photos if photo.reason}


@pytest.fixture
def view() -> np.ndarray:
    """A photo of the box, RGB."""
    return render(box_scene(), look_at(np.array([0.0, -1.2, -2.0]), np.array([0, -0.3, 0])))[..., ::-1]


def test_the_best_of_several_copies_is_used(tmp_path, view):
    image = Image.fromarray(view)
    save(tmp_path / "IMG_1.jpg", image, CAMERA)
    pillow_heif.from_pillow(image).save(tmp_path / "IMG_1.heic", quality=60)
    save(tmp_path / "IMG_1 (1).jpg", image, quality=40)
    save(tmp_path / "WhatsApp.jpg", image.resize((320, 240), Image.Resampling.LANCZOS))
    image.save(tmp_path / "edit.png")
    save(tmp_path / "other.jpg", picture(5), CAMERA)
    found = aside(tmp_path)
    assert set(found) == {"IMG_1.heic", "IMG_1 (1).jpg", "WhatsApp.jpg", "edit.png"}
    assert all("burst of IMG_1.jpg; used too if copies are kept" in reason for reason in found.values())
    assert set(aside(tmp_path, keep=True)) == set()


def test_a_copy_that_was_turned_is_a_copy(tmp_path, view):
    image = Image.fromarray(view)
    for number in range(4):
        image.rotate(90 * number, expand=True).save(tmp_path / f"{number}.jpg", quality=97 - number)
    assert set(aside(tmp_path)) == {"1.jpg", "2.jpg", "3.jpg"}


def test_of_a_bracket_the_middle_is_used(tmp_path, view):
    for name, stops in (("dark", -2), ("middle", 0), ("light", 2)):
        light = (view / 255) ** 2.2 * 2.0**stops
        pixels = (np.clip(light, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)
        save(tmp_path / f"{name}.jpg", Image.fromarray(pixels), CAMERA)
    assert set(aside(tmp_path)) == {"dark.jpg", "light.jpg"}


def test_a_burst_from_a_tripod_is_one_view(tmp_path, view):
    for number in range(4):
        noise = np.random.default_rng(number).normal(0, 5, view.shape)
        save(tmp_path / f"b{number}.jpg", Image.fromarray(np.clip(view + noise, 0, 255).astype(np.uint8)))
    assert len(aside(tmp_path)) == 3


@pytest.mark.parametrize("step", [0.01, 0.05])
def test_a_small_step_is_another_view(tmp_path, step):
    """A centimeter, two meters from the subject: the box moves by two pixels of 640."""
    for number in range(3):
        pose = look_at(np.array([number * step, -1.2, -2.0]), np.array([number * step, -0.3, 0]))
        save(tmp_path / f"s{number}.jpg", Image.fromarray(render(box_scene(), pose)[..., ::-1]))
    assert aside(tmp_path) == {}


def test_a_small_subject_that_turns_before_a_still_room_is_another_view(tmp_path):
    room = np.asarray(picture(3, 480, 320)).copy()
    for number in range(3):
        turned = cv2.warpAffine(
            np.asarray(picture(8, 48, 48)), cv2.getRotationMatrix2D((24, 24), 20 * number, 1), (48, 48)
        )
        room[120:168, 200:248] = turned
        save(tmp_path / f"t{number}.jpg", Image.fromarray(room))
    assert aside(tmp_path) == {}


def test_strips_are_not_photos(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (1, 4000, 3)).astype(np.uint8)
    for name, pixels in {
        "row": noise,
        "column": noise.reshape(4000, 1, 3),
        "thin": np.repeat(noise, 70, 0),
    }.items():
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        assert examine(tmp_path / f"{name}.png").reason.startswith("a strip, not a photo (")
    assert not examine(save(tmp_path / "panorama.jpg", picture(0, 500, 80))).reason


@pytest.mark.parametrize("name", ["Screenshot_20240101.png", "Bildschirmfoto 2024.png", "Screen Shot 1.png"])
def test_screenshots_among_photos_are_set_aside(tmp_path, name):
    for number in range(3):
        save(tmp_path / f"p{number}.jpg", picture(number), CAMERA)
    picture(9).save(tmp_path / name)
    assert aside(tmp_path) == {name: "a screenshot among photos of a camera"}
    for number in range(3):
        save(tmp_path / f"p{number}.jpg", picture(number))  # a capture of screenshots only is intended
    assert aside(tmp_path) == {}


def test_smooth_photos_are_never_taken_for_copies(tmp_path):
    photos: list[PhotoInfo] = []
    for number in range(3):
        ramp = np.tile(np.linspace(90 + number, 140, 480), (320, 1)).astype(np.uint8)
        photos.append(examine(save(tmp_path / f"r{number}.png", Image.fromarray(ramp))))
    set_aside(photos, keep_blurred=True)
    assert not any(photo.reason for photo in photos)
