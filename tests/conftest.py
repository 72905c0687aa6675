"""What tests of several rooms are given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def engine_python() -> Path:
    """The Python of an engine that works: $RECON3D_PYTHON or the checkout's .venv."""
    import subprocess

    from blender_recon3d.engine_setup import engine_process
    from blender_recon3d.pipeline.errors import UserError

    try:
        python = engine_process.find_python()
    except UserError:
        pytest.skip(f"there is no engine: run make setup, or set {engine_process.VARIABLE}")
    if subprocess.run(
        [python, "-c", "import zlib, pycolmap"], capture_output=True, env=dict(os.environ)
    ).returncode:
        pytest.skip(f"the engine's packages are not installed in {python}")
    return python
