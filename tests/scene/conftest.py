"""Each test starts from an empty Blender. Run with an environment that has bpy: .venv-bpy/bin/python -m pytest."""

import sys

import pytest


@pytest.fixture(autouse=True)
def empty_blender():
    """Tests that need bpy import it at their top; those that only read files run without it too."""
    bpy = sys.modules.get("bpy")
    if bpy is not None:
        bpy.ops.wm.read_factory_settings(use_empty=True)
