"""Runs modules of this package in separate processes: native code that cannot be cancelled can be killed that way.

    code = run_module(__name__, [str(source), str(target)], progress, "COLMAP's meshing")   in the parent
    if __name__ == "__main__":
        child_main(_work)                                                                    in the same module

A child ends with its parent, however that ends, and never runs Python files from the current folder. Standard library
only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ..events import Progress
from ..wording import RESUME, Sentence
from .library_exit import end_at_once
from .programs import NO_CURRENT_FOLDER, absolute_path_list
from .shortage import MemoryWatch, out_of_memory

PACKAGE = __name__.removesuffix(".system.child")  # the engine's package, whatever its name is here
POLL_SECONDS = 0.2
IDLE_SECONDS = 120.0  # without using the processor, after which the user is told
FAILED, OUT_OF_MEMORY = 70, 71  # a child's exit codes; not 1 and 2, which libraries and Python use


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code, negative for a signal, and whether it probably ran out of memory."""

    code: int
    out_of_memory: bool

    @property
    def how(self) -> str:
        return f"signal {-self.code}" if self.code < 0 else f"code {self.code}"


def module_command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def child_environment(**extra: str) -> dict[str, str]:
    """The environment in which `python -m MODULE` finds this package, and nothing in the current folder."""
    path = absolute_path_list(os.environ.get("PYTHONPATH", ""))
    here, names = Path(__file__).absolute().with_suffix(""), __name__.split(".")
    # Not if the add-on has given the package its own name, which is on the path already.
    if list(here.parts[-len(names) :]) == names:
        path.insert(0, str(here.parents[len(names) - 1]))
    safe = {"PYTHONPATH": os.pathsep.join(path), "PYTHONSAFEPATH": "1", **NO_CURRENT_FOLDER}
    return {**os.environ, **safe, **extra}


def run_module(
    module: str, arguments: Sequence[str], progress: Progress, title: str, **environment: str
) -> Ended:
    """Run a module of this package and wait for it. title: what it does, for a warning when it is idle.

    Raises Cancelled after killing it.
    """
    child = subprocess.Popen(
        module_command(module, *arguments), env=child_environment(**environment), stdin=subprocess.PIPE
    )
    memory, idle = MemoryWatch(child.pid), _IdleWatch(child.pid)
    try:
        while child.poll() is None:
            progress.check()
            memory.sample()
            if idle.begins():
                progress.warning(
                    Sentence(
                        f"{title} has done nothing for {IDLE_SECONDS / 60:.0f} minutes: if the disk is not "
                        "busy, cancel and ",
                        RESUME,
                        "; finished work is kept.",
                    )
                )
            time.sleep(POLL_SECONDS)
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
        if child.stdin is not None:
            child.stdin.close()
    return Ended(child.returncode, child.returncode == OUT_OF_MEMORY or memory.explains(child.returncode))


class _IdleWatch:
    """Whether a process has used no processor time for IDLE_SECONDS; never if the system does not provide it."""

    def __init__(self, pid: int) -> None:
        self._file = Path(f"/proc/{pid}/stat")
        self._used, self._since, self._told = "", time.monotonic(), False

    def begins(self) -> bool:
        """True once, when it has been idle for so long."""
        try:
            used = " ".join(self._file.read_text("utf-8", "replace").rpartition(")")[2].split()[11:13])
        except OSError:
            return False
        now = time.monotonic()
        if used != self._used:
            self._used, self._since, self._told = used, now, False
        if self._told or now - self._since < IDLE_SECONDS:
            return False
        self._told = True
        return True


def child_main(work: Callable[[list[str]], None]) -> NoReturn:
    """Run a child's work with its arguments, and exit with a code that `run_module` understands."""
    end_with_parent()
    end_at_once()
    code = 0
    try:
        work(sys.argv[1:])
    except Exception as error:  # the parent reports it in a sentence, the log has the traceback
        traceback.print_exc()
        code = OUT_OF_MEMORY if out_of_memory(error) else FAILED
    leave(code)


def leave(code: int) -> NoReturn:
    """End this process immediately: a thread of `end_with_parent` is still waiting."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
    os._exit(code)


def end_with_parent() -> None:
    """End this process, hard, as soon as its parent is gone, however that ended.

    The parent holds the other end of standard input and never writes to it.
    """

    def watch() -> None:
        if sys.platform == "win32":
            # A pending read of standard input blocks loading of libraries there; but one can wait for a process.
            import ctypes

            synchronize, forever = 0x00100000, 0xFFFFFFFF
            parent = ctypes.windll.kernel32.OpenProcess(synchronize, False, os.getppid())
            ctypes.windll.kernel32.WaitForSingleObject(parent, forever)
        else:
            while os.read(0, 1):
                pass
        os._exit(FAILED)

    threading.Thread(target=watch, daemon=True).start()
