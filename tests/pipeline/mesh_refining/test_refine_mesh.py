"""Photometric refinement on a relief that is known exactly: its photos are ray-traced."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.errors import Cancelled, UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.mesh_refining.agreement import Search
from blender_recon3d.pipeline.mesh_refining.displacement import best_steps, links, moved, smooth
from blender_recon3d.pipeline.mesh_refining.gray_views import GrayView
from blender_recon3d.pipeline.mesh_refining.refine_mesh import PASSES, ROUNDS, refine_mesh, refined_once
from blender_recon3d.pipeline.mesh_refining.subdivision import with_split_edges
from blender_recon3d.pipeline.mesh_refining.surface_views import surface_views
from blender_recon3d.pipeline.meshing.topology import Mesh, areas, boundary, is_watertight, vertex_normals
from tests.support.made_models import made_model, visible
from tests.support.other_device import NAME, OtherDevice
from tests.support.scenes import look_at, noise_texture

WIDTH, HEIGHT, FOCAL = 240, 180, 220.0
INTRINSICS = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1.0]])
SIDE = 1.0  # of the relief, which faces -y
PIXEL = 1.5 / FOCAL  # of a photo on the relief
CPU = torch.device("cpu")


def relief(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Height of the relief: waves of several pixels."""
    return 0.02 * np.sin(11 * x) * np.cos(9 * z)


@cache
def texture() -> np.ndarray:
    return noise_texture(5).mean(axis=2).astype(np.float32)


def photo(pose: np.ndarray, textured: bool = True) -> np.ndarray:
    """uint8 [H, W] of the relief y = -relief(x, z): each pixel's ray is intersected with it."""
    columns, rows = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    rays = np.stack([columns, rows, np.ones_like(columns)], axis=-1) @ np.linalg.inv(INTRINSICS).T
    rays = rays @ pose[:, :3]
    center = -pose[:, :3].T @ pose[:, 3]
    x, z = np.zeros_like(columns), np.zeros_like(columns)
    for _ in range(12):
        far = (-relief(x, z) - center[1]) / rays[..., 1]
        x, z = center[0] + far * rays[..., 0], center[2] + far * rays[..., 2]
    if not textured:
        return np.full((HEIGHT, WIDTH), 128, np.uint8)
    place = [((part / 2 + 0.5) * 768 - 0.5).astype(np.float32) for part in (x, z)]
    return np.rint(cv2.remap(texture(), *place, cv2.INTER_LINEAR)).astype(np.uint8)


def poses() -> list[np.ndarray]:
    return [
        look_at(np.array([x, -1.5, z]), np.zeros(3))
        for x, z in ((-0.5, 0.1), (0.0, -0.4), (0.5, 0.2), (-0.2, 0.5), (0.25, -0.1))
    ]


def views(textured: bool = True) -> list[GrayView]:
    return [
        GrayView(f"{number}.png", photo(pose, textured), INTRINSICS, pose)
        for number, pose in enumerate(poses())
    ]


def sheet(cells: int = 50) -> Mesh:
    """The relief smoothed away: a flat sheet, whose y is to be found."""
    place = np.linspace(-SIDE / 2, SIDE / 2, cells + 1)
    x, z = (part.ravel() for part in np.meshgrid(place, place))
    corner = np.arange((cells + 1) ** 2).reshape(cells + 1, -1)
    a, b, c, d = (
        part.ravel() for part in (corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1])
    )
    faces = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]).astype(np.int32)
    mesh = Mesh(np.stack([x, np.zeros_like(x), z], axis=1), faces)
    return mesh if vertex_normals(mesh)[0, 1] < 0 else Mesh(mesh.vertices, faces[:, ::-1].copy())


def off(mesh: Mesh) -> np.ndarray:
    """How far inner vertices are from the relief, in pixels."""
    x, y, z = mesh.vertices.T
    inner = np.maximum(np.abs(x), np.abs(z)) < 0.4 * SIDE
    return np.abs(y + relief(x, z))[inner] / PIXEL


def write_dense(folder: Path) -> Path:
    """An undistorted workspace with these photos."""
    camera = pycolmap.Camera(
        camera_id=1, model="PINHOLE", width=WIDTH, height=HEIGHT, params=[FOCAL, FOCAL, WIDTH / 2, HEIGHT / 2]
    )
    points = sheet(4).vertices
    model = made_model(poses(), camera, points, visible(poses(), camera, points))
    for name in ("images", "sparse"):
        (folder / name).mkdir()
    model.write(folder / "sparse")
    for number, pose in enumerate(poses()):
        cv2.imwrite(str(folder / "images" / f"view_{number:02d}.png"), photo(pose))
    return folder


def tell(done: int, total: int) -> None:
    pass


def one_round(mesh: Mesh, photos: list[GrayView]) -> tuple[Mesh, dict[str, float]]:
    seen = surface_views(photos, mesh.vertices, vertex_normals(mesh), mesh.faces, 5, Progress())
    return refined_once(mesh, photos, seen, PASSES[0][1], CPU, tell)


def test_a_lost_relief_is_recovered(tmp_path):
    before = sheet()
    assert np.median(off(before)) > 0.8
    mesh, facts = refine_mesh(before, write_dense(tmp_path), 1.0, CPU, Progress())
    assert np.median(off(mesh)) < 0.15  # of a pixel
    assert np.percentile(off(mesh), 95) < 0.6
    assert facts["photos"] == 5 and len(facts["rounds"]) == ROUNDS
    assert facts["rounds"][-1]["agreement"] > 0.9


def test_the_same_twice():
    once, _ = one_round(sheet(30), views())
    again, _ = one_round(sheet(30), views())
    assert np.array_equal(once.vertices, again.vertices)


def test_without_texture_nothing_moves():
    before = sheet(30)
    after, facts = one_round(before, views(textured=False))
    assert np.array_equal(before.vertices, after.vertices) and facts["judged"] == 0


def test_no_photo_is_used_for_what_is_behind_the_surface():
    front = sheet(30)
    behind = Mesh(front.vertices + np.array([0, 0.1, 0]), front.faces)
    both = Mesh(
        np.concatenate([front.vertices, behind.vertices]),
        np.concatenate([front.faces, behind.faces + len(front.vertices)]),
    )
    seen = surface_views(views(), both.vertices, vertex_normals(both), both.faces, 3, Progress())
    chosen = seen.chosen.reshape(2, -1, 3)
    middle = np.abs(front.vertices[:, [0, 2]]).max(axis=1) < 0.3
    assert (chosen[0, middle, 1] >= 0).all() and (chosen[1, middle] < 0).all()
    assert np.allclose(seen.pixel[: len(middle)][middle], PIXEL, rtol=0.25)


def test_a_cancel_is_heeded(tmp_path):
    with pytest.raises(Cancelled):
        refine_mesh(sheet(10), write_dense(tmp_path), 1.0, CPU, Progress(cancelled=lambda: True))


def test_a_missing_photo_is_named(tmp_path):
    (write_dense(tmp_path) / "images" / "view_03.png").unlink()
    with pytest.raises(UserError, match=r"view_03\.png"):
        refine_mesh(sheet(10), tmp_path, 1.0, CPU, Progress())


def test_the_best_step_lies_between_steps_and_an_end_counts_for_nothing():
    steps = Search(1.0, 2, 2, 0.5).steps
    curves = np.stack([1 - 0.1 * (steps - 0.3) ** 2, 0.2 * steps, np.full(5, 0.9)]).astype(np.float32)
    found, counts = best_steps(curves, steps)
    assert found[0] == pytest.approx(0.3, abs=1e-4) and counts[0] == 1
    assert not counts[1:].any() and not found[1:].any()


def test_smoothing_fills_in_from_neighbors_and_keeps_a_step():
    mesh = sheet(20)
    left = mesh.vertices[:, 0] < -1e-6
    wanted = np.where(left, 0.0, 10.0).astype(np.float32)
    counts = np.ones(len(wanted), np.float32)
    counts[::7] = 0  # no evidence here
    found = smooth(
        np.where(counts > 0, wanted, 0),
        counts,
        links(mesh.faces, len(wanted)),
        np.full(len(wanted), 0.5),
        np.ones(len(wanted)),
    )
    assert (np.abs(found - wanted)[counts > 0] < 0.7).mean() > 0.95
    away = np.abs(mesh.vertices[:, 0]) > 0.12
    assert np.abs(found - wanted)[(counts == 0) & away].max() < 1.0


def test_no_face_folds_over():
    mesh = sheet(20)
    random = np.random.default_rng(0)
    after = moved(
        mesh, np.tile([1.0, 0, 0], (len(mesh.vertices), 1)), random.normal(0, 0.05, len(mesh.vertices))
    )
    assert (vertex_normals(after)[:, 1] < 0).all()


def test_split_edges_leave_no_crack_and_keep_to_the_budget():
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    cube = Mesh(corners, np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32))
    assert is_watertight(cube)
    longest = np.where(corners[:, 0] > 0, 0.3, 1.2)
    split = with_split_edges(cube, longest, 1000)
    assert len(split.vertices) > len(corners) and is_watertight(split)
    assert areas(split).sum() == pytest.approx(areas(cube).sum())
    assert len(with_split_edges(cube, longest, 10).vertices) == 10
    assert len(with_split_edges(sheet(4), np.full(25, 0.4), 1000).vertices) == 25
    assert len(boundary(with_split_edges(sheet(4), np.full(25, 0.2), 1000).faces)) == 32


def test_on_another_device_it_is_the_same(tmp_path):
    """On a pretended GPU, where an operation that mixes its tensors with the CPU's fails."""
    folder = write_dense(tmp_path)
    before = sheet(12)
    ours, _ = refine_mesh(before, folder, 1.0, CPU, Progress())
    with OtherDevice():
        theirs, _ = refine_mesh(before, folder, 1.0, torch.device(NAME), Progress())
    np.testing.assert_allclose(ours.vertices, theirs.vertices, atol=1e-4)
