"""Each test has the add-on registered in an empty Blender. Run with an environment that has bpy."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "scene")]


@pytest.fixture
def addon():
    """The package, registered; bpy's own state is reset first."""
    bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")
    import blender_recon3d

    bpy.ops.wm.read_factory_settings(use_empty=True)
    blender_recon3d.register()
    yield blender_recon3d
    blender_recon3d.unregister()


@pytest.fixture(scope="session")
def engine_python() -> Path:
    """The Python of an engine that works: $RECON3D_PYTHON or the checkout's .venv."""
    import subprocess

    from blender_recon3d import engine
    from blender_recon3d.pipeline.events import UserError

    try:
        python = engine.find_python()
    except UserError:
        pytest.skip(f"there is no engine: run make setup, or set {engine.VARIABLE}")
    if subprocess.run(
        [python, "-c", "import zlib, pycolmap"], capture_output=True, env=dict(os.environ)
    ).returncode:
        pytest.skip(f"the engine's packages are not installed in {python}")
    return python
