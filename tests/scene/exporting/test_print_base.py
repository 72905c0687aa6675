"""Printed from Blender, a mesh that is open below stands on a flat base."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.scene.cleaning.clean_modifier import positions  # noqa: E402
from blender_recon3d.scene.exporting.export_asset import export_asset  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402


def test_the_base_is_flat_and_below_everything(tmp_path):
    root = write_mesh_files(write_workspace(tmp_path / "w", ring()), dome(8), texture=16)
    said = export_asset(import_workspace(root).collection, tmp_path / "dome.stl", "PRINT")
    assert "It is watertight." in said
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.stl_import(filepath=str(tmp_path / "dome.stl"), forward_axis="Y", up_axis="Z")
    (thing,) = bpy.data.objects
    height = positions(thing.data)[:, 2]
    # The dome is 2 m high, in millimeters.
    assert np.ptp(height) == pytest.approx(2000 * 1.02, rel=1e-3)
    assert (height < height.min() + 0.01).sum() == 16 + 1  # the rim's feet, and the middle
