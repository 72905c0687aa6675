"""Depth estimation against a scene whose depth is known exactly, and against COLMAP's own readers."""

import numpy as np
import pytest
import torch

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.ply import read_vertices
from blender_recon3d.pipeline.mvs import cost as cost_module
from blender_recon3d.pipeline.mvs.cascade import cascade, median3
from blender_recon3d.pipeline.mvs.cost import MatchingCost, pooled_means, window_means
from blender_recon3d.pipeline.mvs.depth_maps import map_paths, read_map, write_map, write_maps
from blender_recon3d.pipeline.mvs.depth_views import load_scene
from blender_recon3d.pipeline.mvs.fusion import fuse, read_visibility
from blender_recon3d.pipeline.mvs.plane_sweep import plane_sweep
from blender_recon3d.pipeline.mvs.planes import fit_planes, normals
from tests.support.scenes import HEIGHT, INTRINSICS, WIDTH, box_scene, depth, look_at, render, ring

K = torch.tensor(INTRINSICS)


@pytest.fixture(scope="module")
def scene():
    """One photo, its four neighbors on the ring, and its true depth."""
    faces, poses = box_scene(), ring(13)
    chosen = [poses[index] for index in (6, 5, 7, 4, 8)]
    images = [torch.from_numpy(render(faces, pose).mean(axis=2).astype(np.float32) / 255) for pose in chosen]
    relative = []
    for pose in chosen[1:]:
        rotation = pose[:, :3] @ chosen[0][:, :3].T
        relative.append(torch.tensor(np.column_stack([rotation, pose[:, 3] - rotation @ chosen[0][:, 3]])))
    return images, relative, depth(faces, chosen[0])


@pytest.fixture(scope="module")
def true_map():
    """The true depth map of that photo, as stored on disk."""
    return depth(box_scene(), ring(13)[6], place=0.0)


def cost_at(images, relative, factor, radius):
    shrunk, matrices = [], []
    for image in images:
        small = torch.nn.functional.avg_pool2d(image[None, None], factor)[0, 0]
        shrunk.append(small)
        matrices.append(torch.diag(torch.tensor([1 / factor, 1 / factor, 1.0])).double() @ K)
    return MatchingCost(shrunk[0], shrunk[1:], matrices[0], matrices[1:], relative, radius)


def reference_cost(
    reference: torch.Tensor,
    source: torch.Tensor,
    reference_intrinsics: torch.Tensor,
    source_intrinsics: torch.Tensor,
    relative: torch.Tensor,
    inverse_depth: torch.Tensor,
    radius: int,
    row: int,
    column: int,
) -> float:
    """The cost of one pixel and one source, sample by sample according to the definition."""
    inverse = torch.linalg.inv(reference_intrinsics.double())
    ours, theirs = [], []
    for y in range(row - radius, row + radius + 1):
        for x in range(column - radius, column + radius + 1):
            ray = inverse @ torch.tensor([x + 0.5, y + 0.5, 1.0], dtype=torch.float64)
            point = ray / float(inverse_depth[y, x])
            seen = source_intrinsics.double() @ (relative[:, :3].double() @ point + relative[:, 3].double())
            ours.append(float(reference[y, x]))
            theirs.append(_bilinear(source, float(seen[0] / seen[2]) - 0.5, float(seen[1] / seen[2]) - 0.5))
    one, other = torch.tensor(ours).double(), torch.tensor(theirs).double()
    one, other = one - one.mean(), other - other.mean()
    scale = (
        (one**2).mean().clamp_min(cost_module.VARIANCE_FLOOR)
        * (other**2).mean().clamp_min(cost_module.VARIANCE_FLOOR)
    ).sqrt()
    return float(1 - ((one * other).mean() / scale).clamp(-1, 1))


def _bilinear(image: torch.Tensor, x: float, y: float) -> float:
    left, top = int(x // 1), int(y // 1)
    total = 0.0
    for row, weight_y in ((top, top + 1 - y), (top + 1, y - top)):
        for column, weight_x in ((left, left + 1 - x), (left + 1, x - left)):
            if 0 <= row < image.shape[0] and 0 <= column < image.shape[1]:
                total += weight_x * weight_y * float(image[row, column])
    return total


def test_the_fast_cost_agrees_with_the_definition(scene):
    images, relative, truth = scene
    generator = np.random.default_rng(0)
    noise = torch.from_numpy(generator.uniform(0.97, 1.03, truth.shape))
    w = torch.from_numpy(1 / np.where(truth > 0, truth, 5)) * noise
    fast = MatchingCost(images[0], images[1:2], K, [K], relative[:1], 3)(w.float())
    for _ in range(40):
        row, column = int(generator.integers(200, 440)), int(generator.integers(120, 520))
        slow = reference_cost(images[0], images[1], K, K, relative[0], w, 3, row, column)
        assert float(fast[row, column]) == pytest.approx(slow, abs=2e-3)


def test_the_true_depth_costs_little_and_a_wrong_one_much(scene):
    images, relative, truth = scene
    cost = cost_at(images, relative, 1, 3)
    w = torch.from_numpy(1 / np.where(truth > 0, truth, 5)).float()
    seen = torch.from_numpy(truth > 0)
    assert float(cost(w)[seen].median()) < 0.1
    assert float(cost(w * 1.1)[seen].median()) > 0.4


@pytest.mark.parametrize("radius", [1, 2, 3, 5])
def test_window_means_are_the_means_over_the_windows(radius):
    values = torch.rand(2, 20, 30, generator=torch.manual_seed(0))
    for means in (window_means, pooled_means):  # the processor's way, and that of other devices
        found = torch.stack(means(list(values), radius))
        rows, columns = slice(8 - radius, 9 + radius), slice(11 - radius, 12 + radius)
        assert torch.allclose(found[:, 8, 11], values[:, rows, columns].mean(dim=(1, 2)), atol=1e-6)
        corner = values[0, : radius + 1, : radius + 1].clone()
        repeated = torch.nn.functional.pad(corner[None], (radius, 0, radius, 0), mode="replicate")
        assert torch.allclose(found[0, 0, 0], repeated.mean(), atol=1e-6)


def test_the_cost_is_the_same_in_strips_of_any_height(scene, monkeypatch):
    images, relative, truth = scene
    w = torch.from_numpy(1 / np.where(truth > 0, truth, 5)).float()
    whole = cost_at(images, relative, 1, 3)(w)
    monkeypatch.setitem(cost_module.STRIP_PIXELS, "cpu", 5 * WIDTH)
    torch.testing.assert_close(cost_at(images, relative, 1, 3)(w), whole, atol=2e-4, rtol=0)


def test_the_median_network_is_the_median():
    values = torch.rand(17, 23, generator=torch.manual_seed(1))
    found = median3(values)
    for row, column in ((1, 1), (8, 10), (15, 21)):
        assert found[row, column] == values[row - 1 : row + 2, column - 1 : column + 2].median()


def test_a_plane_is_fitted_exactly_and_its_normal_is_right():
    """A plane n.X = d in front of the camera, rendered as inverse depth."""
    normal = np.array([0.3, -0.5, -0.8])
    normal /= np.linalg.norm(normal)
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    rays = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(INTRINSICS).T
    w = torch.from_numpy(rays @ normal / (normal @ np.array([0.0, 0, 2.0]))).float()
    fitted, slant_x, slant_y = fit_planes(w, None, torch.zeros_like(w), sigma=0.05)
    inner = (slice(8, -8), slice(8, -8))
    assert torch.allclose(fitted[inner], w[inner], rtol=1e-4)
    found = normals(fitted, slant_x, slant_y, K)[inner].numpy()
    assert np.degrees(np.arccos(np.clip(found @ normal, -1, 1))).max() < 3.0


@pytest.fixture(scope="module")
def estimates(scene):
    """(depth, normal, cost) by both methods."""
    images, relative, _ = scene
    near, far = 1.3, 4.5
    with torch.inference_mode():
        return {
            "sweep": plane_sweep(cost_at(images, relative, 1, 3), K, near, far, 64),
            "cascade": cascade(
                lambda f, r: cost_at(images, relative, f, r), K, (HEIGHT, WIDTH), near, far, np.empty((0, 3))
            ),
        }


@pytest.mark.parametrize(("method", "share"), [("sweep", 0.75), ("cascade", 0.88)])
def test_depth_is_found_where_the_scene_can_be_seen(true_map, estimates, method, share):
    truth = true_map
    found, normal, _ = estimates[method]
    seen = (truth > 1.3) & (truth < 4.5)
    seen[:, :40] = seen[:, -40:] = False  # what leaves the neighbors' photos
    error = np.abs(found.numpy() - truth)[seen] / truth[seen]
    assert (error < 0.01).mean() > share
    assert np.allclose(np.linalg.norm(normal.numpy(), axis=-1), 1, atol=1e-4)
    assert (normal[..., 2].numpy()[seen] < 0).mean() > 0.95  # they face the camera


def test_the_cascade_is_closer_than_the_sweep(true_map, estimates):
    truth = true_map
    seen = (truth > 1.3) & (truth < 4.5)
    close = {
        name: np.mean(np.abs(depth.numpy() - truth)[seen] < 0.001 * truth[seen])
        for name, (depth, _, _) in estimates.items()
    }
    assert close["cascade"] > close["sweep"]


def test_maps_are_what_colmap_reads(tmp_path):
    values = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    normal = np.random.default_rng(1).random((5, 7, 3)).astype(np.float32)
    write_maps(tmp_path, "a.jpg", values, normal)
    depth_path, normal_path = map_paths(tmp_path, "a.jpg")
    assert np.array_equal(read_map(depth_path)[..., 0], values)
    assert np.array_equal(read_map(normal_path), normal)
    theirs = pycolmap.DepthMap()
    theirs.read(depth_path)
    assert np.array_equal(theirs.to_array(), values)
    depth_path.write_bytes(depth_path.read_bytes()[:-3])
    with pytest.raises(UserError, match=r"a\.jpg\.geometric\.bin"):
        read_map(depth_path)


def test_maps_that_contradict_each_other_fuse_to_nothing_and_are_reported(workspace):
    scene = load_scene(workspace.dense, 4)
    names = [view.name for view in scene.views]
    assert all(3 <= len(neighbors) <= 4 for neighbors in scene.neighbors)
    for view in scene.views:
        write_map(map_paths(workspace.dense, view.name)[0], np.ones((view.height, view.width, 1), np.float32))
    with pytest.raises(UserError, match="do not agree on any dense point"):
        fuse(workspace.dense, names, 5, 1.0, 4.0, Progress())


def test_the_fused_cloud_carries_its_number_of_views(finished):
    counts = read_visibility(finished.dense / "fusion.ply.vis")[0]
    head = finished.fusion.read_bytes()[:400].split(b"end_header\n")[0].decode()
    assert "property uchar views" in head
    assert f"element vertex {len(counts)}" in head
    assert counts.min() >= 3 and counts.max() <= 8
    model = pycolmap.Reconstruction()
    model.import_PLY(finished.fusion)  # COLMAP reads it, the extra property notwithstanding
    assert model.num_points3D() == len(counts)


def test_the_spacing_says_how_dense_the_cloud_is(finished, workspace):
    """Twice as far apart: about a quarter of the points."""
    names = [view.name for view in load_scene(workspace.dense, 4).views]
    dense, sparse = (len(fuse(workspace.dense, names, 3, spacing, 4.0, Progress())) for spacing in (1.0, 2.0))
    assert dense == len(read_vertices(finished.fusion)) and 0.2 * dense < sparse < 0.6 * dense


def test_the_cloud_lies_on_the_true_surface(finished, poses):
    """From photos to cloud: aligned with the true cameras, points lie on the box and the ground."""
    model = pycolmap.Reconstruction(finished.model)
    ours = {model.image(i).name: model.image(i).projection_center() for i in model.reg_image_ids()}
    names = sorted(ours)
    truth = np.array([-pose[:, :3].T @ pose[:, 3] for pose in poses])
    transform = pycolmap.estimate_sim3d(np.array([ours[name] for name in names]), truth)
    cloud = pycolmap.Reconstruction()
    cloud.import_PLY(finished.fusion)
    xyz = np.array([point.xyz for point in cloud.points3D.values()])
    xyz = xyz @ (transform.scale * transform.rotation.matrix()).T + transform.translation
    low, high = np.array([-0.45, -0.7, -0.3]), np.array([0.45, 0.0, 0.3])
    outside = np.maximum(np.maximum(low - xyz, xyz - high), 0)
    inside = np.minimum(xyz - low, high - xyz).min(axis=1)
    to_box = np.where(inside > 0, inside, np.linalg.norm(outside, axis=1))
    distance = np.minimum(np.abs(xyz[:, 1]), to_box)
    assert np.median(distance) < 0.003  # meters; a pixel is 3.6 mm at 2 m
    assert (distance < 0.02).mean() > 0.95


def test_neighbors_see_the_same_things_from_a_good_angle(finished):
    scene = load_scene(finished.dense, 4)
    assert all(far > near > 0 for near, far in scene.ranges)
    for number, neighbors in enumerate(scene.neighbors):
        steps = np.abs(np.array(neighbors) - number)
        assert steps.max() <= 5, "photos from the far end of the ring are not neighbors"
        assert number not in neighbors and len(neighbors) >= 3


def test_a_level_camera_is_level():
    """The scene's own ground truth: a point straight ahead projects to the image's middle."""
    pose = look_at(np.array([0, -1.0, -3]), np.array([0, 0.0, 0]))
    point = pose[:, :3] @ np.zeros(3) + pose[:, 3]
    assert np.allclose(point[:2], 0, atol=1e-12) and point[2] > 0
