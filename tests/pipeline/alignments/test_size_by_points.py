"""Projects that do not say how large their photos are, for photos of another size."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.alignments.camera_writers import WRITERS
from blender_recon3d.pipeline.alignments.photo_names import PhotoNames
from blender_recon3d.pipeline.alignments.read_alignment import read_alignment
from blender_recon3d.pipeline.alignments.size_by_points import size_ratio
from tests.pipeline.alignments.test_round_trips import SIZE, an_alignment
from tests.pipeline.alignments.test_take_alignment import entry


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Photos of noise whose keypoints are the observations of an alignment that is as large as they are."""
    folder = tmp_path_factory.mktemp("photos")
    noise = np.random.default_rng(0)
    made = an_alignment("PINHOLE")
    seen = []
    for number, photo in enumerate(made.photos):
        blocks = noise.integers(0, 256, (SIZE[1] // 8, SIZE[0] // 8), np.uint8)
        picture = cv2.GaussianBlur(blocks.repeat(8, axis=0).repeat(8, axis=1), (0, 0), 2)
        cv2.imwrite(str(folder / photo.name), picture)
        corners = [keypoint.pt for keypoint in cv2.SIFT.create(300).detect(picture, None)]
        seen += [(number % 60, number, *pixel) for pixel in corners]
    table = np.array(seen)
    alignment = replace(
        made, point=np.arange(len(table)) % 60, photo=table[:, 1].astype(int), pixel=table[:, 2:]
    )
    entries = [replace(entry(f"/p/{photo.name}"), name=photo.name) for photo in made.photos]
    return folder, alignment, entries


@pytest.mark.parametrize("kind", ["bundler", "nvm"])
@pytest.mark.parametrize("ratio", [1.77, 1.0, 0.5])
def test_the_points_say_how_large_the_photos_were(photos, kind, ratio, tmp_path):
    folder, alignment, entries = photos
    size = tuple(round(side * ratio) for side in SIZE)
    lens = replace(alignment.photos[0].lens, width=size[0], height=size[1],
                   params=(500 * ratio, 500 * ratio, size[0] / 2, size[1] / 2))  # fmt: skip
    larger = replace(
        alignment,
        photos=[replace(photo, lens=lens) for photo in alignment.photos],
        pixel=alignment.pixel * ratio,
    )
    path = tmp_path / ("bundle.out" if kind == "bundler" else "a.nvm")
    WRITERS[kind](path, larger)
    found = read_alignment(path, PhotoNames(entries).size)
    assert found.assumed_size
    assert size_ratio(found, entries, folder) == pytest.approx(ratio, rel=1e-3)


def test_points_that_fit_nowhere_change_nothing(photos):
    folder, alignment, entries = photos
    noise = np.random.default_rng(1).uniform(-1, 2, alignment.pixel.shape) * SIZE
    assert size_ratio(replace(alignment, pixel=noise), entries, folder) == 1.0
