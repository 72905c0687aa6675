"""Fixtures for tests of several folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# As the engine sets it for its worker, before any library reads it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# By folders and files below tests.
MARKS = {
    "engine": ("pipeline", "training", "benchmarks", "faults"),
    "blender": ("scene", "addon", "jobs"),
    "gui": ("gui",),
    "slow": (
        "faults",
        "gui",
        "pipeline/test_determinism.py",
        "pipeline/test_job.py",
        "pipeline/test_kept_workspaces.py",
        "pipeline/files/test_durable.py",
        "pipeline/models/test_first_look.py",
        "pipeline/models/test_learned.py",
        "pipeline/models/test_learned_chain.py",
        "pipeline/refining/test_refine_stage.py",
        "pipeline/sfm/test_sfm.py",
        "pipeline/system/test_process.py",
    ),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test by its path: pytest -m "not slow"."""
    for item in items:
        place = item.path.relative_to(Path(__file__).parent).as_posix()
        for mark, rooms in MARKS.items():
            if any(place == room or place.startswith(f"{room}/") for room in rooms):
                item.add_marker(mark)


@pytest.fixture(scope="session")
def engine_python() -> Path:
    """The Python of a working engine: $RECON3D_PYTHON or the checkout's .venv."""
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
