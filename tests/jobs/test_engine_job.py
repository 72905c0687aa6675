"""Finding, starting, following and ending the engine: with real processes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blender_recon3d.engine_setup import engine_process
from blender_recon3d.jobs.engine_job import EngineJob
from blender_recon3d.jobs.job_view import CANCELLED, DONE, FAILED, PAUSED, RUNNING, JobView, follow
from blender_recon3d.jobs.resume_state import FINISHED, workspace_state
from blender_recon3d.pipeline.claim import claim
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Event
from blender_recon3d.pipeline.stage import STAGES, stage
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.made_workspaces import png

INTERPRETER = Path("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def make_environment(folder: Path) -> Path:
    python = folder / INTERPRETER
    python.parent.mkdir(parents=True)
    python.touch()
    return python


# -- where the engine is ----------------------------------------------------------------------------


def test_the_first_configured_python_is_used(tmp_path):
    option, variable, preference = (make_environment(tmp_path / name) for name in "abc")
    environ = {"RECON3D_PYTHON": str(variable)}
    assert engine_process.find_python(str(option), str(preference), environ) == option
    assert engine_process.find_python("", str(preference), environ) == variable
    assert engine_process.find_python("", str(preference), {}) == preference


def test_an_environments_folder_is_accepted(tmp_path):
    python = make_environment(tmp_path / "Umgebung 環境")
    assert engine_process.find_python(str(tmp_path / "Umgebung 環境"), environ={}) == python


def test_a_missing_python_is_one_message(tmp_path):
    with pytest.raises(UserError, match="in RECON3D_PYTHON") as caught:
        engine_process.find_python(environ={"RECON3D_PYTHON": str(tmp_path / "nothing")})
    assert caught.value.exit_code == 2


@pytest.mark.skipif(sys.platform == "win32", reason="environments have no links on Windows")
def test_the_link_in_an_environment_is_not_followed(tmp_path):
    """The interpreter it points to does not have the environment's packages."""
    link = tmp_path / "env" / "bin" / "python"
    link.parent.mkdir(parents=True)
    link.symlink_to(sys.executable)
    assert engine_process.find_python(str(link), environ={}) == link


def test_nothing_of_blenders_python_reaches_the_engine(tmp_path):
    """Neither does a module in the current folder, or another extension next to this one."""
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    environ = {**os.environ, "PYTHONHOME": "/nowhere", "PYTHONPATH": str(tmp_path), "KEPT": "yes"}
    code = "import os, json, recon3d_engine.events as e; print(os.environ['KEPT'], e.KINDS[0], e.__name__)"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=engine_process.environment(environ),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.stdout.split() == ["yes", "progress", "recon3d_engine.events"], result.stderr


# -- what is shown ----------------------------------------------------------------------------------


def test_events_become_a_view():
    view = JobView()
    view = follow(view, Event(100.0, "job", "info", message="started"))
    assert (view.stage, view.fraction, view.seconds_left_at(100.0)) == ("", 0.0, None)
    view = follow(view, Event(100.0, "features", "progress", 5, 20, "finding features"))
    assert (view.stage, view.done, view.total) == ("features", 5, 20)
    view = follow(view, Event(120.0, "matches", "warning", message="few matches"))
    assert (view.stage, view.total, view.message) == ("matches", 0, "few matches")
    view = follow(view, Event(130.0, "job", "done", message="28 of 28 photos, in 4 min."))
    assert view.summary == "28 of 28 photos, in 4 min." and view.stage == "matches"


def test_the_panel_calls_every_stage_by_a_title():
    for name in STAGES:
        assert stage(name).title != name and "_" not in stage(name).title


def test_a_killed_engine_suggests_lack_of_memory(tmp_path):
    code = "import os, signal; print('half a word'); os.kill(os.getpid(), signal.SIGKILL)"
    view = EngineJob([sys.executable, "-c", code], os.environ, tmp_path / "w").wait()
    assert view.state == FAILED and view.remedy == "preview"
    assert "memory" in view.message and "half a word" not in view.message


def test_absurd_counts_do_no_harm():
    for done, total in ((5, 0), (-3, 10), (30, 10), (0, -1)):
        assert 0 <= follow(JobView(), Event(1.0, "sfm", "progress", done, total)).fraction <= 1


# -- any process ------------------------------------------------------------------------------------


def start(code: str, folder: Path, *arguments: str) -> EngineJob:
    return EngineJob([sys.executable, "-c", code, *arguments], os.environ, folder)


def test_a_process_that_dies_silently_is_reported(tmp_path):
    view = start("import sys; print('no such module'); sys.exit(7)", tmp_path / "w").wait()
    assert view.state == FAILED and view.exit_code == 1
    assert "code 7 (no such module)" in view.message and "output.txt" in view.message


def test_an_interpreter_that_does_not_start(tmp_path):
    with pytest.raises(UserError, match="does not start"):
        EngineJob([str(tmp_path / "nothing")], os.environ, tmp_path / "w")


def test_a_workspace_that_cannot_be_created(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be created"):
        start("", tmp_path / "file" / "w")


def test_events_of_an_earlier_run_are_not_shown(tmp_path):
    old = {"time": 1.0, "stage": "sfm", "kind": "error", "message": "old failure"}
    claim(Workspace(tmp_path))
    (tmp_path / "events.jsonl").write_text(json.dumps(old) + "\n")
    view = start("", tmp_path).wait()
    assert (view.state, view.stage) == (DONE, "")


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX's")
def test_a_process_that_ignores_everything_is_ended_with_its_children(tmp_path, monkeypatch):
    from blender_recon3d.jobs import engine_job

    monkeypatch.setattr(engine_job, "_GRACE", 0.5)
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open(sys.argv[1], 'w').write(str(child.pid)); time.sleep(600)"
    )
    pid_file = tmp_path / "pid"
    job = start(code, tmp_path / "w", str(pid_file))
    deadline = time.monotonic() + 20
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    job.cancel()
    assert job.wait().state == CANCELLED
    child = int(pid_file.read_text())
    while time.monotonic() < deadline and alive(child):
        time.sleep(0.05)
    assert not alive(child)


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie that nobody has waited for does not."""
    if sys.platform == "linux":  # a bare system has no ps
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False
    result = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(result.stdout.strip()) and not result.stdout.strip().startswith("Z")


# -- the engine itself ------------------------------------------------------------------------------


def run_engine(python: Path, *arguments: str, folder: Path) -> EngineJob:
    return EngineJob(engine_process.command(python, list(arguments)), engine_process.environment(), folder)


def noise_photos(folder: Path, count: int, size: int) -> Path:
    import numpy as np

    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(count):
        (folder / f"{i}.png").write_bytes(png(rng.integers(0, 256, (size, size, 3), dtype=np.uint8)))
    return folder


def test_the_engines_message_for_bad_input_is_shown(engine_python, tmp_path):
    photos = tmp_path / "leer 空"
    photos.mkdir()
    view = run_engine(
        engine_python, "run", str(photos), "-o", str(tmp_path / "w"), folder=tmp_path / "w"
    ).wait()
    assert view.state == FAILED and view.exit_code == 2
    assert "photo" in view.message.lower() and "\n" not in view.message


def test_a_second_run_in_the_same_workspace_reports_that_it_is_in_use(engine_python, tmp_path):
    photos = noise_photos(tmp_path / "photos", 6, 1500)
    arguments = ("run", str(photos), "-o", str(tmp_path / "w"), "--features", "sift")
    first = run_engine(engine_python, *arguments, folder=tmp_path / "w")
    deadline = time.monotonic() + 60
    while not first.view.stage and time.monotonic() < deadline:
        first.poll()
        time.sleep(0.05)
    second = run_engine(engine_python, *arguments, folder=tmp_path / "w").wait()
    first.cancel()
    assert first.wait().state == CANCELLED
    assert second.state == FAILED and second.message.startswith("Another run is in progress")


def test_a_cancel_ends_the_engine_within_seconds(engine_python, tmp_path):
    photos = noise_photos(tmp_path / "photos", 6, 1500)
    arguments = ("run", str(photos), "-o", str(tmp_path / "w"), "--features", "sift")
    job = run_engine(engine_python, *arguments, folder=tmp_path / "w")
    deadline = time.monotonic() + 60
    while (
        job.view.stage in ("", "photos", "pairs")
        and job.view.state == RUNNING
        and time.monotonic() < deadline
    ):
        job.poll()
        time.sleep(0.05)
    assert job.view.stage == "features"
    asked = time.monotonic()
    job.cancel()
    view = job.wait()
    assert view.state == CANCELLED and view.exit_code == 3
    assert time.monotonic() - asked < 8  # 5 s are promised; a busy machine gets more
    assert not (tmp_path / "w" / "cancel").exists()


def test_a_paused_job_frees_its_processes_and_resumes(engine_python, tmp_path):
    photos = noise_photos(tmp_path / "photos", 6, 1500)
    arguments = ("run", str(photos), "-o", str(tmp_path / "w"), "--features", "sift", "--until", "features")
    job = run_engine(engine_python, *arguments, folder=tmp_path / "w")
    deadline = time.monotonic() + 60
    while not job.view.stage and job.view.state == RUNNING and time.monotonic() < deadline:
        job.poll()
        time.sleep(0.02)
    job.pause()
    assert job.pausing
    view = job.wait()
    assert (view.state, view.exit_code) == (PAUSED, 3) and "Resume" in view.message
    assert not alive(job.pid)
    assert workspace_state(tmp_path / "w").sentence.startswith("Paused at step")
    view = run_engine(engine_python, *arguments, folder=tmp_path / "w").wait()
    assert view.state == DONE and workspace_state(tmp_path / "w").state == FINISHED
    assert not (tmp_path / "w" / "pause").exists()


def test_the_engine_runs_from_an_installed_extension(engine_python, tmp_path):
    """The zip's files in a folder of any name, next to an extension named like a package that the engine needs."""
    import zipfile

    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    import build_addon

    extensions = tmp_path / "user_default"
    with zipfile.ZipFile(build_addon.build(tmp_path)) as archive:
        archive.extractall(extensions / "recon3d")
    (extensions / "numpy").mkdir()
    (extensions / "numpy" / "__init__.py").write_text("raise SystemExit('the wrong numpy')")
    environment = {**engine_process.environment(), "PYTHONPATH": str(extensions / "recon3d" / "launch")}
    photos = tmp_path / "photos"
    photos.mkdir()
    result = subprocess.run(
        [engine_python, "-m", "recon3d_engine", "run", str(photos), "-o", str(tmp_path / "w"), "--json"],
        env=environment,
        cwd=extensions,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2, result.stderr
    assert "error" in [json.loads(line)["kind"] for line in result.stdout.splitlines()]
