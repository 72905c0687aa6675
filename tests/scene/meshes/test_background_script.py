"""Work done by another Blender in its own process: the same result as here."""

import subprocess
import sys
from dataclasses import replace

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.pipeline.paths import PACKAGE  # noqa: E402
from blender_recon3d.scene.exporting import export_asset  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from blender_recon3d.scene.meshes import remesh, work_request  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402

SCRIPT = PACKAGE / "scene" / "meshes" / "background_script.py"


@pytest.fixture
def result(tmp_path):
    root = write_workspace(tmp_path / "w", ring())
    return import_workspace(write_mesh_files(root, dome(20), dome(24), texture=32))


def done(folder, things, **words):
    """The script's output, run by this Python, which has Blender as a module."""
    folder.mkdir()
    work_request.write_request(folder, things, words)
    command = [sys.executable, str(SCRIPT), "--", str(PACKAGE), str(folder)]
    subprocess.run(command, check=True, timeout=300)
    return work_request.read_answer(folder)


def test_meshes_return_with_their_uvs_and_the_materials_of_the_source(result, tmp_path):
    source = result.mesh
    materials, images = len(bpy.data.materials), len(bpy.data.images)
    done(tmp_path / "decimate", [source], what=work_request.DECIMATE, faces=300)
    (mesh,) = work_request.read_meshes(tmp_path / "decimate", source)
    assert 200 < len(mesh.polygons) <= 320 and len(mesh.uv_layers) == 1
    assert mesh.materials[0] == source.data.materials[0]
    done(tmp_path / "lods", [source], what=work_request.LODS, levels=3, ratio=0.5)
    lods = work_request.read_meshes(tmp_path / "lods", source)
    here = remesh.lod_meshes(source, 3, 0.5)
    assert [len(mesh.polygons) for mesh in lods] == [len(mesh.polygons) for mesh in here]
    assert (len(bpy.data.materials), len(bpy.data.images)) == (materials, images), "none is there twice"


@pytest.mark.parametrize(("preset", "name"), [("STL", "a.stl"), ("VFX", "a.abc")])
def test_an_export_is_the_file_that_is_written_here(preset, name, result, tmp_path):
    if not export_asset.exporter_of(preset, tmp_path / name).available():
        pytest.skip("this Blender was built without it")
    asset = export_asset.asset_of(result.collection, tmp_path / "there" / name, preset, False, 1.0)
    folder = asset.path.with_name(".recon3d-1")
    words = export_asset.words_of(replace(asset, folder=folder))
    how = done(tmp_path / "work", [asset.source], what=work_request.EXPORT, asset=words)
    here = export_asset.export_asset(result.collection, tmp_path / "here" / name, preset)
    assert how == here.replace("here", "there") and not folder.exists()
    if preset == "STL":
        there, own = ((tmp_path / folder / name).read_bytes()[80:] for folder in ("there", "here"))
        assert there == own
    else:  # the order of objects in an Alembic file is not fixed
        assert objects_in(tmp_path / "there" / name) == objects_in(tmp_path / "here" / name)


def objects_in(path):
    """The names of an Alembic file's objects, and their places and numbers of vertices."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.alembic_import(filepath=str(path), as_background_job=False)
    bpy.context.view_layer.update()
    return {
        obj.name: (
            obj.type,
            len(obj.data.vertices) if obj.type == "MESH" else 0,
            [*map(tuple, obj.matrix_world)],
        )
        for obj in bpy.data.objects
    }


def test_what_fails_there_is_a_message_here(result, tmp_path):
    from blender_recon3d.pipeline.errors import UserError

    asset = export_asset.asset_of(result.collection, tmp_path / "a.stl", "STL", False, 1.0)
    (tmp_path / "file").touch()
    asset = replace(asset, path=tmp_path / "file" / "a.stl")
    with pytest.raises(UserError, match="cannot be written"):
        done(tmp_path / "work", [asset.source], what=work_request.EXPORT, asset=export_asset.words_of(asset))
