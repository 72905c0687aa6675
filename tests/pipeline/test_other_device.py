"""Networks, depth and mesh refinement on a device of their own (see `tests.support.other_device`): as on the CPU."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from blender_recon3d.pipeline.models import frontend, matcher
from blender_recon3d.pipeline.mvs import cost, depth_speed, estimate
from blender_recon3d.pipeline.mvs.depth_views import load_scene
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.engine import REPOSITORY
from tests.support.other_device import NAME, OtherDevice

TABLES = {
    frontend: ("PIXELS_PER_BATCH", "RETRIEVAL_BATCH"),
    matcher: ("SCORES_PER_BATCH",),
    cost: ("STRIP_PIXELS",),
}


@pytest.fixture(autouse=True)
def accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pretended device is accepted like a GPU, with the limits of "mps"."""
    for module, names in TABLES.items():
        for name in names:
            monkeypatch.setitem(getattr(module, name), NAME, getattr(module, name)["mps"])
    for module in list(sys.modules.values()):
        if module.__name__.startswith("blender_recon3d.pipeline") and hasattr(module, "select_device"):
            monkeypatch.setattr(module, "select_device", torch.device)


def on_both(compute: Callable[[str], Any]) -> tuple[Any, Any]:
    """What it computes on the CPU and on the pretended device, of which it is given the names."""
    ours = compute("cpu")
    with OtherDevice():
        return ours, compute(NAME)


def test_a_forgotten_move_is_found() -> None:
    with OtherDevice():
        there = torch.ones(3, device=NAME)
        assert float((there + 1).sum()) == 6 and (there[:2] * there[0]).device == torch.device(NAME)
        with pytest.raises(RuntimeError, match="mixed"):
            there + torch.ones(3)


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    files = sorted((REPOSITORY / "demo" / "photos").glob("*.jpg"))[:2]
    return [cv2.resize(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE), (240, 180)) for file in files]


@pytest.mark.parametrize(
    ("extractor", "matching"),
    [
        (frontend.FeatureExtractor, matcher.Matcher),
        (frontend.AlikedFeatureExtractor, matcher.LightGlueMatcher),
    ],
)
def test_features_and_matches(extractor: type, matching: type, pictures: list[np.ndarray]) -> None:
    def compute(device: str) -> tuple[Any, Any]:
        features = extractor("bundled", device, max_keypoints=128, precision="fp32").extract(pictures)
        network = matching("bundled", device, precision="fp32")
        return features, network.match([tuple(network.encode(each) for each in features)])[0]

    (ours, matches), (theirs, other_matches) = on_both(compute)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.keypoints, other.keypoints, atol=1e-3)
        np.testing.assert_allclose(one.descriptors, other.descriptors, atol=1e-4)
    assert len(matches[0]) > 5
    np.testing.assert_array_equal(matches[0], other_matches[0])


def test_retrieval(pictures: list[np.ndarray]) -> None:
    colored = [cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB) for picture in pictures]
    ours, theirs = on_both(lambda device: frontend.RetrievalEncoder("bundled", device).encode(colored))
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_the_speed_of_depth_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depth_speed, "TRIAL", (48, 64))
    with OtherDevice():
        assert depth_speed.measure(NAME, 2) > 0


def test_depth(finished: Workspace) -> None:
    scene, cache = load_scene(finished.dense, 2), estimate.PhotoCache()

    def compute(device: str) -> Any:
        return estimate.estimate_one(scene, 3, cache, torch.device(device), 10_000, lambda: None)

    (depth, normals), (other_depth, other_normals) = on_both(compute)
    both = (depth > 0) & (other_depth > 0)
    assert both.sum() > 0.95 * (depth > 0).sum() > 1000
    assert np.mean(np.abs(depth - other_depth)[both] < 0.005 * depth[both]) > 0.9
    assert np.mean((normals * other_normals).sum(-1)[both] > 0.97) > 0.9
