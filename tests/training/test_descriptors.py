"""The training of descriptors in ALIKED's space: the teacher's convolution, views, network, losses and the loop."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the engine's environment has torch; Blender's has not")

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from safetensors.torch import load_file, save_file

from blender_recon3d.pipeline.evaluation.truth import read_truth
from blender_recon3d.pipeline.models.aliked_descriptors import AlikedDescriptors, at, half_features
from tests.support.engine import REPOSITORY
from training.descriptors.cache import in_order, photo_lists
from training.descriptors.losses import contrastive_loss, cosine_loss, projected_loss
from training.descriptors.network import first_network, load_superpoint
from training.descriptors.teacher import deformable_convolution
from training.descriptors.train import DescriptorTrainer
from training.descriptors.validation import PAIR_SIZE, epipolar_distances, fundamental_matrix
from training.descriptors.views import MAX_PIXELS, View, cut_view, random_points, read_view, write_view
from training.running import Meter, read_config

SUPERPOINT = REPOSITORY / "vendor" / "weights" / "superpoint.safetensors"
CONFIG = REPOSITORY / "training" / "configs" / "aliked_descriptors.toml"


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def test_deformable_convolution_reads_where_its_offsets_say(generator: torch.Generator) -> None:
    x = torch.randn(2, 3, 9, 11, generator=generator)
    weight, bias = torch.randn(4, 3, 3, 3, generator=generator), torch.randn(4, generator=generator)
    still = torch.zeros(2, 18, 9, 11)
    plain = F.conv2d(x, weight, bias, padding=1)
    torch.testing.assert_close(deformable_convolution(x, still, weight, bias, padding=(1, 1)), plain)
    # all taps one row down and two columns to the right: the convolution of the image moved up and left
    moved = torch.tensor([1.0, 2.0]).repeat(9)[None, :, None, None].expand(2, -1, 9, 11)
    expected = F.conv2d(F.pad(x, (0, 2, 0, 1))[:, :, 1:, 2:], weight, bias, padding=1)
    result = deformable_convolution(x, moved, weight, bias, padding=1)
    torch.testing.assert_close(result[:, :, 1:, 2:-1], expected[:, :, 1:, 2:-1], atol=1e-4, rtol=1e-4)
    # half a pixel between the columns, and every tap at half strength
    aside = torch.tensor([0.0, 0.5]).repeat(9)[None, :, None, None].expand(2, -1, 9, 11)
    mean = 0.5 * (x + F.pad(x, (0, 1))[:, :, :, 1:])
    mask = torch.full((2, 9, 9, 11), 0.5)
    result = deformable_convolution(x, aside, weight, None, padding=1, mask=mask)
    expected = 0.5 * F.conv2d(mean, weight, padding=1)
    torch.testing.assert_close(result[:, :, :, 1:], expected[:, :, :, 1:], atol=1e-4, rtol=1e-4)


def test_values_are_read_at_the_keypoint_on_every_level() -> None:
    """A map whose values are the coordinates of its cells' centers shows where it is read."""
    for cell in (2, 8, 32):
        centers = torch.arange(6) * cell + (cell - 1) / 2
        values = torch.stack(torch.meshgrid(centers, centers, indexing="xy"))[None]
        xy = torch.tensor([[[1.7 * cell, 3.1 * cell], [4 * cell, 2.5 * cell]]])
        torch.testing.assert_close(at(values, xy, cell), xy)


def test_first_network_is_the_simple_head_it_starts_from(tmp_path: Path, generator: torch.Generator) -> None:
    superpoint = load_superpoint(SUPERPOINT)
    shapes = {
        "a": (256, 128, 3, 3), "b": (256, 256, 3, 3), "c": (128, 256, 1, 1), "f": (64, 64, 1, 1), "mix": (128, 192)
    }  # fmt: skip
    head = {}
    for name, shape in shapes.items():
        head[f"{name}.weight"] = 0.05 * torch.randn(shape, generator=generator)
        head[f"{name}.bias"] = 0.05 * torch.randn(shape[0], generator=generator)
    path = tmp_path / "head.safetensors"
    save_file(head, path)
    network = first_network(superpoint, path)
    image, xy = torch.rand(1, 1, 64, 96, generator=generator), torch.tensor([[[10.0, 20.0], [70.5, 33.25]]])
    with torch.no_grad():
        half = half_features(superpoint, image)
        x = F.max_pool2d(half, 2)
        x = F.max_pool2d(F.relu(superpoint.conv3b(F.relu(superpoint.conv3a(x)))), 2)
        x = F.relu(superpoint.conv4b(F.relu(superpoint.conv4a(x))))
        for name in ("a", "b"):
            x = F.relu(F.conv2d(x, head[f"{name}.weight"], head[f"{name}.bias"], padding=1))
        coarse = at(F.conv2d(x, head["c.weight"], head["c.bias"]), xy, 8)
        fine = at(F.conv2d(half, head["f.weight"], head["f.bias"]), xy, 2)
        expected = F.linear(torch.cat([coarse, fine], -1), head["mix.weight"], head["mix.bias"])
        torch.testing.assert_close(network(half, xy), F.normalize(expected, dim=-1), atol=1e-5, rtol=1e-4)
    save_file({"nonsense.weight": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="nonsense"):
        first_network(superpoint, path)


def test_views_fit_the_teacher_and_show_the_photo() -> None:
    """A photo whose colors encode each pixel's position, so that a view shows where it looks."""
    y, x = np.meshgrid(np.arange(250, dtype=np.uint8), np.arange(200, dtype=np.uint8), indexing="ij")
    photo = np.stack([x, y, np.full_like(x, 255)], axis=-1)
    view, valid = cut_view(photo, 0, np.random.default_rng(0))
    assert view.shape == (224, 192, 3) and valid.all()
    assert view[0, 0].tolist() == [4, 13, 255]
    for seed in range(20):
        view, valid = cut_view(photo, 1, np.random.default_rng(seed))
        again, _ = cut_view(photo, 1, np.random.default_rng(seed))
        assert np.array_equal(view, again)
        height, width = valid.shape
        assert height % 32 == width % 32 == 0 and height * width <= MAX_PIXELS
        assert valid.mean() > 0.4
        # within the photo a view is smooth: a border that mirrors turns the direction, which only is beyond it
        steps = np.diff(view[..., 0].astype(int), axis=1)[valid[:, 1:] & valid[:, :-1]]
        assert (steps >= -1).mean() > 0.98
    points = random_points(valid, 50, np.random.default_rng(1))
    assert valid[tuple(np.rint(points).astype(int).T[::-1])].all()


def test_a_view_is_read_as_it_was_written(tmp_path: Path, generator: torch.Generator) -> None:
    view = _view(generator)
    path = tmp_path / "captures" / "place" / "photo.0.npz"
    write_view(view, path)
    read = read_view(path)
    assert read.keypoints == view.keypoints
    for name in ("image", "xy", "descriptors"):
        assert torch.equal(getattr(read, name), getattr(view, name))
    assert [file.name for file in path.parent.iterdir()] == ["photo.0.npz"]


def test_held_out_photos_are_never_learned_from(tmp_path: Path) -> None:
    train = tmp_path / "train"
    for name in [f"captures/{place}/{i}" for place in ("indoor_tum_fr3_office", "street") for i in range(3)]:
        (train / name).parent.mkdir(parents=True, exist_ok=True)
        (train / f"{name}.jpg").touch()
    (train / "photos").mkdir()
    for index in range(45):
        (train / "photos" / f"scenery_{index:03}.jpg").touch()
    views = list(in_order(photo_lists(tmp_path), 3))
    assert len(views) == len(set(views)) == 6 + 3 * (3 + 42)
    learned = {path for name, path, _ in views if name != "held"}
    held = {path for name, path, _ in views if name == "held"}
    assert not learned & held and len(learned) == 3 + 42
    assert {path.stem for path in held} == {"0", "1", "2", "scenery_000", "scenery_020", "scenery_040"}


def test_losses_are_least_at_the_teachers_descriptors(generator: torch.Generator) -> None:
    teacher = F.normalize(torch.randn(40, 128, generator=generator), dim=-1)
    other = F.normalize(teacher + 0.05 * torch.randn(40, 128, generator=generator), dim=-1)
    projection = torch.randn(256, 128, generator=generator)
    xy = 300 * torch.rand(40, 2, generator=generator)
    assert abs(float(cosine_loss(teacher, teacher))) < 1e-6 < float(cosine_loss(other, teacher))
    assert float(projected_loss(teacher, teacher, projection)) == 0
    # with all directions treated equally, the shares of error are the same
    alike = projected_loss(other, teacher, torch.eye(128))
    torch.testing.assert_close(alike, cosine_loss(other, teacher), atol=1e-5, rtol=1e-4)
    right, swapped = (
        contrastive_loss(ours[None], teacher[None], xy[None]) for ours in (teacher, teacher.flip(0))
    )
    assert right < 0.1 < 5 < swapped
    # a duplicate descriptor at one position is not penalized
    twice, places = torch.cat([teacher, teacher])[None], torch.cat([xy, xy + 1])[None]
    assert contrastive_loss(twice, twice, places) < 0.1
    assert contrastive_loss(twice, twice, torch.cat([xy, xy + 50])[None]) > 0.5


def test_distances_to_epipolar_lines_are_those_of_the_true_cameras(tmp_path: Path) -> None:
    """Points seen by two cameras with different lenses are on each other's lines; moved by 3 px, they are not."""
    random = np.random.default_rng(2)
    size = np.array([3072, 2048])
    points = random.uniform([-2, -1.5, 6], [2, 1.5, 10], (30, 3))
    seen = []
    for name, focal, angle, center in (("a.jpg", 2700, 0.0, [0, 0, 0]), ("b.jpg", 2900, 0.2, [-2, 0.3, 0.5])):
        turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
        lens = np.array([[focal, 0, 1520], [0, focal + 9, 1006], [0, 0, 1]])
        rows = [*lens, np.zeros(3), *turn, center, size]
        text = "\n".join(" ".join(map(str, row)) for row in rows)
        (tmp_path / f"{name}.camera").write_text(text, "utf-8")
        rays = (points - center) @ turn @ lens.T
        seen.append((rays[:, :2] / rays[:, 2:] + 0.5) * PAIR_SIZE / size - 0.5)
    matrix = fundamental_matrix(read_truth(tmp_path), ("a.jpg", "b.jpg"), tmp_path)
    assert epipolar_distances(seen[0], seen[1], matrix).max() < 1e-6
    lines = np.hstack([seen[0], np.ones((30, 1))]) @ matrix.T
    across = lines[:, :2] / np.hypot(lines[:, 0], lines[:, 1])[:, None]
    off = epipolar_distances(seen[0], seen[1] + 3 * across, matrix)
    assert (off > 2.99).all() and off.min() < 4


class WithoutTeacher(DescriptorTrainer):
    """The loop on cached views; the validation needs the teacher's package."""

    def make_validation(self, options: argparse.Namespace) -> None:
        return None


def test_descriptors_learn_from_cached_views_and_resume(tmp_path: Path, generator: torch.Generator) -> None:
    for place in ("captures/street", "photos/scenery"):
        write_view(_view(generator), tmp_path / "views" / place / "photo.0.npz")
    options = argparse.Namespace(
        device="cpu", precision="fp32", superpoint=SUPERPOINT, start=None, cache=tmp_path / "views",
        data=tmp_path, output=tmp_path / "run",
    )  # fmt: skip
    config = {**read_config(CONFIG), "steps": 30, "warm_up": 1, "decay": 0.1, "light": 0.2}
    trainer = WithoutTeacher(0, 1, config, options)
    before = {name: tensor.clone() for name, tensor in trainer.superpoint.state_dict().items()}
    losses = []
    for _ in range(12):
        trainer._one_step(Meter())
        trainer.step += 1
        with torch.no_grad():
            losses.append(float(trainer.loss(Meter())))
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])
    for name, tensor in trainer.superpoint.state_dict().items():
        assert torch.equal(tensor, before[name])
    trainer.save()
    again = WithoutTeacher(0, 1, config, options)
    assert again.restore() and again.step == 12
    saved = load_file(tmp_path / "run" / "latest.safetensors")
    AlikedDescriptors().load_state_dict(saved)


def _view(generator: torch.Generator) -> View:
    image = (255 * torch.rand(64, 96, generator=generator)).to(torch.uint8)
    xy = torch.rand(24, 2, generator=generator) * torch.tensor([95.0, 63.0])
    descriptors = F.normalize(torch.randn(24, 128, generator=generator), dim=-1)
    return View(image, xy, descriptors.half(), 12)
