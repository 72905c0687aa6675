"""Clouds in map coordinates, millions of meters from the origin: nothing is lost to single precision."""

from pathlib import Path

import numpy as np
import pytest

from blender_recon3d.pipeline.alignments.camera_alignment import AlignedPhoto, Alignment, Lens
from blender_recon3d.pipeline.alignments.to_model import near_origin
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.ply import write_vertices
from blender_recon3d.pipeline.files.ply_mesh import read_mesh, write_mesh
from blender_recon3d.pipeline.meshing.build_mesh import build_mesh
from blender_recon3d.pipeline.stage_settings import MeshSettings
from tests.support.scenes import ring

UTM = np.array([691_607.25, 5_334_760.5, 519.0])


def sphere(path: Path, offset: np.ndarray, kind: str) -> Path:
    """A ball of radius 2."""
    normals = np.random.default_rng(0).normal(size=(20_000, 3))
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    table = np.empty(len(normals), [(name, kind) for name in "xyz"] + [("n" + name, "<f4") for name in "xyz"])
    for axis, name in enumerate("xyz"):
        table[name], table["n" + name] = 2 * normals[:, axis] + offset[axis], normals[:, axis]
    write_vertices(path, table)
    return path


def meshed(folder: Path, cloud: Path, said: list[str]) -> tuple[np.ndarray, np.ndarray]:
    settings = MeshSettings(region="all", mesh_depth=6)
    progress = Progress(lambda event: said.append(event.message))
    built = build_mesh(cloud, folder / "no model", folder / "work", settings, progress)
    write_mesh(folder / "mesh.ply", *built.mesh)
    vertices, _ = read_mesh(folder / "mesh.ply")
    return np.stack([vertices[name].astype(np.float64) for name in "xyz"], axis=1), vertices


@pytest.mark.parametrize("offset", [np.zeros(3), UTM], ids=["near", "utm"])
def test_a_mesh_is_as_smooth_far_from_the_origin_as_near_it(tmp_path, offset):
    xyz, _ = meshed(tmp_path, sphere(tmp_path / "cloud.ply", offset, "<f8"), [])
    radius = np.linalg.norm(xyz - offset, axis=1)
    assert np.abs(radius - 2).max() < 0.02  # single precision would make steps of half a meter


def test_a_cloud_that_has_lost_it_already_is_told(tmp_path):
    said: list[str] = []
    meshed(tmp_path, sphere(tmp_path / "cloud.ply", UTM, "<f4"), said)
    assert any("single precision, in steps of 0.5" in text for text in said)


def test_cameras_of_other_programs_in_map_coordinates_come_near():
    """What they see stays where it was, to a thousandth of a pixel."""
    far = np.array([447_312.25, 5_428_123.5, 212.0])
    lens = Lens("SIMPLE_PINHOLE", 640, 480, (560.0, 320.0, 240.0))
    points = np.random.default_rng(0).uniform(-0.4, 0.4, (50, 3))
    near = [np.asarray(pose) for pose in ring(5)]
    photos = [
        AlignedPhoto(f"{n}.jpg", lens, np.column_stack([p[:, :3], p[:, 3] - p[:, :3] @ far]))
        for n, p in enumerate(near)
    ]
    found, offset = near_origin(Alignment("Metashape", photos, points + far))
    assert np.abs(offset - far).max() < 10 and np.abs(found.xyz).max() < 10
    for photo, pose in zip(found.photos, near, strict=True):
        local = found.xyz @ photo.cam_from_world[:, :3].T + photo.cam_from_world[:, 3]
        assert np.allclose(local, points @ pose[:, :3].T + pose[:, 3], atol=1e-6)
    same, none = near_origin(found)
    assert same is found and not none.any()
