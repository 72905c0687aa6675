"""The command line as a process: signals, streams, foreign folders, and the files of the current folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blender_recon3d.pipeline.events import Event, append_event, read_events
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.engine import REPOSITORY

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
SHORT = ("--features", "sift", "--quality", "preview", "--until", "photos")


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "blender_recon3d.pipeline", *map(str, words)]


def run(*words: object, cwd: Path = REPOSITORY, **options: object) -> subprocess.CompletedProcess[str]:
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": ENVIRONMENT, **options}
    return subprocess.run(command(*words), text=True, cwd=cwd, timeout=300, **given)


def last_event(workspace: Workspace) -> Event:
    return read_events(workspace.events)[0][-1]


def make_worker(tmp_path: Path, code: str) -> dict[str, str]:
    """An environment in which the worker, and no other process, runs this code when it starts."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        f"import os\nif os.environ.get('RECON3D_WORKER') == '1':\n    {code}\n"
    )
    return {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join([str(folder), str(REPOSITORY)])}


# -- modules of the current folder ------------------------------------------------------------------


@pytest.mark.parametrize("where", ["current", "photos"])
def test_python_files_of_the_current_folder_are_never_run(tmp_path, photos, where):
    folder = tmp_path / "capture"
    folder.mkdir()
    for photo in photos.iterdir():
        (folder / photo.name).write_bytes(photo.read_bytes())
    for name in ("numpy", "json", "random", "sqlite3", "argparse"):
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write(__name__)\n")
    options = ("--features", "sift", "--quality", "preview", "--until", "matches")
    words = (".", *options) if where == "current" else (folder, *options)
    # An empty entry of PYTHONPATH means the current folder: here for the engine's own processes only.
    result = run("run", *words, "-o", tmp_path / "w", cwd=folder if where == "current" else tmp_path)
    assert result.returncode == 0, result.stderr
    assert not (tmp_path / "ran").exists()


# -- how a worker ends ------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1])
def test_a_library_that_ends_the_process_is_reported(tmp_path, photos, code):
    """libjpeg calls exit(1) when it cannot write."""
    workspace = Workspace(tmp_path / "w")
    workspace.create()
    assert run("run", photos, "-o", workspace.root, *SHORT).returncode == 0
    environment = make_worker(tmp_path, f"os._exit({code})")
    result = run("run", photos, "-o", workspace.root, *SHORT, env=environment)
    assert result.returncode == 1
    assert f"crashed (code {code})" in result.stderr
    assert last_event(workspace).kind == "error"
    assert last_event(workspace).data["exit_code"] == 1


def test_a_crash_close_to_the_memory_limit_is_reported_as_lack_of_memory(tmp_path, photos):
    pytest.importorskip("resource")
    code = (
        "import resource, signal, time; resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20)); "
        "held = bytearray(300 << 20); time.sleep(1.5); os.kill(os.getpid(), signal.SIGSEGV)"
    )
    result = run("run", photos, "-o", tmp_path / "w", *SHORT, env=make_worker(tmp_path, code))
    assert result.returncode == 1
    assert "probably out of memory" in result.stderr, result.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals are Unix's")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_the_worker_is_ready_is_a_cancel(tmp_path, photos, number):
    ready = tmp_path / "ready"
    environment = make_worker(tmp_path, f"import time; open({str(ready)!r}, 'w').close(); time.sleep(1)")
    process = subprocess.Popen(
        command("run", photos, "-o", tmp_path / "w", *SHORT),
        stderr=subprocess.PIPE, text=True, cwd=REPOSITORY, env=environment,
    )  # fmt: skip
    end = time.monotonic() + 60
    while not ready.exists() and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert "Cancelled" in said and "Traceback" not in said


@pytest.mark.skipif(os.name == "nt", reason="signals are Unix's")
def test_a_signal_before_anything_is_imported_is_a_cancel():
    code = (
        "import os, signal; from blender_recon3d.pipeline.system import startup; startup.begin();"
        "os.kill(os.getpid(), signal.SIGTERM)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert result.returncode == 3 and "cancelled" in result.stderr


# -- closed pipes -----------------------------------------------------------------------------------


def closed_pipe() -> int:
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("kind", ["pipe", "full"])
def test_a_reader_that_goes_away_does_not_end_the_job(tmp_path, photos, stream, kind):
    if kind == "full" and not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    sink = closed_pipe() if kind == "pipe" else os.open("/dev/full", os.O_WRONLY)
    words = ("--json",) if stream == "stdout" else ()
    try:
        result = run("run", photos, "-o", tmp_path / "w", *SHORT, *words, **{stream: sink})
    finally:
        os.close(sink)
    assert result.returncode == 0
    assert last_event(Workspace(tmp_path / "w")).kind == "done"
    assert not result.stdout and not result.stderr


@pytest.mark.skipif(os.name == "nt", reason="a shell's words")
@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_do_not_end_the_job(tmp_path, photos, closed):
    words = " ".join(f"'{word}'" for word in command("run", photos, "-o", tmp_path / "w", *SHORT))
    result = subprocess.run(["sh", "-c", f"{words} {closed}"], cwd=REPOSITORY, env=ENVIRONMENT, timeout=300)
    assert result.returncode == 0
    assert last_event(Workspace(tmp_path / "w")).kind == "done"


def test_short_commands_survive_a_closed_pipe(photos):
    for words in (("--help",), ("run", "--help"), ("weights", "list"), ("inspect", photos)):
        sink = closed_pipe()
        result = run(*words, stdout=sink)
        os.close(sink)
        assert result.returncode == 0 and "Traceback" not in result.stderr, words
        assert "BrokenPipe" not in result.stderr


def test_output_that_cannot_be_written_is_not_a_success():
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    with open("/dev/full", "w") as sink:
        result = run("weights", "list", "--json", stdout=sink)
    assert result.returncode == 1 and "cannot write output" in result.stderr


# -- foreign folders --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["report.html", "lock", "state.json", "sparse.part"])
def test_nothing_in_a_foreign_folder_is_touched(tmp_path, photos, name):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / name).write_text("of the user")
    result = run("run", photos, "-o", folder, *SHORT)
    assert result.returncode == 2 and name in result.stderr, result.stderr
    assert os.listdir(folder) == [name]
    assert (folder / name).read_text() == "of the user"


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
@pytest.mark.parametrize("name", ["lock", "images"])
def test_links_in_a_workspace_are_refused(tmp_path, photos, name):
    workspace = Workspace(tmp_path / "w")
    assert run("run", photos, "-o", workspace.root, *SHORT).returncode == 0
    victim = tmp_path / "victim"
    victim.write_text("keep")
    link = workspace.root / name
    if link.is_dir():
        link.rename(tmp_path / "moved")
    link.unlink(missing_ok=True)
    link.symlink_to(victim)
    events = workspace.events.read_bytes()
    result = run("run", photos, "-o", workspace.root, *SHORT)
    assert result.returncode == 2 and "is a link" in result.stderr, result.stderr
    assert victim.read_text() == "keep" and link.is_symlink()
    assert workspace.events.read_bytes() == events


@pytest.mark.skipif(os.name == "nt", reason="pipes are Unix's")
def test_a_pipe_in_place_of_a_log_does_not_block(tmp_path, photos):
    workspace = Workspace(tmp_path / "w")
    assert run("run", photos, "-o", workspace.root, *SHORT).returncode == 0
    workspace.log.unlink()
    os.mkfifo(workspace.log)
    result = run("run", photos, "-o", workspace.root, *SHORT)
    assert result.returncode == 2 and "cannot be written" in result.stderr


def test_a_second_run_leaves_the_first_ones_files_alone(tmp_path, photos):
    workspace = Workspace(tmp_path / "w")
    assert run("run", photos, "-o", workspace.root, *SHORT).returncode == 0
    with workspace.locked():
        workspace.request_cancel()
        before = {path.name: path.read_bytes() for path in workspace.root.iterdir() if path.is_file()}
        result = run("run", photos, "-o", workspace.root, *SHORT)
        after = {path.name: path.read_bytes() for path in workspace.root.iterdir() if path.is_file()}
    assert result.returncode == 1 and "Another run is in progress" in result.stderr
    assert after == before


def without_root_rights() -> list[str]:
    """A command prefix that makes read-only files read-only, also if root runs the tests."""
    if os.name == "nt":
        pytest.skip("folders have no such rights on Windows")
    if os.geteuid() != 0:
        return []
    rights = "-dac_override,-dac_read_search"
    words = ["setpriv", f"--inh-caps={rights}", f"--bounding-set={rights}"]
    if not shutil.which("setpriv") or subprocess.run([*words, "true"]).returncode != 0:
        pytest.skip("nothing is read-only for root, and setpriv cannot take these rights away here")
    return words


def test_a_read_only_workspace_is_reported(tmp_path, photos):
    unprivileged = without_root_rights()
    workspace = Workspace(tmp_path / "w")
    words = [*unprivileged, *command("run", photos, "-o", workspace.root, *SHORT)]
    assert run("run", photos, "-o", workspace.root, *SHORT).returncode == 0
    workspace.root.chmod(0o500)
    workspace.lock_file.chmod(0o400)
    try:
        result = subprocess.run(
            words, text=True, cwd=REPOSITORY, timeout=300, env=ENVIRONMENT, capture_output=True
        )
    finally:
        workspace.root.chmod(0o700)
    assert result.returncode == 2 and "cannot be written" in result.stderr and "Trace" not in result.stderr


# -- names on a terminal ----------------------------------------------------------------------------


def test_names_cannot_control_the_terminal(tmp_path, photos):
    folder = tmp_path / "photos"
    folder.mkdir()
    for photo in photos.iterdir():
        (folder / photo.name).write_bytes(photo.read_bytes())
    (folder / "\x1b[2J\u202egpj.jpg").write_bytes(b"no photo")
    (folder / "a\nerror: forged.jpg").write_bytes(b"no photo")
    for words in (("inspect", folder), ("run", folder, "-o", tmp_path / "w", *SHORT)):
        result = run(*words)
        assert result.returncode == 0, result.stderr
        said = result.stdout + result.stderr
        assert "\x1b[2J" not in said and "\u202e" not in said
        assert not any(line.startswith("error: forged") for line in said.splitlines())


# -- logs that do not grow forever ------------------------------------------------------------------


def test_large_logs_are_rotated_and_the_report_still_has_their_warnings(tmp_path, photos):
    workspace = Workspace(tmp_path / "w")
    folder = tmp_path / "photos"
    folder.mkdir()
    for photo in photos.iterdir():
        (folder / photo.name).write_bytes(photo.read_bytes())
    (folder / "broken.jpg").write_bytes(b"no photo")
    assert run("run", folder, "-o", workspace.root, *SHORT).returncode == 0
    warnings = json.loads(workspace.report_json.read_text())["problems"]
    assert warnings
    offset = 0
    while workspace.events.stat().st_size <= 4 << 20:
        append_event(workspace.events, Event(1.0, "photos", "info", message="x" * 100_000))
        offset = workspace.events.stat().st_size
    with open(workspace.log, "ab") as log:
        log.truncate(9 << 20)
    assert run("run", folder, "-o", workspace.root, *SHORT).returncode == 0
    assert workspace.events.stat().st_size < 1 << 20 and workspace.log.stat().st_size < 1 << 20
    assert workspace.old_events.stat().st_size > 4 << 20
    assert json.loads(workspace.report_json.read_text())["problems"] == warnings
    events, _ = read_events(workspace.events, offset)  # a reader that had read the whole old log
    assert next(event.message for event in events if event.stage == "job") == "started"


def test_a_folder_that_does_not_exist_leaves_no_workspace(tmp_path):
    done = run("run", tmp_path / "photoz", "-o", tmp_path / "w")
    assert done.returncode == 2 and "does not exist" in done.stderr
    assert not (tmp_path / "w").exists()
