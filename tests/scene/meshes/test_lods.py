"""Levels of detail beside the mesh."""

from itertools import pairwise

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from blender_recon3d.scene.meshes.remesh import make_lods  # noqa: E402
from blender_recon3d.scene.meshes.surfaces import surface_of  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402


@pytest.fixture
def result(tmp_path):
    root = write_workspace(tmp_path / "w", ring())
    return import_workspace(write_mesh_files(root, dome(20), dome(24), texture=32))


def test_each_level_has_half_of_the_faces_and_the_meshs_uvs_and_material(result):
    made = make_lods(result.collection)
    assert [thing.name for thing in made] == ["Recon3D Mesh", *(f"Recon3D Mesh LOD{n}" for n in range(1, 5))]
    counts = [len(thing.data.polygons) for thing in made]
    assert counts[0] == len(dome(20)[1])  # the mesh stays as it is
    for before, after in pairwise(counts):
        assert 0.4 < after / before < 0.6
    for thing in made[1:]:
        assert thing.data.materials[0] == made[0].data.materials[0] and len(thing.data.uv_layers) == 1
        assert thing.hide_get() and thing.parent == made[0].parent
    assert not made[0].hide_get() and surface_of(result.collection) == made[0]


def test_making_levels_again_replaces_them(result):
    make_lods(result.collection)
    make_lods(result.collection, 3, 0.25)
    names = sorted(thing.name for thing in bpy.data.objects if "LOD" in thing.name)
    assert names == ["Recon3D Mesh LOD1", "Recon3D Mesh LOD2"]
    assert sorted(mesh.name for mesh in bpy.data.meshes if "LOD" in mesh.name) == names


@pytest.mark.parametrize(("levels", "ratio"), [(1, 0.5), (9, 0.5), (5, 1.0), (8, 0.05)])
def test_levels_that_cannot_be_made_are_reported_and_change_nothing(result, levels, ratio):
    before = len(bpy.data.objects)
    with pytest.raises(UserError, match=r"use (2 to|at least)"):
        make_lods(result.collection, levels, ratio)
    assert len(bpy.data.objects) == before
