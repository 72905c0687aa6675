"""Running, following, stopping and comparing runs of the engine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import numpy as np
import psutil

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.events import read_events
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.engine import REPOSITORY

# A whole job in 20 seconds of one core. To unwrap a mesh of 200,000 faces would take as long again.
SMALL = (
    "--features", "sift", "--dense-size", 480, "--mesh-depth", 7, "--faces", 4000, "--texture", 256,
    "--until", "texture", "--device", "cpu",
)  # fmt: skip


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "blender_recon3d.pipeline", *map(str, arguments)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
    process.begun = time.time()
    return process


def cpu_seconds(pid: int) -> float:
    """CPU time used so far by a process and the children that it still has or has waited for."""
    try:
        process = psutil.Process(pid)
        own = process.cpu_times()
        used = own.user + own.system + own.children_user + own.children_system
        return used + sum(cpu_seconds(child.pid) for child in process.children())
    except psutil.NoSuchProcess:
        return 0.0


def wait_with_cpu_seconds(process: subprocess.Popen[str], timeout: float) -> tuple[int, float]:
    """How a process ends, and its `cpu_seconds` when it was last seen."""
    end, used = time.monotonic() + timeout, 0.0
    while process.poll() is None:
        assert time.monotonic() < end, "it did not end"
        used = max(used, cpu_seconds(process.pid))
        time.sleep(0.05)
    return process.returncode, used


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
    """The stages in state.json; empty before the first has started."""
    return state_json(workspace)["stages"] if workspace.state_file.exists() else {}


def state_json(workspace: Workspace) -> dict[str, Any]:
    """state.json as it is, to be changed and written again."""
    return json.loads(workspace.state_file.read_text("utf-8"))


def centers(workspace: Workspace) -> dict[str, np.ndarray]:
    model = pycolmap.Reconstruction(workspace.model)
    return {model.image(i).name: model.image(i).projection_center() for i in model.reg_image_ids()}
