"""The photos' weights are the same however many photos and vertices are computed at a time."""

from __future__ import annotations

import numpy as np

from blender_recon3d.pipeline.texturing import choice
from blender_recon3d.pipeline.texturing.samples import Samples


def test_blocks_change_nothing(monkeypatch):
    random, side, photos = np.random.default_rng(0), 12, 11
    i, j = np.meshgrid(np.arange(side - 1), np.arange(side - 1))
    a = (i * side + j).ravel()
    faces = np.concatenate(
        [np.stack([a, a + 1, a + side], 1), np.stack([a + 1, a + side + 1, a + side], 1)]
    ).astype(np.int32)
    shape = (side * side, photos)
    seen = random.random(shape) < 0.5
    samples = Samples(
        random.random(shape).astype(np.float16),
        (random.random(shape) * seen).astype(np.float16),
        random.integers(0, 256, (*shape, 3), dtype=np.uint8),
        (20 * random.random(shape)).astype(np.float16),
    )
    gains = np.exp(random.normal(0, 0.1, (photos, 3))).astype(np.float32)
    found = []
    for block, chunk in ((100, 1000), (3, 50)):
        monkeypatch.setattr(choice, "PHOTOS", block)
        monkeypatch.setattr(choice, "CHUNK", chunk)
        found.append(choice.weights(samples, gains, faces, 4.0))
    assert np.array_equal(*found)
    assert np.allclose(np.where(seen, found[0], 0).max(axis=1)[seen.any(axis=1)], 1)
