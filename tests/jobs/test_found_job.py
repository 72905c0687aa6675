"""A run that an earlier Blender started is found, followed and stopped by a later one."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from blender_recon3d.engine_setup import engine_process
from blender_recon3d.jobs.engine_job import EngineJob, find_job
from blender_recon3d.jobs.job_view import CANCELLED, DONE, FAILED, PAUSED, RUNNING
from blender_recon3d.jobs.resume_state import FINISHED, NEW, UNFINISHED, workspace_state
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.made_workspaces import png

HOLD = """
import sys, time
from blender_recon3d.pipeline.workspace import Workspace
from blender_recon3d.pipeline.events import Event, append_event
w = Workspace(sys.argv[1])
w.create()
say = lambda stage, kind, message='', **data: append_event(
    w.events, Event(time.time(), stage, kind, 3, 9, message, data))
with w.locked():
    say('job', 'info', 'started')
    say('features', 'progress', 'finding features')
    print('held', flush=True)
    sys.stdin.readline()
    exec(sys.argv[2])
"""


def hold(folder, at_the_end: str) -> subprocess.Popen:
    """A process that holds the workspace until it is asked to end."""
    command = [sys.executable, "-c", HOLD, str(folder), at_the_end]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def release(process: subprocess.Popen) -> None:
    process.stdin.write("\n")
    process.stdin.close()
    process.wait(20)
    process.stdout.close()


@pytest.mark.parametrize(
    ("at_the_end", "state", "message"),
    [
        ("say('job', 'done')", DONE, "Done"),
        (
            "say('job', 'error', 'The disk is full.', exit_code=1, remedy='again')",
            FAILED,
            "The disk is full.",
        ),
        ("say('job', 'error', 'Cancelled.', exit_code=3)", CANCELLED, "Resume"),
        ("say('job', 'error', 'Paused.', exit_code=3, paused=True)", PAUSED, "Resume"),
        ("import os; os._exit(9)", FAILED, "Another program ended"),
    ],
)
def test_a_run_is_followed_to_its_end(at_the_end, state, message, tmp_path):
    assert find_job(tmp_path) is None
    process = hold(tmp_path, at_the_end)
    try:
        job = find_job(tmp_path)
        assert (job.view.state, job.view.stage, job.view.done) == (RUNNING, "features", 3)
    finally:
        release(process)
    view = job.wait()
    assert view.state == state and message in view.message
    assert find_job(tmp_path) is None


def test_an_engine_outlives_the_blender_that_started_it(engine_python, tmp_path):
    """The real engine: started by a process that is killed, found by this one, stopped, and resumed."""
    photos, folder = tmp_path / "photos", tmp_path / "w"
    photos.mkdir()
    rng = np.random.default_rng(0)
    for i in range(6):
        (photos / f"{i}.png").write_bytes(png(rng.integers(0, 256, (900, 1200, 3), dtype=np.uint8)))
    words = ["run", str(photos), "-o", str(folder), "--features", "sift", "--until", "matches"]
    start = (
        "import os, sys; from blender_recon3d.jobs.engine_job import EngineJob; "
        "from blender_recon3d.engine_setup import engine_process\n"
        f"EngineJob(engine_process.command({str(engine_python)!r}, {words!r}), "
        f"engine_process.environment(), {str(folder)!r})\n"
        "os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", start], check=False, timeout=60)
    deadline = time.monotonic() + 60
    while (job := find_job(folder)) is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert job is not None
    job.cancel()
    assert job.wait().state == CANCELLED
    assert workspace_state(folder).state in (NEW, UNFINISHED)  # NEW: stopped before it had begun
    view = EngineJob(
        engine_process.command(engine_python, words), engine_process.environment(), folder
    ).wait()
    assert view.state == DONE and workspace_state(folder).state == FINISHED
    assert not list(Workspace(folder).root.glob("*.part"))


def test_no_zombie_is_left_of_a_job(tmp_path):
    job = EngineJob([sys.executable, "-c", ""], os.environ, tmp_path / "w")
    job.wait()
    with pytest.raises(ChildProcessError):
        os.waitpid(job.pid, os.WNOHANG)
