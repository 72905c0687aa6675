"""A module as a separate process: how it ends, is ended, and what it must not read."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blender_recon3d.pipeline.errors import Cancelled
from blender_recon3d.pipeline.events import Event, Progress
from blender_recon3d.pipeline.system import child
from blender_recon3d.pipeline.system.child import PACKAGE, child_environment, run_module
from blender_recon3d.pipeline.system.shortage import out_of_memory, out_of_memory_in

ROOT = Path(child.__file__).resolve().parents[len(PACKAGE.split(".")) + 1]
CHILD = "from blender_recon3d.pipeline.system.child import child_main\ndef work(arguments):\n    {}\nchild_main(work)\n"


@pytest.fixture
def modules(tmp_path):
    """A function that writes a module for a child and returns the path on which it is found."""

    def write(body: str) -> dict[str, str]:
        (tmp_path / "work_of_child.py").write_text(CHILD.format(body))
        return {"PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}

    return write


def gone(pid: int) -> bool:
    """Whether the process ends within seconds."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("body", "code", "memory"),
    [
        ("pass", 0, False),
        ("raise ValueError", child.FAILED, False),
        ("raise MemoryError", child.OUT_OF_MEMORY, True),
        ("raise RuntimeError('std::bad_alloc')", child.OUT_OF_MEMORY, True),
        ("import os; os._exit(1)", 1, False),
    ],
)
def test_how_a_child_ended_is_reported(modules, body, code, memory):
    ended = run_module("work_of_child", [], Progress(), "It", **modules(body))
    assert (ended.code, ended.out_of_memory) == (code, memory)
    assert ended.how == f"code {code}"


def test_a_cancel_ends_it(modules, tmp_path):
    pid_file = tmp_path / "pid"
    body = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(600)"

    def cancelled() -> bool:
        return pid_file.exists() and bool(pid_file.read_text())

    with pytest.raises(Cancelled):
        run_module("work_of_child", [], Progress(cancelled=cancelled), "It", **modules(body))
    assert gone(int(pid_file.read_text()))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor time is asked of /proc")
def test_a_stalled_child_is_reported_once(modules, monkeypatch):
    monkeypatch.setattr(child, "IDLE_SECONDS", 0.5)
    said: list[Event] = []
    run_module("work_of_child", [], Progress(said.append), "It", **modules("import time; time.sleep(3)"))
    assert [event.kind for event in said] == ["warning"]
    assert "has done nothing" in said[0].message


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is Unix's")
def test_it_ends_with_its_parent(modules, tmp_path):
    pid_file = tmp_path / "pid"
    body = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    environment = modules(body)
    code = (
        "from blender_recon3d.pipeline.events import Progress\n"
        "from blender_recon3d.pipeline.system.child import run_module\n"
        f"run_module('work_of_child', [], Progress(), 'It', **{environment!r})"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    end = time.monotonic() + 60
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < end:
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    assert gone(int(pid_file.read_text()))


def test_a_child_does_not_search_the_current_folder(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "relative"]))
    environment = child_environment()
    entries = environment["PYTHONPATH"].split(os.pathsep)
    assert entries[0] == str(ROOT) and all(os.path.isabs(entry) for entry in entries) and len(entries) == 2
    assert environment["PYTHONSAFEPATH"] == "1"
    assert environment["NoDefaultCurrentDirectoryInExePath"] == "1"


def test_lack_of_memory_has_many_names(tmp_path):
    try:
        try:
            raise OSError(12, "Cannot allocate memory")
        except OSError as error:
            raise RuntimeError("it did not work") from error
    except RuntimeError as error:
        assert out_of_memory(error)
    assert out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    assert not out_of_memory(ValueError("wrong")) and not out_of_memory(SystemError("wrong"))
    log = tmp_path / "log.txt"
    log.write_text("terminate called: std::bad_alloc\n")
    assert out_of_memory_in(log, 0) and not out_of_memory_in(log, log.stat().st_size)
    assert not out_of_memory_in(tmp_path / "none", 0)
