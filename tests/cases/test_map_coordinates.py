"""Clouds in map coordinates, millions of meters from the origin: nothing is lost to single precision."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from blender_recon3d.pipeline.alignments.camera_alignment import AlignedPhoto, Alignment, Lens
from blender_recon3d.pipeline.alignments.map_offset import is_map
from blender_recon3d.pipeline.alignments.to_model import near_origin
from blender_recon3d.pipeline.documents.document_files import write_document
from blender_recon3d.pipeline.documents.placement_json import PlacementDocument
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.exporting.export_cloud import export_cloud
from blender_recon3d.pipeline.files.ply import write_vertices
from blender_recon3d.pipeline.files.ply_mesh import read_mesh, write_mesh
from blender_recon3d.pipeline.meshing.build_mesh import build_mesh
from blender_recon3d.pipeline.meshing.point_cloud import in_frame_of, read_cloud
from blender_recon3d.pipeline.stage_settings import MeshSettings
from blender_recon3d.pipeline.workspace import Workspace
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
    assert np.abs(radius - 2).max() < 0.02  # single precision would cause steps of half a meter


def test_a_cloud_that_has_already_lost_precision_is_reported(tmp_path):
    said: list[str] = []
    meshed(tmp_path, sphere(tmp_path / "cloud.ply", UTM, "<f4"), said)
    assert any("single precision, in steps of 0.5" in text for text in said)


def test_a_cloud_in_the_map_coordinates_of_the_cameras_loses_the_same_offset(tmp_path):
    """It is the offset subtracted from the cameras, so that the photos fit the mesh."""
    cloud = read_cloud(sphere(tmp_path / "cloud.ply", UTM, "<f8"))
    taken = UTM.round(-1)
    near = in_frame_of(cloud, taken)
    assert near is not None and not near.offset.any()
    assert np.abs(np.linalg.norm(near.xyz + (taken - UTM), axis=1) - 2).max() < 1e-4
    assert in_frame_of(cloud, UTM + 50_000) is None and in_frame_of(cloud, np.zeros(3)) is None


def test_a_las_of_imported_cameras_is_on_their_map(tmp_path):
    workspace = Workspace(tmp_path)
    xyz = np.random.default_rng(0).uniform(-3, 3, (50, 3))
    table = np.zeros(50, [(name, "<f4") for name in "xyz"])
    for axis, name in enumerate("xyz"):
        table[name] = xyz[:, axis]
    workspace.dense.mkdir(parents=True)
    write_vertices(workspace.fusion, table)
    write_document(workspace.placement, PlacementDocument(world_from_model=np.eye(4).tolist(), how=""))
    stages = {"sfm": {"state": "done", "summary": {"offset": UTM.tolist()}}, "dense": {"state": "done"}}
    workspace.state_file.write_text(json.dumps({"version": 1, "stages": stages}))
    export_cloud(workspace, tmp_path / "cloud.las")
    bounds = struct.unpack_from("<6d", (tmp_path / "cloud.las").read_bytes(), 179)
    assert bounds[::2] == pytest.approx(xyz.max(axis=0) + UTM, abs=1e-3)


def test_geocentric_coordinates_are_not_map_coordinates():
    assert is_map(UTM) and not is_map(np.zeros(3))
    assert not is_map(np.array([4_177_000.0, 855_000.0, 4_727_000.0]))


def test_cameras_of_other_programs_in_map_coordinates_are_moved_to_the_origin():
    """Projections stay the same, to a thousandth of a pixel."""
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
