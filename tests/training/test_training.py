"""The training code: views and reliefs map to each other exactly, and the trained network is the one that ships."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name

from blender_recon3d.pipeline.models.superglue import (
    KeypointSet,
    SuperGlue,
    SuperGlueSettings,
    log_assignment,
)
from blender_recon3d.pipeline.models.superpoint import SuperPoint
from training.photometric import change_light
from training.photos import PhotoStack, load_held_out, load_photos, stack_gray
from training.relief import (
    ReliefSettings,
    _march,
    _march_views,
    _rays,
    project,
    random_scenes,
    render,
)
from training.running import Run, learning_rate
from training.superglue.data import pair_batch, relief_groups, true_matches
from training.superglue.forward import attended
from training.superglue.losses import training_assignment
from training.superglue.network import grown, new_network, published_layout
from training.superglue.taught import targets
from training.superpoint.corners import corner_response, hard_labels, local_maxima, soft_labels
from training.superpoint.losses import descriptor_loss, sample_correspondences
from training.superpoint.network import TrainableSuperPoint, folded
from training.warps import WarpSettings, apply_homography, random_pair, sample_views, warp_map

VIEW = (96, 128)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.fixture(scope="module")
def photos() -> PhotoStack:
    """Two smooth color photos of different shapes."""
    random = np.random.default_rng(0)
    images = []
    for height, width in ((200, 260), (240, 180)):
        coarse = random.integers(0, 255, (height // 12, width // 12, 3), np.uint8)
        images.append(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
    return stack_gray(images, torch.device("cpu"))


def test_two_views_agree_through_their_homography(photos: PhotoStack, generator: torch.Generator) -> None:
    index = torch.tensor([0, 1, 0, 1])
    settings = WarpSettings(crop_scale=(0.8, 1.2))
    first, second = random_pair(photos.sizes[index], VIEW, settings, generator)
    one, _ = sample_views(photos, index, first, VIEW)
    other, valid = sample_views(photos, index, second, VIEW)
    moved, inside = warp_map(one, torch.linalg.inv(first) @ second, VIEW)
    both = inside & valid
    assert both.float().mean() > 0.3
    assert (moved - other).abs()[:, 0][both].mean() < 0.01


def test_a_view_shows_the_photo_where_its_homography_says(photos: PhotoStack) -> None:
    shift = torch.eye(3)[None].clone()
    shift[0, 0, 2], shift[0, 1, 2] = 30, 20
    view, valid = sample_views(photos, torch.tensor([0]), shift, VIEW)
    expected = photos.pixels[0, 20 : 20 + VIEW[0], 30 : 30 + VIEW[1]].float() / 255
    assert valid.all()
    # each pixel is the mean of four samples a quarter of a pixel away
    assert (view[0, 0] - expected).abs().max() < 0.02


def test_a_relief_is_seen_alike_from_all_sides(photos: PhotoStack, generator: torch.Generator) -> None:
    index = torch.tensor([0, 1])
    settings = ReliefSettings(flat=0, depth=0.4)
    scenes = random_scenes(photos, index, 3, VIEW, settings, generator)
    assert float(scenes.relief.amax() - scenes.relief.amin()) > 5  # pixels: there are occlusions
    seen = render(photos, scenes, VIEW)
    points = seen.surface[:, 0].reshape(2, 1, -1, 3).expand(-1, 3, -1, -1)
    xy, depth = project(scenes.cameras, points)
    grid = torch.stack(torch.meshgrid(torch.arange(VIEW[0]), torch.arange(VIEW[1]), indexing="ij"), -1)
    assert (xy[:, 0] - grid.flip(-1).reshape(1, -1, 2)).abs().max() < 0.01
    assert (depth > 0).all()
    size = torch.tensor([VIEW[1] - 1, VIEW[0] - 1])
    at = (xy[:, 1] * 2 / size - 1).view(2, *VIEW, 2)
    there = F.grid_sample(seen.surface[:, 1].permute(0, 3, 1, 2), at, align_corners=True)
    image = F.grid_sample(seen.images[:, 1:2], at, align_corners=True)[:, 0]
    same = (there.permute(0, 2, 3, 1) - seen.surface[:, 0]).norm(dim=-1) < 2
    same &= (at.abs() < 1).all(dim=-1) & seen.valid[:, 0]
    assert same.float().mean() > 0.2
    assert (image - seen.images[:, 0]).abs()[same].mean() < 0.02


def test_true_matches_lie_on_the_same_point(photos: PhotoStack, generator: torch.Generator) -> None:
    network = SuperPoint().eval()
    groups = relief_groups(
        network, photos, torch.tensor([1, 0]), 3, VIEW, 64, 0.5, ReliefSettings(flat=1), generator, False
    )
    scene, a, b = torch.tensor([1]), torch.tensor([0]), torch.tensor([2])
    matches, alone_first, alone_second = (part[0] for part in true_matches(groups, scene, a, b))
    assert set(matches.sum(0).tolist()) <= {0.0, 1.0} and set(matches.sum(1).tolist()) <= {0.0, 1.0}
    first, second = torch.nonzero(matches, as_tuple=True)
    assert len(first) > 0
    apart = (groups.projected[1, 0, 2, first] - groups.keypoints[1, 2, second]).norm(dim=-1)
    assert apart.max() <= 3
    assert not (alone_first[first].any() or alone_second[second].any())
    batch = pair_batch(groups, 2, generator)
    assert batch.first.keypoints.shape == (4, 64, 2) and batch.matches.shape == (4, 64, 64)


def test_light_changes_with_its_strength(photos: PhotoStack, generator: torch.Generator) -> None:
    images = photos.pixels[:, None, :160, :160].float() / 255
    assert torch.equal(change_light(images, 0, generator), images)
    weak = (change_light(images, 0.1, generator) - images).abs().mean()
    strong = (change_light(images, 1.0, generator) - images).abs().mean()
    assert 0 < weak < strong < 0.6


def test_corners_of_a_square_are_labeled() -> None:
    image = torch.zeros(1, 1, 64, 64)
    image[..., 20:45, 19:42] = 1
    response = corner_response(image)
    maxima = torch.nonzero(local_maxima(response)[0, 0] > 0.1)
    expected = torch.tensor([[y, x] for y in (19.5, 44.5) for x in (18.5, 41.5)])
    # the response peaks slightly inside the corner, by no more than its window
    assert torch.cdist(maxima.float(), expected).amin(dim=1).max() < 3
    assert len({tuple(row) for row in (maxima > 32).tolist()}) == 4
    valid = torch.ones(1, 64, 64, dtype=torch.bool)
    classes = hard_labels(response, valid, 0.1)
    assert int((classes < 64).sum()) == 4
    soft = soft_labels(response, valid, 0.05, 2.0)
    assert torch.allclose(soft.sum(dim=1), torch.ones(1, 8, 8))
    assert torch.equal(soft[:, 64] < 0.5, (classes < 64))


def test_normalization_folds_in_exactly() -> None:
    torch.manual_seed(0)
    network = TrainableSuperPoint()
    network.train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.rand(2, 1, 64, 64))
        for norm in network.norms.values():
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.normal_(std=0.1)
    network.eval()
    plain = SuperPoint().eval()
    plain.load_state_dict(folded(network.state_dict()))
    image = torch.rand(1, 1, 64, 80)
    with torch.inference_mode():
        logits, descriptors, _ = network(image)
        expected = plain.dense(image)
    assert torch.allclose(logits, expected[0], atol=1e-4) and torch.allclose(
        descriptors, expected[1], atol=1e-5
    )


def test_right_descriptors_cost_less_than_wrong_ones() -> None:
    torch.manual_seed(0)
    points = F.normalize(torch.randn(2, 20, 256), dim=-1)
    xy = torch.arange(40.0).view(1, 20, 2).expand(2, -1, -1) * 10
    usable = torch.ones(2, 20, dtype=torch.bool)
    loss, right = descriptor_loss(points, points, (xy, xy), usable)
    assert right == 1 and loss < 0.01
    worse, wrong = descriptor_loss(points, points.roll(1, dims=1), (xy, xy), usable)
    assert wrong == 0 and worse > 5


def test_correspondences_follow_the_homography(generator: torch.Generator) -> None:
    homography = torch.eye(3)[None].clone()
    homography[0, 0, 2] = -30  # the left 30 columns of the first view are not in the second
    valid = torch.ones(1, 64, 64, dtype=torch.bool)
    xy, partner, usable = sample_correspondences(
        torch.rand(1, 1, 64, 64), (valid, valid), homography, 40, generator
    )
    assert torch.allclose(partner, apply_homography(homography, xy))
    assert torch.equal(usable, xy[..., 0] >= 30)


def _keypoints(generator: torch.Generator, batch: int = 2, count: int = 40) -> KeypointSet:
    return KeypointSet(
        torch.rand(batch, count, 2, generator=generator) - 0.5,
        torch.rand(batch, count, generator=generator),
        F.normalize(torch.randn(batch, count, 256, generator=generator), dim=-1),
    )


def _trained(layers: int = 4) -> SuperGlue:
    """As after some training: every layer has an effect."""
    torch.manual_seed(1)
    network = new_network(layers)
    with torch.no_grad():
        for layer in network.gnn.layers:
            layer.mlp[-1].weight.normal_(std=0.01)
    return network


@torch.no_grad()
def test_training_computes_what_the_plain_network_computes(generator: torch.Generator) -> None:
    network = _trained()
    first, second = _keypoints(generator), _keypoints(generator)
    expected = network.gnn(network.encode(first), network.encode(second), None, None)
    for ours, plain in zip(attended(network, first, second), expected, strict=True):
        assert torch.allclose(ours.transpose(1, 2), plain, atol=1e-4)
    scores = 6 * torch.randn(2, 40, 40, generator=generator)
    ours = training_assignment(scores, network.bin_score, 40)
    assert torch.allclose(ours, log_assignment(scores, network.bin_score, None, None, 40), atol=1e-3)


@torch.no_grad()
def test_layers_that_were_not_trained_change_nothing(generator: torch.Generator) -> None:
    network = _trained()
    first, second = _keypoints(generator), _keypoints(generator)
    expected = network(first, second)
    published = SuperGlue(SuperGlueSettings(layers=18)).eval()
    published.load_state_dict(published_layout(network.state_dict()))
    assert torch.allclose(published(first, second), expected, atol=1e-4)
    assert torch.allclose(grown(network.state_dict(), 6)(first, second), expected, atol=1e-4)


def test_a_new_matcher_is_nearest_neighbors(generator: torch.Generator) -> None:
    first = _keypoints(generator)
    order = torch.randperm(40, generator=generator)
    second = KeypointSet(first.keypoints[:, order], first.scores[:, order], first.descriptors[:, order])
    network = new_network(2)
    with torch.no_grad():
        network.kenc.encoder[-1].weight.zero_()
        found, confidence = network.match(first, second)
    assert torch.equal(order[found], torch.arange(40).expand(2, -1))
    assert confidence.min() > 0.5


def test_the_learning_rate_rises_stays_and_falls() -> None:
    rates = [learning_rate(step, step / 100, 1.0, 10, 0.4) for step in range(101)]
    assert rates[0] == pytest.approx(0.1) and rates[30] == 1.0
    assert rates[80] == pytest.approx(0.5) and rates[100] == 0.0


def test_a_run_continues_where_it_was_saved(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert run.restore() is None
    run.save({"step": 7, "network": {"weight": torch.ones(2)}})
    state = Run(tmp_path).restore()
    assert state is not None and state["step"] == 7 and not list(tmp_path.glob("*.part"))


def test_photos_are_split_the_same_way_every_time(tmp_path: Path) -> None:
    folder = tmp_path / "train" / "photos"
    folder.mkdir(parents=True)
    for index in range(41):
        cv2.imwrite(str(folder / f"scenery_{index:03}.jpg"), np.full((20, 30, 3), index, np.uint8))
    photos = load_photos(tmp_path)
    alone = load_held_out(tmp_path)
    assert len(alone) == len(photos.held_out)
    assert all(np.array_equal(*pair) for pair in zip(alone, photos.held_out, strict=True))
    assert photos.held_out_names == ["scenery_000.jpg", "scenery_020.jpg", "scenery_040.jpg"]
    assert len(photos.train) == 38
    (folder / "scenery_007.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match=r"scenery_007\.jpg"):
        load_photos(tmp_path)


def test_what_the_teacher_is_not_sure_of_is_not_learned() -> None:
    """Rows: a sure match, a match of two alike, a keypoint without match, one that may have one."""
    probability = torch.tensor(
        [[0.9, 0.01, 0.01, 0.08], [0.01, 0.25, 0.25, 0.49], [0.01, 0.01, 0.01, 0.97], [0.02, 0.1, 0.28, 0.6]]
    )
    below = torch.tensor([[0.05, 0.6, 0.45, 0.0]])
    matches, first, second = targets(torch.cat([probability, below])[None].log())
    assert torch.nonzero(matches[0]).tolist() == [[0, 0]]
    assert float(matches[0, 0, 0]) == pytest.approx(0.9)
    assert first[0].tolist() == [0, 0, 1, 0] and second[0].tolist() == [0, 0, 0]


def test_scenes_of_one_batch_are_those_drawn_alone(photos: PhotoStack) -> None:
    """The march through several reliefs at once, as on a GPU, meets what one at a time meets."""
    settings = ReliefSettings(flat=0.5, depth=0.4)
    scenes = random_scenes(
        photos, torch.tensor([0, 1, 0]), 2, VIEW, settings, torch.Generator().manual_seed(5)
    )
    origin, direction = _rays(scenes.cameras, VIEW)
    alone = _march(scenes.relief, scenes.extent, origin, direction)
    every = scenes.relief.repeat_interleave(2, dim=0)
    together = _march_views(every, scenes.extent, origin.flatten(0, 1)[:, 0], direction.flatten(0, 1))
    torch.testing.assert_close(together.unflatten(0, (3, 2)), alone, atol=1e-3, rtol=1e-4)
