"""Rasterizing triangles, and unwrapping the mesh."""

from __future__ import annotations

import numpy as np
import pytest

from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.texturing.raster import NOTHING, draw, pixels_of_triangles, planes
from blender_recon3d.pipeline.texturing.texels import texels_of
from blender_recon3d.pipeline.texturing.unwrap import pieces_of, unwrap

WIDTH, HEIGHT = 90, 70
INTRINSICS = np.array([[100.0, 0, WIDTH / 2], [0, 100, HEIGHT / 2], [0, 0, 1]])


def fan(count: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points [N, 2] and the triangles of their Delaunay triangulation, which covers their hull without overlap."""
    from scipy.spatial import Delaunay

    points = np.random.default_rng(seed).uniform(-10, 100, (count, 2))
    points[:20] = np.round(points[:20]) + 0.5  # corners on pixel centers, edges along rows: the hard cases
    return points, Delaunay(points).simplices


def test_each_pixel_of_a_net_of_triangles_belongs_to_exactly_one():
    from scipy.spatial import Delaunay

    points, triangles = fan()
    count = np.zeros((HEIGHT, WIDTH), int)
    for _, column, row in pixels_of_triangles(points[triangles], WIDTH, HEIGHT):
        np.add.at(count, (row, column), 1)
    assert count.max() == 1  # no pixel twice
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    inside = Delaunay(points).find_simplex(np.stack([x, y], -1) + 1e-6, tol=0) >= 0
    # A center on the hull itself may go either way.
    assert (inside != (count == 1)).sum() <= 20


def test_a_pixel_belongs_to_the_triangle_that_its_center_is_in():
    points, triangles = fan(seed=1)
    pixels = 0
    for triangle, column, row in pixels_of_triangles(points[triangles], WIDTH, HEIGHT):
        pixels += len(row)
        corner = points[triangles[triangle]]
        shares = planes(corner, np.broadcast_to(np.eye(3), (len(corner), 3, 3)))
        at = np.stack([column + 0.5, row + 0.5, np.ones(len(row))], axis=1)
        assert np.einsum("fck,fk->fc", shares, at).min() > -1e-9
    assert pixels > 1000


def test_the_nearest_of_two_planes_is_drawn_at_its_exact_depth():
    near = np.array([[-1, -1, 2.0], [1, -1, 3], [1, 1, 4], [-1, 1, 3]])  # a tilted square
    far = np.array([[-9, -9, 5.0], [9, -9, 5], [9, 9, 5], [-9, 9, 5]])
    square = np.array([[0, 1, 2], [0, 2, 3]])
    face, w = draw(
        np.concatenate([far, near]), np.concatenate([square, square + 4]), INTRINSICS, WIDTH, HEIGHT
    )
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    normal = np.cross(near[1] - near[0], near[2] - near[0])
    rays = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(INTRINSICS).T
    depth = (normal @ near[0]) / (rays @ normal)
    on_near = face >= 2
    assert 1000 < on_near.sum() < WIDTH * HEIGHT - 1000
    np.testing.assert_allclose(1 / w[on_near], depth[on_near], rtol=1e-6)  # float32
    far_drawn = (face >= 0) & ~on_near
    np.testing.assert_allclose(1 / w[far_drawn], 5, rtol=1e-6)
    assert (depth[on_near] < 5).all()


def test_what_is_behind_the_camera_or_beside_the_picture_is_not_drawn():
    corners = np.array([[-1, -1, -2.0], [1, -1, -2], [0, 1, -2], [50, 0, 1], [51, 0, 1], [50, 1, 1]])
    face, w = draw(corners, np.array([[0, 1, 2], [3, 4, 5]]), INTRINSICS, WIDTH, HEIGHT)
    assert (face == NOTHING).all() and not w.any()


def bumpy_sphere(count: int) -> tuple[np.ndarray, np.ndarray]:
    u, v = np.meshgrid(
        np.linspace(0.05, np.pi - 0.05, count), np.linspace(0, 2 * np.pi, 2 * count, False), indexing="ij"
    )
    unit = np.stack([np.sin(u) * np.cos(v), np.sin(u) * np.sin(v), np.cos(u)], -1).reshape(-1, 3)
    points = unit * (1 + 0.1 * np.sin(7 * unit[:, :1]) * np.sin(5 * unit[:, 1:2]))
    i, j = (part.ravel() for part in np.meshgrid(np.arange(count - 1), np.arange(2 * count), indexing="ij"))
    a, b = i * 2 * count + j, i * 2 * count + (j + 1) % (2 * count)
    return points, np.concatenate(
        [np.stack([a, a + 2 * count, b], 1), np.stack([b, a + 2 * count, b + 2 * count], 1)]
    )


@pytest.fixture(scope="module")
def unwrapped(tmp_path_factory):
    vertices, faces = bumpy_sphere(40)
    fineness = np.where(vertices[faces].mean(axis=1)[:, 2] > 0, 1.0, 0.5)
    return (
        vertices,
        faces,
        fineness,
        unwrap(vertices, faces, fineness, tmp_path_factory.mktemp("uv"), Progress()),
    )


def test_unwrapping_keeps_the_faces_and_their_corners(unwrapped):
    _, faces, _, result = unwrapped
    assert np.array_equal(result.source[result.faces], faces)
    assert result.uv.min() >= 0 and result.uv.max() <= 1


def test_charts_do_not_overlap(unwrapped):
    _, _, _, result = unwrapped
    size = 1024
    count = np.zeros((size, size), np.int32)
    for _, column, row in pixels_of_triangles(result.uv[result.faces] * float(size), size, size):
        np.add.at(count, (row, column), 1)
    assert (count > 1).sum() < 1e-4 * (count > 0).sum()  # rounding of corners
    assert (count > 0).mean() > 0.4  # the charts cover the texture well


def test_half_the_detail_gets_half_the_texels_per_length(unwrapped):
    vertices, faces, fineness, result = unwrapped
    texels = texels_of(result.uv, result.faces, 1024)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    number = np.diff(texels.start)
    fine, coarse = fineness == 1, fineness == 0.5
    ratio = (number[fine].sum() / area[fine].sum()) / (number[coarse].sum() / area[coarse].sum())
    # Pieces at the border contain faces of both kinds, and get the mean; charts are stretched slightly.
    assert ratio == pytest.approx(4, rel=0.25)


def test_texels_lie_on_their_face(unwrapped):
    _, faces, _, result = unwrapped
    texels = texels_of(result.uv, result.faces, 512)
    every = np.arange(len(faces))
    own, which = texels.of_faces(every)
    shares = np.broadcast_to(np.eye(3), (len(faces), 3, 3))
    found = texels.interpolate(shares, every, own, which)
    assert found.min() > -1e-3 and np.abs(found.sum(axis=1) - 1).max() < 1e-3  # float32 over 512 texels
    assert len(np.unique(texels.row.astype(int) * 512 + texels.column)) == len(texels)


def test_pieces_contain_each_face_once_and_keep_to_the_limit():
    centers = np.random.default_rng(0).normal(size=(1000, 3))
    pieces = pieces_of(centers, 90)
    assert max(map(len, pieces)) <= 90
    assert np.array_equal(np.sort(np.concatenate(pieces)), np.arange(1000))
