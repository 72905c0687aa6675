"""Light is taken out of colors whose material is known."""

from __future__ import annotations

import numpy as np
import pytest

from blender_recon3d.pipeline.texturing.delight import light_on, to_linear, to_srgb, without_light


@pytest.fixture(scope="module")
def sphere():
    """Normals all around, a material in patches that do not depend on them, and the light of a sky and a warm lamp."""
    generator = np.random.default_rng(0)
    normals = generator.normal(size=(20_000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    material = generator.choice([0.15, 0.3, 0.5], (len(normals), 1)) * [1.0, 0.8, 0.6]
    open_share = np.clip(0.6 + 0.4 * np.sin(7 * normals[:, :1] * normals[:, 1:2]), 0, 1)
    lamp = np.clip(normals @ [0.6, 0.0, 0.8], 0, None)[:, None]
    light = (0.5 + 0.3 * normals[:, 2:]) * [0.8, 0.9, 1.0] + lamp * [0.9, 0.7, 0.5]
    return normals, material, open_share[:, 0], to_srgb(material * light * open_share)


def spread(color: np.ndarray, material: np.ndarray) -> float:
    """How much the light changes linear colors of one material, in logs."""
    ratio = np.log(np.maximum(to_linear(color), 1e-4) / material)
    return float((ratio - ratio.mean(axis=0)).std())


def test_most_of_the_light_is_gone_and_the_material_stays(sphere):
    normals, material, open_share, color = sphere
    light = light_on(color, normals, open_share, np.ones(len(color), bool))
    flat = without_light(color, light, 1.0)
    assert spread(flat, material) < 0.35 * spread(color, material)
    assert spread(without_light(color, light, 0.5), material) < 0.75 * spread(color, material)
    assert np.median(flat) == pytest.approx(np.median(color), rel=0.25)


def test_strength_zero_changes_nothing(sphere):
    normals, _, open_share, color = sphere
    light = light_on(color, normals, open_share, np.ones(len(color), bool))
    np.testing.assert_allclose(without_light(color, light, 0.0), color, atol=0.01)


def test_what_no_photo_shows_does_not_count(sphere):
    normals, _, open_share, color = sphere
    wrong = color.copy()
    wrong[::2] = 255
    seen = np.arange(len(color)) % 2 == 1
    left = light_on(wrong, normals, open_share, seen)
    np.testing.assert_allclose(left, light_on(color, normals, open_share, seen))
