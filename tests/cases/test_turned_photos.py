"""Photos rotated in the image plane, as from drones and by hand, for a front-end that needs upright photos."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.matching.encoded import Encoded, Photos, encode
from blender_recon3d.pipeline.matching.turned_photos import (
    DirectedPhotos,
    directed,
    quarter_turns,
    turned_back,
    turned_note,
)
from blender_recon3d.pipeline.models.front_ends import retriever_of
from blender_recon3d.pipeline.photos.image_files import read_gray, read_rgb
from blender_recon3d.pipeline.stage_settings import PairsSettings
from tests.support.engine import REPOSITORY
from tests.support.scenes import box_scene, render, ring, spot_texture

PHOTOS = REPOSITORY / "demo" / "photos"


@pytest.fixture(scope="module")
def photos() -> list[np.ndarray]:
    scene = box_scene(texture=spot_texture)
    return [cv2.cvtColor(render(scene, pose), cv2.COLOR_BGR2GRAY) for pose in ring(6, arc=1.4)]


@pytest.mark.parametrize("turns", [(0, 2, 0, 2, 0, 0), (0, 0, 0, 1, 0, 3), (0, 0, 2, 2, 0, 0), (0,) * 6])
def test_turned_photos_are_found(photos, turns):
    taken = [np.ascontiguousarray(np.rot90(photo, -turn)) for photo, turn in zip(photos, turns, strict=True)]
    assert quarter_turns([directed(photo) for photo in taken]) == list(turns)


def test_walking_round_a_subject_turns_no_photo():
    """The ground rotates in the photos, a little from one to the next and once around in total."""
    scene = box_scene(texture=spot_texture)
    photos = [
        cv2.cvtColor(render(scene, pose), cv2.COLOR_BGR2GRAY) for pose in ring(12, arc=2 * np.pi * 11 / 12)
    ]
    assert quarter_turns([directed(photo) for photo in photos]) == [0] * 12


def test_photos_that_few_keypoints_connect_get_a_second_look(monkeypatch, photos):
    """Wide steps: the strongest keypoints of two photos are others."""
    turned = [
        np.ascontiguousarray(np.rot90(photo, 2)) if n in (1, 2) else photo for n, photo in enumerate(photos)
    ]
    seen = [directed(photo) for photo in turned]
    monkeypatch.setattr("blender_recon3d.pipeline.matching.turned_photos.KEYPOINTS", 20)
    assert quarter_turns(seen) == [0, 2, 2, 0, 0, 0]


def test_of_many_photos_only_the_last_few_are_in_memory(monkeypatch, photos):
    """Each is looked at once; the turns are those of photos that are all in memory."""
    monkeypatch.setattr("blender_recon3d.pipeline.matching.turned_photos.ALL_PAIRS", 5)
    monkeypatch.setattr("blender_recon3d.pipeline.matching.turned_photos.STEPS", (1, 2))
    taken = [np.rot90(photos[n % 6], 2 * (n in (4, 5, 9))) for n in range(12)]
    looked, done = [], []
    lazy = DirectedPhotos(12, lambda n: (looked.append(n), np.ascontiguousarray(taken[n]))[1], done.append)
    assert quarter_turns(lazy) == [2 * (n in (4, 5, 9)) for n in range(12)]
    assert looked == list(range(12)) and done == list(range(1, 13))


@pytest.mark.parametrize("turns", range(4))
def test_keypoints_go_back_to_where_they_were(turns):
    photo = np.zeros((40, 60), np.uint8)
    photo[11, 23] = 255  # its center is (23.5, 11.5) in COLMAP's pixels
    copy = np.rot90(photo, turns)
    row, column = np.argwhere(copy)[0]
    back = turned_back(np.array([[column + 0.5, row + 0.5]]), (copy.shape[1], copy.shape[0]), turns)
    assert back.tolist() == [[23.5, 11.5]]


def test_photos_without_features_stay_unchanged():
    assert quarter_turns([directed(np.full((100, 100), 128, np.uint8))] * 3) == [0, 0, 0]
    assert turned_note({"a.jpg": 0}) == "" and "a.jpg is turned" in turned_note({"a.jpg": 2, "b.jpg": 0})


def test_retrieval_treats_photos_upside_down_like_upright_ones(tmp_path):
    images = [cv2.resize(cv2.imread(str(path)), (320, 240)) for path in sorted(PHOTOS.glob("*.jpg"))[:3]]
    settings = PairsSettings(front_end="learned")
    retriever = retriever_of(settings.front_end).open(settings)
    names, found = [f"{number}.png" for number in range(3)], {}
    for kind, turns in (("upright", (0,) * 3), ("turned", (0, 2, 0)), ("new one turned", (0, 0, 2))):
        folder = tmp_path / kind
        folder.mkdir()
        for name, image, turn in zip(names, images, turns, strict=True):
            cv2.imwrite(str(folder / name), np.rot90(image, turn))

        def encoded(names: list[str], *known, folder: Path = folder) -> Encoded:
            photos = Photos(
                names, lambda each: read_gray(folder / each), lambda each: read_rgb(folder / each)
            )
            return encode(photos, retriever.encode, Progress(), *known)

        known = encoded(names[:2]) if kind == "new one turned" else None
        found[kind] = encoded(names, known, {name: name for name in names[:2]}).descriptors
    assert np.abs(found["upright"] - found["turned"]).max() < 1e-3
    assert np.abs(found["upright"] - found["new one turned"]).max() < 1e-3
