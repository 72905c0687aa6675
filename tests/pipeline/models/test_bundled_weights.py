"""The bundled weights: complete, with their cards, free to use, and good enough to be the default."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import cv2
import numpy as np
import pycolmap
import pytest
from safetensors.torch import load_file

from blender_recon3d.pipeline.models.frontend import FeatureExtractor, Matcher
from blender_recon3d.pipeline.models.registry import list_weights
from blender_recon3d.pipeline.models.superglue import LAYERS, layers_of
from blender_recon3d.pipeline.photos.image_files import read_gray
from blender_recon3d.pipeline.settings import default_features
from tests.support.engine import REPOSITORY, recon3d

WEIGHTS = REPOSITORY / "vendor" / "weights"
DEMO = REPOSITORY / "demo"
NETWORKS = ("superpoint", "superglue", "efficientnet_b0", "aliked_descriptors", "lightglue")
MEGABYTES = 65  # that all may take; in the zip two thirds
FREE = ("CC0-1.0", "Apache-2.0", "BSD-3-Clause")


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_has_a_card_that_fits_it(name: str) -> None:
    card = json.loads((WEIGHTS / f"{name}.json").read_text("utf-8"))
    data = (WEIGHTS / f"{name}.safetensors").read_bytes()
    assert card["sha256"] == hashlib.sha256(data).hexdigest()
    assert card["licence"] in FREE and card["commercial_use"] is True
    for field in ("network", "data", "procedure", "budget", "measured", "limits"):
        assert card[field], field


def test_together_they_are_small_enough_to_ship() -> None:
    total = sum((WEIGHTS / f"{name}.safetensors").stat().st_size for name in NETWORKS)
    assert total <= MEGABYTES * 1e6


def test_they_are_the_default_and_listed_as_free() -> None:
    assert default_features("bundled") == "combined"
    rows = {row["network"]: row for row in list_weights() if row["set"] == "bundled"}
    assert all(rows[name]["where"] and rows[name]["commercial"] for name in NETWORKS)


def test_superglue_has_the_published_layout() -> None:
    assert layers_of(load_file(WEIGHTS / "superglue.safetensors")) == LAYERS


def test_matches_of_two_photos_are_on_the_same_points() -> None:
    """By the demo's true cameras: SuperGlue's confident matches are within 3 px of the epipolar line."""
    truth = pycolmap.Reconstruction(DEMO / "truth")
    images = sorted(truth.images.values(), key=lambda image: image.name)[:2]
    photos = [read_gray(DEMO / "photos" / image.name) for image in images]
    features = FeatureExtractor("bundled", "cpu", max_keypoints=1024).extract(photos)
    matches, confidence = Matcher("bundled", "cpu").match([(features[0], features[1])])[0]
    assert len(matches) > 150 and (confidence > 0.2).all()
    first = features[0].keypoints[matches[:, 0]]
    second = features[1].keypoints[matches[:, 1]]
    distance = _epipolar_distance(images, first, second)
    assert (distance[confidence > 0.5] < 3).mean() > 0.75
    assert (distance[confidence > 0.8] < 3).mean() > 0.9


def _epipolar_distance(images: list[pycolmap.Image], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Pixels from the points of the second image to the lines of those of the first."""
    matrices = [image.camera.calibration_matrix() for image in images]
    relative = images[1].cam_from_world() * images[0].cam_from_world().inverse()
    rotation, (x, y, z) = relative.rotation.matrix(), relative.translation
    essential = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ rotation
    fundamental = np.linalg.inv(matrices[1]).T @ essential @ np.linalg.inv(matrices[0])
    lines = np.c_[first, np.ones(len(first))] @ fundamental.T
    return np.abs((np.c_[second, np.ones(len(second))] * lines).sum(1)) / np.hypot(lines[:, 0], lines[:, 1])


def test_a_first_run_needs_no_option_and_no_network(tmp_path: Path) -> None:
    """Four photos of the demo, scaled down, with an empty cache and a dead proxy."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(1, 5):
        name = f"demo_{number:02}.jpg"
        cv2.imwrite(str(photos / name), cv2.resize(cv2.imread(str(DEMO / "photos" / name)), (480, 360)))
    nowhere = "http://127.0.0.1:9"
    environment = {
        **os.environ,
        "RECON3D_CACHE": str(tmp_path / "cache"),
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "http_proxy": nowhere,
        "https_proxy": nowhere,
    }
    output = tmp_path / "workspace"
    ran = recon3d("run", photos, "-o", output, "--until", "sfm", env=environment)
    assert ran.returncode == 0, ran.stderr
    assert "SIFT and SuperPoint features" in ran.stderr
    registered = re.search(r"(\d) of 4 photos registered", ran.stderr)
    assert registered and int(registered[1]) >= 3, ran.stderr
