"""LightGlue: the same as the published code on the same weights, and the effects of adaptive depth and width."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

pytest.importorskip("torch", reason="the engine's environment has torch; Blender's has not")

import torch
from torch import Tensor

from blender_recon3d.pipeline.models.lightglue import (
    Described,
    LightGlue,
    LightGlueSettings,
    layers_of,
    mutual_best,
    normalize_positions,
)

ALL = LightGlueSettings(layers=3, threshold=0.0, depth_confidence=None, width_confidence=None)
SIZE = (640.0, 480.0)
# By PyPI's scm-lightglue 0.2.9, of `made_tensors` and `made_photos`: the first six of 41 matches.
PUBLISHED_COUNT = 41
PUBLISHED_INDICES = [[0, 0], [1, 1], [2, 2], [3, 3], [4, 4], [5, 5]]
PUBLISHED_SCORES = [2.1318e-06, 0.438823, 0.288625, 0.212599, 0.0854879, 0.150375]


def made_tensors(shapes: dict[str, torch.Size]) -> dict[str, Tensor]:
    """Weights that are the same on every machine, with non-uniform attention."""
    random = np.random.default_rng(7)
    tensors = {}
    for name in sorted(shapes):
        shape = shapes[name]
        values = random.normal(size=shape) * (1.5 / np.sqrt(shape[-1]) if len(shape) > 1 else 0.1)
        if name.endswith("ffn.1.weight"):
            values += 1
        tensors[name] = torch.from_numpy(values.astype(np.float32))
    return tensors


def made_network(settings: LightGlueSettings = ALL) -> LightGlue:
    network = LightGlue(settings).eval()
    network.load_state_dict(made_tensors({name: t.shape for name, t in network.state_dict().items()}))
    return network


def made_photos() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Keypoints in pixels and descriptors of two photos: 40 in common, 8 and 15 not."""
    random = np.random.default_rng(3)
    xy, descriptors = random.uniform(0, 1, (63, 2)) * SIZE, random.normal(size=(63, 128))
    second = np.r_[0:40, 48:63]
    moved = xy[second] + random.normal(size=(55, 2)) + 20
    noisy = descriptors[second] + 0.2 * random.normal(size=(55, 128))
    sides = []
    for points, vectors in ((xy[:48], descriptors[:48]), (moved, noisy)):
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        sides.append((torch.from_numpy(points).float(), torch.from_numpy(unit).float()))
    return sides[0], sides[1]


@pytest.fixture
def photos() -> tuple[Described, Described]:
    first, second = (Described(normalize_positions(xy, SIZE), vectors) for xy, vectors in made_photos())
    return first, second


def test_scores_are_those_of_the_published_code(photos: tuple[Described, Described]) -> None:
    with torch.inference_mode():
        found = made_network()(*photos)
    assert found.indices[:6].tolist() == PUBLISHED_INDICES
    assert len(found.indices) == PUBLISHED_COUNT
    np.testing.assert_allclose(found.scores[:6].numpy(), PUBLISHED_SCORES, rtol=1e-3)


@pytest.mark.skipif(
    importlib.util.find_spec("scm_lightglue") is None,
    reason="training's extra `descriptors` is not installed",
)
@pytest.mark.parametrize("depth", [None, 0.95])
@pytest.mark.parametrize("width", [None, 0.99])
def test_published_weights_give_what_the_package_gives(depth: float | None, width: float | None) -> None:
    from training.descriptors.teacher import _module

    settings = {"depth_confidence": depth or -1, "width_confidence": width or -1, "filter_threshold": 0.0}
    published = _module("lightglue").LightGlue(features="aliked", **settings).eval()
    tensors = {k: v for k, v in published.state_dict().items() if k != "confidence_thresholds"}
    ours = LightGlue(LightGlueSettings(threshold=0.0, depth_confidence=depth, width_confidence=width)).eval()
    ours.load_state_dict(tensors)
    assert layers_of(tensors) == 9
    sides = made_photos()
    data = {
        f"image{i}": {"keypoints": xy[None], "descriptors": vectors[None], "image_size": torch.tensor([SIZE])}
        for i, (xy, vectors) in enumerate(sides)
    }
    with torch.inference_mode():
        theirs = published(data)
        found = ours(*(Described(normalize_positions(xy, SIZE), vectors) for xy, vectors in sides))
    assert torch.equal(found.indices, theirs["matches"][0]) and found.layers == theirs["stop"]
    torch.testing.assert_close(found.scores, theirs["scores"][0], atol=1e-4, rtol=0)


def test_photos_and_keypoints_may_come_in_any_order(photos: tuple[Described, Described]) -> None:
    network = made_network()
    first, second = photos
    order = torch.randperm(len(first.positions), generator=torch.Generator().manual_seed(1))
    mixed = Described(first.positions[order], first.descriptors[order])
    with torch.inference_mode():
        plain, swapped, shuffled = network(first, second), network(second, first), network(mixed, second)
    expected = {tuple(pair) for pair in plain.indices.tolist()}
    assert len(expected) > 20
    assert {(b, a) for a, b in swapped.indices.tolist()} == expected
    assert {(int(order[a]), b) for a, b in shuffled.indices.tolist()} == expected
    torch.testing.assert_close(swapped.scores.sort().values, plain.scores.sort().values, atol=1e-5, rtol=1e-4)


def test_only_relative_positions_of_keypoints_matter(photos: tuple[Described, Described]) -> None:
    network = made_network()
    first, second = photos
    moved = Described(first.positions + torch.tensor([0.3, -0.2]), first.descriptors)
    wider = Described(first.positions * 1.5, first.descriptors)
    with torch.inference_mode():
        plain, shifted, scaled = (network(side, second) for side in (first, moved, wider))
    assert torch.equal(shifted.indices, plain.indices)
    torch.testing.assert_close(shifted.scores, plain.scores, atol=1e-5, rtol=1e-3)
    assert not torch.equal(scaled.indices, plain.indices) or not torch.allclose(scaled.scores, plain.scores)


def test_a_confident_network_stops_early(photos: tuple[Described, Described]) -> None:
    """It then gives the results of a network with that many layers."""
    settings = LightGlueSettings(layers=3, threshold=0.0, depth_confidence=0.95, width_confidence=None)
    network = made_network(settings)
    shorter = LightGlue(
        LightGlueSettings(layers=2, threshold=0.0, depth_confidence=None, width_confidence=None)
    )
    shorter.load_state_dict({k: v for k, v in network.state_dict().items() if k in shorter.state_dict()})
    with torch.inference_mode():
        assert network(*photos).layers == 3
        network.token_confidence[1].token[0].bias.fill_(20)
        early, expected = network(*photos), shorter.eval()(*photos)
    assert early.layers == 2
    assert torch.equal(early.indices, expected.indices) and torch.equal(early.scores, expected.scores)


def test_keypoints_without_a_match_are_forgotten(photos: tuple[Described, Described]) -> None:
    settings = LightGlueSettings(layers=3, threshold=0.0, depth_confidence=None, width_confidence=0.99)
    network = made_network(settings)
    first, second = photos
    with torch.inference_mode():
        network.log_assignment[0].matchability.weight.mul_(10)
        after, _ = network.transformers[0](network._enter(first), network._enter(second))
        kept = set(torch.nonzero(network.log_assignment[0].matchable(after.x) > 0.01)[:, 0].tolist())
        found = network(first, second)
        matched = set(found.indices[:, 0].tolist())
        assert 0 < len(matched) and matched <= kept and 5 < len(kept) < 43
        # unless the network is not confident of them yet
        careful = made_network(
            LightGlueSettings(layers=3, threshold=0.0, depth_confidence=1.0, width_confidence=0.99)
        )
        careful.load_state_dict(network.state_dict())
        assert len(careful(first, second).indices) == len(made_network()(first, second).indices)
        # with no keypoint left, nothing matches
        network.log_assignment[0].matchability.weight.zero_()
        network.log_assignment[0].matchability.bias.fill_(-20)
        assert len(network(first, second).indices) == 0


def test_a_photo_without_keypoints_has_no_matches(photos: tuple[Described, Described]) -> None:
    nothing = Described(torch.empty(0, 2), torch.empty(0, 128))
    found = made_network()(nothing, photos[1])
    assert found.indices.shape == (0, 2) and found.scores.shape == (0,)


def test_matches_are_mutual_and_probable() -> None:
    scores = torch.tensor([[0.6, 0.1, 0.2], [0.5, 0.05, 0.3], [0.01, 0.02, 0.05]]).log()
    rows, columns, probabilities = mutual_best(scores, 0.1)
    assert rows.tolist() == [0] and columns.tolist() == [0]
    torch.testing.assert_close(probabilities, torch.tensor([0.6]))
