"""The pair selection network's training and its benchmark: overlap, losses, where it starts, and what is measured."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pycolmap", reason="the engine's environment has pycolmap; Blender's has not")

import torch
from torch import nn

from benchmarks.common.overlap_truth import shared_points
from benchmarks.measure.pair_selection import by_chance, measured
from blender_recon3d.pipeline.models.efficientnet import EfficientNetB0
from training.retrieval import starting_point
from training.retrieval.train import ranking_loss
from training.retrieval.validation import average_precision, recall
from training.retrieval.views import photo_views, vary


def test_parts_of_a_photo_overlap_by_the_places_that_both_show():
    rng = np.random.default_rng(0)
    # a photo whose colors encode each pixel's position
    x, y = np.meshgrid(np.arange(250), np.arange(250))
    photo = np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)
    views = photo_views(rng, photo, 10, 64)
    for first in range(10):
        for second in range(10):
            here, there = (views.images[i].reshape(-1, 3)[:, :2].astype(int) for i in (first, second))
            shown = np.zeros((252, 252), bool)
            for dx in range(-3, 4):  # views are coarser than the photo
                for dy in range(-3, 4):
                    shown[np.clip(there[:, 0] + dx, 0, 251), np.clip(there[:, 1] + dy, 0, 251)] = True
            expected = shown[here[:, 0], here[:, 1]].mean()
            back = views.overlap[first, second]
            assert (back == 0) == (views.overlap[second, first] == 0)
            if first == second:
                assert back == 1
            if back == 0:
                assert expected < 0.2  # the rim that the coarse comparison adds
            if back > 0.6:
                assert expected > 0.4
    assert 10 < (views.overlap == 0).sum() < 80


def test_other_light_keeps_what_is_where():
    rng = np.random.default_rng(0)
    images = torch.rand(4, 3, 8, 8).repeat_interleave(6, 2).repeat_interleave(6, 3)
    changed = vary(images, 0.8, rng)
    assert changed.shape == images.shape and changed.min() >= 0 and changed.max() <= 1
    assert (changed - images).abs().mean() > 0.02
    alike = [
        np.corrcoef(one.mean(0).ravel(), other.mean(0).ravel())[0, 1]
        for one, other in zip(images, changed, strict=True)
    ]
    assert min(alike) > 0.3 and np.mean(alike) > 0.5  # shadows and highlights hide parts of some
    assert torch.equal(vary(images, 0.8, np.random.default_rng(0)), changed)


def test_the_loss_is_least_for_similarities_in_the_order_of_overlap():
    overlap = torch.tensor([[1, 0.8, 0.1, 0], [0.8, 1, 0.3, 0], [0.1, 0.3, 1, 0], [0, 0, 0, 1.0]])
    angles = torch.tensor([0.0, 0.2, 0.6, 3.0])  # neighbors by overlap are neighbors on the circle
    good = torch.stack([angles.cos(), angles.sin()], dim=1)
    shuffled = good[[3, 1, 0, 2]]
    assert ranking_loss(good, overlap, 0.1) < 0.5 * ranking_loss(shuffled, overlap, 0.1)
    # the last image overlaps with nothing, so that its row has no loss, but it is a negative for the others
    alone = ranking_loss(good[:3], overlap[:3, :3], 0.1)
    torch.testing.assert_close(ranking_loss(good, overlap, 0.1), alone, atol=1e-3, rtol=0.05)


def test_b0_computes_what_lite0_does_where_nothing_is_cut_off_at_six(tmp_path):
    torch.manual_seed(0)
    source = EfficientNetB0()
    starting_point._replace_activations(source)
    for module in source.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.0)
            nn.init.uniform_(module.bias, -0.3, 0.5)
    source.train()
    images = torch.randn(8, 3, 64, 64)
    with torch.no_grad():
        for _ in range(15):
            source(images)
    path = tmp_path / "lite0.pth"
    torch.save(_as_published(source.state_dict()), path)
    with torch.no_grad():
        lite, ours = starting_point.lite0(path), starting_point.b0_from_lite0(path)
        similar = (lite(images) * ours(images)).sum(dim=1)
        plain = EfficientNetB0().eval()
        plain.load_state_dict(lite.state_dict(), strict=False)
        naive = (lite(images) * plain(images)).sum(dim=1)
    assert similar.min() > 0.9
    assert naive.max() < similar.min()


def _as_published(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """torchvision's names back to the checkpoint's."""
    result = {}
    layers = {"features.0.0": "_conv_stem", "features.0.1": "_bn0"}
    layers |= {"features.8.0": "_conv_head", "features.8.1": "_bn1"}
    number = 0
    for stage, blocks in enumerate(starting_point.STAGES, start=1):
        for block in range(blocks):
            start = f"features.{stage}.{block}.block"
            kinds = ["depthwise", "project"] if number == 0 else ["expand", "depthwise", "project"]
            for place, kind in enumerate(kinds):
                index = place + (kind == "project")
                layers[f"{start}.{index}.0"] = f"_blocks.{number}._{kind}_conv"
                bn = ["expand", "depthwise", "project"].index(kind)
                layers[f"{start}.{index}.1"] = f"_blocks.{number}._bn{bn}"
            number += 1
    for name, tensor in tensors.items():
        layer, _, kind = name.rpartition(".")
        result[f"{layers[layer]}.{kind}"] = tensor
    return result


def test_recall_counts_what_k_choices_can_find():
    overlapping = np.zeros((5, 5), bool)
    overlapping[0, 1:4] = overlapping[1:4, 0] = True
    perfect = overlapping.astype(float)
    assert recall(perfect, overlapping, 2) == 1
    assert average_precision(perfect, overlapping) == 1
    assert recall(1 - perfect, overlapping, 1) == 0


def test_chance_is_what_random_rankings_find_on_average():
    rng = np.random.default_rng(0)
    truly = rng.random((40, 40)) < 0.2
    truly = np.triu(truly, 1) | np.triu(truly, 1).T
    found = []
    for _ in range(60):
        found.append(
            measured(rng.random((40, 40)), truly, truly, 8)
        )  # every photo draws its own random ranking
    expected = by_chance(truly, 8)
    assert np.mean([recall.pairs for recall in found]) == pytest.approx(expected.pairs, abs=0.02)
    assert np.mean([recall.neighbors for recall in found]) == pytest.approx(expected.neighbors, abs=0.02)
    assert measured(truly.astype(float), truly, truly, 39).pairs == 1


def test_photos_share_points_by_direction_and_not_through_things():
    points = np.zeros((1, 3))
    angles = np.radians([0, 25, 55, 80, 180])
    centers = np.stack([np.sin(angles), np.zeros(5), -np.cos(angles)], axis=1)
    centers = np.concatenate([centers, centers[:1] * 3])
    observed = np.array([[True, False, True, False, False, False]])
    shared = shared_points(points, centers, observed, np.ones((1, 6), bool))
    seen = shared.diagonal()
    # 25 and 80 degrees lie within 30 of those that observed it; behind, and three times as far away, none does
    assert seen.tolist() == [1, 1, 1, 1, 0, 0]
    assert shared[0, 2] == 1
    assert shared[0, 3] == 0  # 80 degrees apart
    assert (shared == shared.T).all()
