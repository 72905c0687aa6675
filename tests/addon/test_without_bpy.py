"""The package also contains the engine: it can be imported without bpy."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Refuses bpy and everything heavy, so that the result is the same in every environment.
PROBE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("bpy", "mathutils", "torch", "pycolmap", "cv2", "numpy"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Refuse())
import {module}
"""


@pytest.mark.parametrize(
    "module",
    [
        "blender_recon3d",
        "blender_recon3d.engine_setup.engine_process",
        "blender_recon3d.jobs.engine_job",
        "blender_recon3d.pipeline.events",
    ],
)
def test_it_imports_with_the_standard_library_alone(module):
    result = subprocess.run(
        [sys.executable, "-c", PROBE.format(module=module)], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
