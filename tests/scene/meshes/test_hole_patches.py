"""Holes filled by hand: watertight, continuing the curvature, with room in the texture."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

import blender_recon3d  # noqa: E402
from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.scene import picking  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from blender_recon3d.scene.meshes import hole_patches  # noqa: E402
from blender_recon3d.scene.meshes.free_uv_space import taken_cells  # noqa: E402
from blender_recon3d.scene.meshes.mesh_object import triangles_of  # noqa: E402
from blender_recon3d.scene.meshes.open_edges import holes, openness  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402


@pytest.fixture
def holed(empty_blender, tmp_path):
    """A dome of radius 1 in the import's frame without its top, so with two holes; UVs from above."""
    blender_recon3d.register()
    xyz, faces = dome(16)
    top = np.flatnonzero(xyz[:, 1] < -0.9)
    faces = faces[~np.isin(faces, top).any(axis=1)]
    used, faces = np.unique(faces, return_inverse=True)
    mesh = (xyz[used], faces.reshape(-1, 3).astype(np.int32))
    root = write_mesh_files(write_workspace(tmp_path / "w", ring()), mesh, texture=16)
    yield import_workspace(root)
    blender_recon3d.unregister()


def uv_corners(mesh):
    return hole_patches._uv_corners(mesh, mesh.uv_layers[0])


def test_a_clicked_hole_is_filled_as_the_surface_around_bends(holed):
    mesh = holed.mesh
    bpy.context.view_layer.update()
    before = len(mesh.data.vertices)
    world = picking.world_positions(mesh)
    rim = min(holes(triangles_of(mesh.data)[1]), key=lambda loop: triangles_of(mesh.data)[0][loop][0][1])
    assert bpy.ops.recon3d.fill_hole(points=world[rim[3]].tolist()) == {"FINISHED"}
    xyz, faces = triangles_of(mesh.data)
    assert len(holes(faces)) == 1 and openness(faces).crossed == 0
    radius = np.linalg.norm(xyz[before:], axis=1)
    assert len(radius) > 20
    assert radius.max() < 1.02 and radius.min() > 0.95  # a flat lid would be at 0.9
    assert mesh.data.color_attributes["Col"].data[before].color_srgb[3] == pytest.approx(1, abs=0.01)
    # The new faces have a piece of the texture that no other face uses.
    corners = uv_corners(mesh.data)
    old, new = corners[: -(2 * len(radius))], corners[-len(radius) :]
    assert new.min() >= 0 and new.max() <= 1 and np.ptp(new.reshape(-1, 2), axis=0).min() > 0.005
    middles = (new.mean(axis=1) * 512).astype(int)
    assert not taken_cells(old)[middles[:, 1], middles[:, 0]].any()


def test_holes_up_to_a_size_are_filled(holed):
    smallest = min(len(loop) for loop in holes(triangles_of(holed.mesh.data)[1]))
    with pytest.raises(RuntimeError, match=f"smallest one has {smallest}"):
        bpy.ops.recon3d.fill_holes(sides=smallest - 1)
    assert bpy.ops.recon3d.fill_holes(sides=0) == {"FINISHED"}
    assert openness(triangles_of(holed.mesh.data)[1]).watertight
    with pytest.raises(UserError, match="has no holes"):
        hole_patches.fill_holes(holed.collection)


@pytest.mark.parametrize("edges", [3, 4, 7, 100, 1500])
def test_any_rim_is_closed_by_a_disc(edges):
    sizes = hole_patches.ring_sizes(edges)
    faces = np.array(hole_patches.ring_faces(sizes))
    assert faces.max() == sum(sizes) - 1 and len(faces) < 20 * edges + 3000
    assert openness(faces).open == edges and openness(faces).crossed == 0
    assert len(holes(faces)) == 1
    edges_of = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    count = len(np.unique(np.sort(edges_of, axis=1), axis=0))
    assert sum(sizes) - count + len(faces) == 1  # Euler's characteristic of a disc
