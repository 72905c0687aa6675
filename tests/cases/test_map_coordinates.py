"""Clouds in map coordinates, millions of meters from the origin: nothing is lost to single precision."""

from pathlib import Path

import numpy as np
import pytest

from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.ply import write_vertices
from blender_recon3d.pipeline.files.ply_mesh import read_mesh, write_mesh
from blender_recon3d.pipeline.meshing.build_mesh import build_mesh
from blender_recon3d.pipeline.settings import MeshSettings

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
