"""Slanted planes: from sparse points, through fits, and where photos confirm each other."""

import numpy as np
import pytest
import torch

from blender_recon3d.pipeline.mvs.consistency import confirmations, without_specks
from blender_recon3d.pipeline.mvs.depth_views import View
from blender_recon3d.pipeline.mvs.planes import fit_planes
from blender_recon3d.pipeline.mvs.silhouettes import borrowed
from blender_recon3d.pipeline.mvs.sparse_planes import sparse_planes
from tests.support.scenes import HEIGHT, INTRINSICS, WIDTH, box_scene, depth, ring

CPU = torch.device("cpu")


def view(pose: np.ndarray) -> View:
    return View("photo.jpg", None, WIDTH, HEIGHT, INTRINSICS, pose)


def test_points_on_a_plane_give_the_plane():
    random = np.random.default_rng(0)
    xy = np.concatenate([random.uniform(0, (80, 60), (200, 2)), [[0, 0], [80, 0], [0, 60], [80, 60]]])
    w = 0.2 + 0.004 * xy[:, 0] - 0.002 * xy[:, 1]
    points = np.column_stack([xy, w])
    points[5, 2] *= 3  # a wrong point is left out
    found = sparse_planes(points, 60, 80)
    x, y = np.meshgrid(np.arange(80) + 0.5, np.arange(60) + 0.5)
    seen = found[0] > 0
    assert seen.mean() > 0.95
    assert np.allclose(found[0][seen], (0.2 + 0.004 * x - 0.002 * y)[seen], atol=1e-5)
    assert np.allclose(found[1][seen], 0.004, atol=1e-5) and np.allclose(found[2][seen], -0.002, atol=1e-5)


@pytest.mark.parametrize(
    "points",
    [np.empty((0, 3)), np.ones((4, 3)), np.column_stack([np.arange(40), np.arange(40), np.ones(40)])],
)
def test_too_few_points_or_points_on_a_line_give_no_planes(points):
    assert sparse_planes(points, 20, 30) is None


def test_a_steep_plane_keeps_its_slant_when_fitted_again():
    """Inverse depth that doubles within 25 pixels: an upright fit takes the neighbors for another surface."""
    y = torch.arange(60, dtype=torch.float32)[:, None].expand(60, 50)
    w = 0.1 * (1 + y / 25)
    cost = torch.zeros_like(w)
    slants = (torch.zeros_like(w), torch.full_like(w, 0.1 / 25))
    inner = (slice(6, -6), slice(6, -6))
    fitted, slant_x, slant_y = fit_planes(w, slants, cost, sigma=0.02)
    assert torch.allclose(fitted[inner], w[inner], rtol=1e-4)
    assert torch.allclose(slant_y[inner], slants[1][inner], rtol=0.1)
    upright = fit_planes(w, None, cost, sigma=0.02)[2]
    assert (slant_y[30, 25] - 0.004).abs() < (upright[30, 25] - 0.004).abs()
    assert slant_x.abs().max() < 1e-6


def test_true_depths_confirm_each_other_and_false_ones_do_not():
    faces, poses = box_scene(), ring(13)
    chosen = [poses[index] for index in (6, 5, 7)]
    maps = [torch.from_numpy(depth(faces, pose, place=0.0)).float() for pose in chosen]
    others = [(maps[number], view(chosen[number])) for number in (1, 2)]
    seen = maps[0] > 0
    count = confirmations(maps[0], view(chosen[0]), others, CPU)
    assert float((count[seen] > 0).float().mean()) > 0.9
    assert float(count[~seen].sum()) == 0
    wrong = confirmations(maps[0] * 1.1, view(chosen[0]), others, CPU)
    assert float((wrong[seen] > 0).float().mean()) < 0.02


def test_specks_are_removed_and_slopes_stay():
    y = np.mgrid[:80, :100][0]
    slope = (2.0 + 0.004 * y).astype(np.float32)
    slope[:, 50:] = 4.0
    slope[20:24, 10:15] = 3.0  # 20 pixels at a different depth
    slope[60:, :] = 0
    slope[70:73, 70:73] = 2.5  # 9 pixels alone
    found = without_specks(slope)
    assert (found[20:24, 10:15] == 0).all() and (found[70:73, 70:73] == 0).all()
    kept = slope > 0
    kept[20:24, 10:15] = kept[70:73, 70:73] = False
    assert np.array_equal(found[kept], slope[kept])
    assert not without_specks(np.zeros((5, 5), np.float32)).any()


def test_the_sky_beside_an_edge_borrows_its_depth_and_a_wall_does_not():
    random = np.random.default_rng(0)
    photo = np.full((60, 80), 0.9)  # sky, left of a dark textured object
    photo[:, 40:] = 0.2 + 0.06 * random.standard_normal((60, 40))
    photo = torch.from_numpy(photo).float()
    found = torch.zeros(60, 80)
    found[:, 37:] = 2.0  # matched as far as windows contain the edge
    fringe = borrowed(photo, found, 3)
    assert fringe[5:-5, 37:40].all() and not fringe[:, 43:].any() and not fringe[:, :37].any()
    everywhere = borrowed(
        photo, torch.full_like(found, 2.0), 3
    )  # a plain wall with depth on both sides stays
    assert not everywhere.any()
    assert not borrowed(torch.full((30, 30), 0.5), torch.ones(30, 30), 3).any()
