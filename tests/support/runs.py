"""Runs of the engine that are followed, stopped and compared."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import numpy as np

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.events import read_events
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.engine import REPOSITORY


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "blender_recon3d.pipeline", *map(str, arguments)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
    process.begun = time.time()
    return process


def wait_for(workspace: Workspace, process: subprocess.Popen[str], ready, timeout: float = 120) -> None:
    """Wait until `ready(events of this run)` holds; fails when the process ends before."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        events = [event for event in read_events(workspace.events)[0] if event.time > process.begun]
        if ready(events):
            return
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    raise AssertionError("waited too long")


def stages(workspace: Workspace) -> dict[str, dict]:
    """The stages in state.json; none before the first has begun."""
    return state_json(workspace)["stages"] if workspace.state_file.exists() else {}


def state_json(workspace: Workspace) -> dict[str, Any]:
    """state.json as it stands there, to be changed and written again."""
    return json.loads(workspace.state_file.read_text("utf-8"))


def centers(workspace: Workspace) -> dict[str, np.ndarray]:
    model = pycolmap.Reconstruction(workspace.model)
    return {model.image(i).name: model.image(i).projection_center() for i in model.reg_image_ids()}
