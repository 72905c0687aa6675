"""The renders used as ground truth in training: their depth, their colors and the mapping from view to view."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the engine's environment has torch; Blender's has not")

import cv2
import torch

from training.rendering.cameras import Camera, intrinsics, look_at
from training.rendering.raster import project, rasterize
from training.rendering.scenes import Scene, make_scene
from training.rendering.surfaces import Scan, merge, place, sheet
from training.rendering.textures import Atlas, pyramid
from training.renders import (
    Light,
    RenderedScene,
    correspondences,
    load_renders,
    render_scene,
    render_view,
    save,
)
from training.retrieval.views import corner_overlaps

SIZE = (160, 120)
EVEN = Light(np.array([0.0, 0.0, 1.0]), np.ones(3), np.zeros(3))


def photo(rng: np.random.Generator) -> np.ndarray:
    """Colored clouds: texture at every scale down to a few pixels."""
    picture = np.zeros((200, 200, 3), np.float32)
    for cells, strength in ((4, 90), (16, 50), (40, 30)):
        picture += strength * cv2.resize(rng.random((cells, cells, 3)).astype(np.float32), (200, 200))
    return picture.clip(0, 255).astype(np.uint8)


def dome(rng: np.random.Generator) -> Scan:
    """A scan of a hill on a square."""
    side = np.linspace(-1, 1, 41)
    heights = 0.05 * np.clip(1 - side[:, None] ** 2 - side**2, 0, None)
    corner = np.array([-0.05, -0.05, 0])
    surface = sheet(heights, corner, np.array([0.1, 0, 0]), np.array([0, 0.1, 0]), [[0]])
    return Scan("dome", surface, pyramid(photo(rng)))


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(3)
    return make_scene(rng, [dome(rng)], [photo(rng) for _ in range(6)], SIZE, 4)


def stacked(views, first: int, second: int) -> list[torch.Tensor]:
    values = []
    for index in (first, second):
        view = views[index]
        for array in (view.depth, view.intrinsics, view.cam_from_world):
            values.append(torch.from_numpy(array.astype(np.float64))[None])
    return values


def test_every_pixel_sees_the_triangle_that_its_ray_hits_first():
    rng = np.random.default_rng(0)
    vertices = rng.uniform(-1, 1, (60, 3))
    faces = np.arange(60).reshape(20, 3)
    faces = np.concatenate([faces, faces[:, ::-1]])  # both sides
    camera = Camera(
        intrinsics((40, 30), 0.9), look_at(np.array([0.3, -4.0, 0.5]), np.zeros(3), 0.1), (40, 30)
    )
    seen = rasterize(project(vertices, camera.intrinsics, camera.cam_from_world), faces, camera.size)

    columns, rows = np.meshgrid(np.arange(40), np.arange(30))
    pixels = np.stack([columns, rows, np.ones_like(rows)], axis=-1).reshape(-1, 3)
    rays = pixels @ np.linalg.inv(camera.intrinsics).T
    corners = (vertices @ camera.cam_from_world[:, :3].T + camera.cam_from_world[:, 3])[faces[:20]]
    nearest = np.full(len(rays), np.inf)
    for corner in corners:  # ray = s (corners) with barycentric s, up to scale
        weights = np.linalg.solve(corner.T, rays.T).T
        depth = 1 / weights.sum(axis=1)
        nearest = np.where((weights >= 0).all(axis=1) & (depth < nearest), depth, nearest)
    hit = np.isfinite(nearest)
    assert hit.sum() > 200
    assert np.array_equal(seen.face.ravel() >= 0, hit)
    # planes over pixels and intersections of rays are the same numbers up to rounding
    np.testing.assert_allclose(1 / seen.inverse_depth.ravel()[hit], nearest[hit], rtol=1e-9)


def test_points_of_one_view_are_on_the_surface_of_another_and_look_the_same(scene):
    views = [render_view(scene, camera, EVEN) for camera in scene.cameras]
    rng = np.random.default_rng(1)
    compared = 0
    for first, second in ((0, 1), (1, 2), (2, 0)):
        xy = torch.from_numpy(rng.integers(0, SIZE, (4000, 2))).double()[None]
        to, visible = correspondences(*stacked(views, first, second), xy)
        there = to[0][visible[0]].numpy().astype(np.float32)
        here = xy[0][visible[0]].numpy().astype(np.float32)
        compared += len(here)
        one = cv2.remap(views[first].image, here[:, None], None, cv2.INTER_LINEAR)[:, 0].astype(float)
        other = cv2.remap(views[second].image, there[:, None], None, cv2.INTER_LINEAR)[:, 0].astype(float)
        difference = np.abs(one - other).mean(axis=1)
        # the texture's contrast is about 30; the remaining difference is sharpness at another distance
        assert np.median(difference) < 4
        unrelated = np.abs(one - np.roll(other, 97, axis=0)).mean(axis=1)
        assert np.median(unrelated) > 4 * np.median(difference)
    assert compared > 1000


def test_mapping_to_another_view_and_back_is_the_identity(scene):
    views = [render_view(scene, camera, EVEN) for camera in scene.cameras]
    generator = torch.Generator().manual_seed(0)
    limit = torch.tensor([SIZE[0] - 1.0, SIZE[1] - 1.0], dtype=torch.float64)
    xy = torch.rand(1, 4000, 2, generator=generator, dtype=torch.float64) * limit
    there, seen = correspondences(*stacked(views, 0, 1), xy)
    back, again = correspondences(*stacked(views, 1, 0), there)
    both = (seen & again)[0]
    assert both.sum() > 500
    distance = (back - xy)[0][both].norm(dim=1)
    # inverse depth between pixels is exact on each triangle, not across the ridges between them
    assert distance.median() < 0.02
    assert distance.quantile(0.99) < 0.5


def test_what_is_behind_something_is_not_visible():
    wall = sheet(
        np.zeros((2, 2)), np.array([-2.0, 1, -2]), np.array([4.0, 0, 0]), np.array([0, 0, 4.0]), [[0]]
    )
    board = sheet(
        np.zeros((2, 2)), np.array([-0.5, 0, -0.5]), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]), [[0]]
    )
    texture = Atlas([pyramid(photo(np.random.default_rng(0)))])
    cameras = [
        Camera(intrinsics(SIZE, 1.0), look_at(np.array(eye), np.array([0.0, 1, 0])), SIZE)
        for eye in ([-1.5, -2.0, 0.0], [1.5, -2.0, 0.0])
    ]
    scene = Scene(merge([wall, board]), texture, cameras, np.zeros(3))
    views = [render_view(scene, camera, EVEN) for camera in cameras]
    # the wall at (-0.3, 1, 0) is in the open from the left; from the right the board stands before it
    hidden, free = np.array([[-0.3, 1.0, 0.0]]), np.array([[0.0, 1.0, 0.9]])
    for point, expected in ((hidden, False), (free, True)):
        projected = [project(point, camera.intrinsics, camera.cam_from_world)[0] for camera in cameras]
        xy = torch.from_numpy(projected[0][:2])[None, None]
        to, visible = correspondences(*stacked(views, 0, 1), xy)
        assert bool(visible) == expected
        np.testing.assert_allclose(to[0, 0].numpy(), projected[1][:2], atol=0.01)


def test_overlap_is_large_nearby_and_zero_on_the_other_side_or_too_far_around():
    rng = np.random.default_rng(5)
    surface = dome(rng).surface
    both_sides = [surface, place(surface, -1, 0, np.array([0, 0, -0.01], np.float32), 0)]
    both_sides[1].faces = both_sides[1].faces[:, ::-1]
    scene = Scene(
        merge(both_sides),
        Atlas([pyramid(photo(rng))]),
        [
            Camera(intrinsics(SIZE, 0.6), look_at(np.array(eye), np.zeros(3)), SIZE)
            for eye in ([0.03, 0, 0.2], [0.05, 0.02, 0.19], [0.03, 0, -0.2], [-0.18, 0, 0.08])
        ],
        np.zeros(3),
    )
    shares = corner_overlaps(render_scene(scene, rng, "dome"))
    assert min(shares[0, 1], shares[1, 0]) > 0.8
    assert shares[0, 2] == shares[2, 0] == 0
    assert shares[0, 3] < 0.2  # the same side, but 75 degrees around it


def test_saved_scenes_are_read_with_their_depth(scene, tmp_path):
    rendered = render_scene(scene, np.random.default_rng(0), "one")
    save(rendered, tmp_path)
    (loaded,) = load_renders(tmp_path)
    assert isinstance(loaded, RenderedScene)
    assert np.array_equal(loaded.images, rendered.images)
    near = rendered.depths.min(axis=(1, 2), where=rendered.depths > 0, initial=np.inf)[:, None, None]
    # 65,535 steps of inverse depth: half a step at depth z is z / near / 131,070 of it
    allowed = rendered.depths / near / 131070 * 1.05 + 1e-6
    assert (np.abs(loaded.depths - rendered.depths) <= allowed * rendered.depths).all()


def test_a_seed_gives_the_same_pictures_again():
    def render(seed: int) -> np.ndarray:
        rng = np.random.default_rng([seed, 1])
        scan = dome(rng)
        made = make_scene(rng, [scan], [photo(rng) for _ in range(6)], SIZE, 2)
        return render_scene(made, rng, "x").images

    assert np.array_equal(render(1), render(1))
    assert not np.array_equal(render(1), render(2))
