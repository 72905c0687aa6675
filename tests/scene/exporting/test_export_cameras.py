"""Camera export from Blender: untouched ones to the last digit, moved ones as moved, for COLMAP and nerfstudio."""

import json

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")
import numpy as np  # noqa: E402
from mathutils import Matrix  # noqa: E402

from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.scene.exporting.export_cameras import COLMAP, NERFSTUDIO, export_cameras, import_in  # noqa: E402
from blender_recon3d.scene.importing import colmap_files  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from tests.support.made_workspaces import MadeCamera, ring, rotation_matrix, write_workspace  # noqa: E402

CAMERA = MadeCamera(params=(55.123456789012345, 54.2, 29.87, 20.33))


@pytest.fixture
def imported(tmp_path):
    write_workspace(tmp_path / "workspace", ring(5, camera=CAMERA))
    return import_workspace(tmp_path / "workspace")


def exact(workspace):
    return {image.name: image for image in colmap_files.read_model(workspace).images}


def test_untouched_cameras_come_back_to_the_last_digit(tmp_path, imported):
    imported.empty.location = (3, -2, 1)  # a placement is not the model's
    imported.empty.scale = (2.5, 2.5, 2.5)
    said = export_cameras(imported.collection, tmp_path / "out", COLMAP)
    assert said.startswith("Exported 5 cameras")
    model = colmap_files.read_model(tmp_path / "out")
    before = exact(next((tmp_path / "workspace").rglob("images.*")).parent)
    assert {image.name for image in model.images} == set(before)
    for image in model.images:
        # up to rounding: readers normalize quaternions
        assert np.allclose(image.qvec, before[image.name].qvec, rtol=1e-14, atol=1e-16)
        assert image.tvec == before[image.name].tvec
        assert model.cameras[image.camera_id].params == CAMERA.params
    assert len(model.cameras) == 1
    assert len(colmap_files.read_points(tmp_path / "out").xyz) == 0


def test_a_moved_camera_is_written_where_it_is(tmp_path, imported):
    name, camera = next(iter(imported.cameras.items()))
    bpy.context.view_layer.update()
    move = Matrix.Translation((0.3, 0.1, -0.2)) @ Matrix.Rotation(0.4, 4, "Z")
    camera.matrix_basis = move @ camera.matrix_basis
    export_cameras(imported.collection, tmp_path / "out", COLMAP)
    image = next(image for image in colmap_files.read_model(tmp_path / "out").images if image.name == name)
    rotation = rotation_matrix(np.array(image.qvec))
    center = -rotation.T @ np.array(image.tvec)
    assert np.allclose(center, camera.matrix_basis.translation, atol=1e-5)
    looks = np.array(camera.matrix_basis.to_3x3()) @ (0, 0, -1)
    assert np.allclose(rotation.T @ (0, 0, 1), looks, atol=1e-5)
    others = exact(next((tmp_path / "workspace").rglob("images.*")).parent)
    kept = [i for i in colmap_files.read_model(tmp_path / "out").images if i.name != name]
    assert all(i.tvec == others[i.name].tvec for i in kept) and len(kept) == 4


@pytest.mark.parametrize("fit", ["AUTO", "VERTICAL"])
def test_a_changed_lens_is_written(tmp_path, imported, fit):
    camera = next(iter(imported.cameras.values()))
    camera.data.sensor_fit = fit
    from blender_recon3d.scene.cameras import fit_lens

    fit_lens(camera.data)
    camera.data.lens *= 2
    export_cameras(imported.collection, tmp_path / "out", COLMAP)
    model = colmap_files.read_model(tmp_path / "out")
    assert len(model.cameras) == 2
    params = next(item.params for item in model.cameras.values() if item.params != CAMERA.params)
    assert np.allclose(params, (2 * CAMERA.params[0], 2 * CAMERA.params[1], *CAMERA.params[2:]), rtol=1e-5)


def test_nerfstudio_gets_the_same_cameras(tmp_path, imported):
    export_cameras(imported.collection, tmp_path / "out" / "transforms.json", NERFSTUDIO)
    content = json.loads((tmp_path / "out" / "transforms.json").read_text("utf-8"))
    before = exact(next((tmp_path / "workspace").rglob("images.*")).parent)
    assert len(content["frames"]) == 5
    for frame, image in zip(content["frames"], sorted(before.values(), key=lambda i: i.name), strict=True):
        assert frame["fl_x"] == CAMERA.params[0] and (frame["w"], frame["h"]) == (60, 40)
        matrix = np.array(frame["transform_matrix"])
        rotation = rotation_matrix(np.array(image.qvec))
        assert np.allclose(matrix[:3, :3], rotation.T @ np.diag([1, -1, -1]), atol=1e-12)
        assert np.allclose(matrix[:3, 3], -rotation.T @ np.array(image.tvec), rtol=1e-12, atol=1e-12)
        assert frame["file_path"].endswith(image.name)


def test_what_cannot_be_exported_is_one_message(tmp_path, imported):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UserError, match="choose another folder"):
        export_cameras(imported.collection, blocked / "out", COLMAP)
    for camera in imported.cameras.values():
        bpy.data.objects.remove(camera)
    with pytest.raises(UserError, match="has no cameras"):
        export_cameras(imported.collection, tmp_path / "out", COLMAP)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with pytest.raises(UserError, match="import a result first"):
        import_in(bpy.context.scene)
