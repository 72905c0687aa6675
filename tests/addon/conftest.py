"""Each test has the add-on registered in an empty Blender. Run with an environment that has bpy."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def addon():
    """The registered package; bpy's state is reset first."""
    bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")
    import blender_recon3d

    bpy.ops.wm.read_factory_settings(use_empty=True)
    blender_recon3d.register()
    yield blender_recon3d
    blender_recon3d.unregister()
