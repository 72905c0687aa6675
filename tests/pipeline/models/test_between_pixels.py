"""Keypoints move from their pixel to the corner, but only where there is one."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from blender_recon3d.pipeline.models.between_pixels import STEPS, between_pixels, corner_strength

SIZE = 64
TRUE = np.array([[20.3, 18.7], [41.6, 18.7], [20.3, 44.4], [41.6, 44.4]])  # corners of the rectangle below


def rectangle(left: float, top: float, right: float, bottom: float) -> torch.Tensor:
    """A bright rectangle whose edges are between the pixels, [SIZE, SIZE]."""
    fine = np.full((16 * SIZE, 16 * SIZE), 60, np.uint8)
    edges = [round(16 * (value + 0.5)) for value in (left, top, right, bottom)]
    fine[edges[1] : edges[3], edges[0] : edges[2]] = 200
    return torch.from_numpy(cv2.resize(fine, (SIZE, SIZE), interpolation=cv2.INTER_AREA)).float() / 255


def test_keypoints_find_the_same_place_of_a_corner_from_any_pixel_beside_it() -> None:
    image = rectangle(20.3, 18.7, 41.6, 44.4)
    scores = torch.zeros(SIZE, SIZE)
    found = []
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            start = torch.from_numpy(np.round(TRUE) + np.array([dx, dy])).float()
            found.append(between_pixels(start, image, scores).numpy())
    places = np.stack(found)
    assert np.abs(places - places[0]).max() < 0.02
    # The peak lies a little inside the corner, by as much at each of them.
    inwards = (places[0] - TRUE) * np.sign(TRUE.mean(axis=0) - TRUE)
    assert np.abs(inwards - inwards.mean()).max() < 0.25 and 0 < inwards.mean() < 2


def test_a_shifted_photo_shifts_its_keypoints() -> None:
    scores = torch.zeros(SIZE, SIZE)
    start = torch.from_numpy(np.round(TRUE)).float()
    first = between_pixels(start, rectangle(20.3, 18.7, 41.6, 44.4), scores)
    second = between_pixels(start, rectangle(20.3 + 0.25, 18.7 + 0.5, 41.6 + 0.25, 44.4 + 0.5), scores)
    assert (second - first - torch.tensor([0.25, 0.5])).abs().max() < 0.1


def test_keypoints_stay_where_there_is_no_corner() -> None:
    """On a uniform surface, at a mask, and where a stronger keypoint has already moved."""
    image = rectangle(20.3, 18.7, 41.6, 44.4)
    scores = torch.zeros(SIZE, SIZE)
    plain = torch.tensor([[8.0, 52.0], [55.0, 9.0]])
    assert torch.equal(between_pixels(plain, torch.full((SIZE, SIZE), 0.4), scores), plain)
    corner = torch.tensor([[20.0, 19.0]])
    assert not torch.equal(between_pixels(corner, image, scores), corner)
    masked = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    assert torch.equal(between_pixels(corner, image, scores, masked), corner)
    twice = torch.tensor([[20.0, 19.0], [21.0, 20.0]])
    moved = between_pixels(twice, image, scores)
    assert not torch.equal(moved[0], twice[0]) and torch.equal(moved[1], twice[1])
    assert between_pixels(twice[:0], image, scores).shape == (0, 2)


def test_no_keypoint_moves_far_or_out_of_the_image() -> None:
    generator = torch.Generator().manual_seed(2)
    image, scores = torch.rand(SIZE, SIZE, generator=generator), torch.rand(SIZE, SIZE, generator=generator)
    xy = (torch.rand(300, 2, generator=generator) * (SIZE - 1)).round()
    moved = between_pixels(xy, image, scores)
    assert (moved - xy).abs().max() <= STEPS + 2
    assert moved.min() >= -0.5 and moved.max() <= SIZE - 0.5
    assert torch.isfinite(moved).all()


def test_corners_are_stronger_than_edges() -> None:
    strength = corner_strength(rectangle(20, 20, 44, 44))
    assert strength[20, 20] > 20 * strength[20, 32] and strength[5, 5] < 1e-9
