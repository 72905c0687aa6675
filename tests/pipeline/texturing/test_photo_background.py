"""Background at the edge of a mesh that is a little too wide."""

from __future__ import annotations

import numpy as np

from blender_recon3d.pipeline.texturing.photo_background import background, open_vertices

SIZE, RADIUS, TOO_WIDE = 400, 100, 5  # pixels
NOWHERE = np.zeros((SIZE, SIZE), bool)
BRONZE, SKY = (60, 80, 70), (190, 200, 230)


def off_center() -> np.ndarray:
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    return np.hypot(x - SIZE / 2, y - SIZE / 2)


def photo(inside: tuple, outside: tuple) -> np.ndarray:
    """A disk before a plain background, both with some noise."""
    colors = np.where((off_center() < RADIUS)[..., None], inside, outside)
    grain = np.random.default_rng(0).normal(0, 6, colors.shape)
    return np.clip(colors + grain, 0, 255).astype(np.uint8)


def test_only_the_excess_of_the_mesh_is_background():
    found = background(photo(BRONZE, SKY), off_center() < RADIUS + TOO_WIDE, NOWHERE)
    ring = (off_center() >= RADIUS) & (off_center() < RADIUS + TOO_WIDE)
    assert found[ring].mean() > 0.99 and not found[~ring].any()


def test_a_mesh_of_the_right_size_loses_nothing():
    assert not background(photo(BRONZE, SKY), off_center() < RADIUS, NOWHERE).any()


def test_a_bright_spot_that_does_not_reach_the_outline_stays():
    picture = photo(BRONZE, SKY)
    picture[SIZE // 2 - 3 : SIZE // 2 + 3, SIZE // 2 + RADIUS - 12 : SIZE // 2 + RADIUS - 6] = SKY
    assert not background(picture, off_center() < RADIUS, NOWHERE).any()


def test_colors_that_cannot_be_told_apart_are_left_alone():
    assert not background(photo(BRONZE, BRONZE), off_center() < RADIUS + TOO_WIDE, NOWHERE).any()


def test_a_mesh_that_fills_the_picture_or_is_not_in_it_has_no_background():
    for mesh in (np.ones((SIZE, SIZE), bool), np.zeros((SIZE, SIZE), bool)):
        assert not background(photo(BRONZE, SKY), mesh, NOWHERE).any()


def test_at_an_open_border_the_surface_continues_and_nothing_is_background():
    ring = np.abs(off_center() - RADIUS - TOO_WIDE) < 1
    assert not background(photo(BRONZE, SKY), off_center() < RADIUS + TOO_WIDE, ring).any()


def test_open_vertices_are_those_at_edges_of_one_face():
    fan = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 1]])
    assert open_vertices(fan).tolist() == [1, 2, 3, 4]
    tetrahedron = np.array([[0, 1, 2], [0, 3, 1], [1, 3, 2], [0, 2, 3]])
    assert not len(open_vertices(tetrahedron))
