"""A Dask scheduler and workers of ours on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.engine import REPOSITORY


class Farm:
    """address: of the scheduler."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        connection = folder / "scheduler.json"
        self._start(
            "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", connection
        )
        end = time.monotonic() + 60
        while not connection.exists() or not connection.read_text("utf-8").endswith("}"):
            assert time.monotonic() < end, "the scheduler did not start"
            time.sleep(0.1)
        self.address = json.loads(connection.read_text("utf-8"))["address"]

    def _start(self, module: str, *arguments: object) -> subprocess.Popen[bytes]:
        log = open(self.folder / f"{len(self._processes)}.log", "wb")
        command = [sys.executable, "-m", module, *map(str, arguments)]
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=subprocess.STDOUT)
        self._processes.append(process)
        return process

    def start_worker(self) -> psutil.Process:
        """The process of `recon3d worker`."""
        return psutil.Process(self._start("blender_recon3d.pipeline", "worker", self.address).pid)

    def end(self) -> None:
        for process in self._processes:
            every = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            for each in every:
                each.kill()
            process.wait()


def send_all(process: psutil.Process, number: signal.Signals) -> None:
    """A signal for a process and its children."""
    for each in [process, *process.children(recursive=True)]:
        os.kill(each.pid, number)


@contextmanager
def farm(folder: Path) -> Iterator[Farm]:
    folder.mkdir(parents=True, exist_ok=True)
    made = Farm(folder)
    try:
        yield made
    finally:
        made.end()
