"""The common basis of attacks: a small capture, a finished workspace of it, and the engine's command line.

The photos are six neighbors of the demo capture, scaled down, so that the whole chain takes some ten seconds.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.common.places import ROOT
from blender_recon3d.pipeline.stage import STAGES
from blender_recon3d.pipeline.workspace import Workspace

from .snapshot import Snapshot, snapshot

PHOTOS = ROOT / "demo" / "photos"
FIRST, COUNT, SIZE = 21, 6, 480  # demo_21.jpg to demo_26.jpg, longest side in pixels
OPTIONS = (
    "--quality", "preview", "--features", "sift", "--max-keypoints", "1200", "--dense-size", "160",
    "--faces", "2000", "--texture", "256", "--device", "cpu",
)  # fmt: skip
MEMORY = 8 << 30  # bytes; limit of a process's address space; it needs three GB
PATIENCE = 900  # seconds after which a run counts as hung; on an idle machine it takes ten


@dataclass(frozen=True)
class Ended:
    """How a command ended. sentence: the last error shown to the user; "" if there is none."""

    code: int | None  # None: it hung and was killed
    sentence: str
    output: str

    @property
    def unexpected(self) -> bool:
        """Whether the sentence is not meant for users."""
        text = self.sentence
        return "unexpected error" in text or "crashed" in text or "Traceback" in self.output


@dataclass
class Bench:
    """A scratch folder with the capture and the undisturbed result. Attacks use copies of the result."""

    scratch: Path
    seed: int = 1
    nice: int = 0
    options: tuple[str, ...] = OPTIONS
    _references: dict[str, Snapshot] = field(default_factory=dict)

    @cached_property
    def photos(self) -> Path:
        """The folder of photos, which is never written to."""
        folder = self.scratch / "photos"
        if not folder.exists():
            part = folder.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            for number in range(FIRST, FIRST + COUNT):
                with Image.open(PHOTOS / f"demo_{number:02d}.jpg") as image:
                    image.thumbnail((SIZE, SIZE))
                    image.save(part / f"demo_{number:02d}.jpg", quality=92)
            part.rename(folder)
        return folder

    @cached_property
    def finished(self) -> Path:
        """The workspace of an undisturbed run; read only."""
        folder = self.scratch / "finished"
        if not (folder / "report.html").exists():
            ended = self.run(folder)
            if ended.code != 0:
                raise RuntimeError(f"the undisturbed run failed: {ended.output[-1000:]}")
        return folder

    def differences(self, workspace: Path, until: str = STAGES[-1]) -> list[str]:
        """The names of results of the stages up to `until` that differ from the undisturbed run's."""
        if until not in self._references:
            self._references[until] = snapshot(self.finished, until)
        return self._references[until].differences(snapshot(workspace, until))

    def random(self, attack: str, number: int) -> random.Random:
        """The random generator of one run: the same for the same seed, attack and number."""
        return random.Random(f"{self.seed} {attack} {number}")

    def command(self, workspace: Path, until: str = STAGES[-1]) -> list[str]:
        """The command line of a run, as a list of arguments."""
        run = [
            sys.executable,
            "-m",
            "blender_recon3d.pipeline",
            "run",
            str(self.photos),
            "-o",
            str(workspace),
        ]
        return [*self._nicely(), *run, "--until", until, *self.options]

    def run(self, workspace: Path, until: str = STAGES[-1]) -> Ended:
        """Run the engine to its end."""
        return self.call(self.command(workspace, until))

    def export(self, workspace: Path, target: Path) -> Ended:
        """Write the workspace's textured mesh to `target`."""
        words = [sys.executable, "-m", "blender_recon3d.pipeline", "export", str(workspace), str(target)]
        return self.call([*self._nicely(), *words])

    def call(self, command: list[str]) -> Ended:
        """Run a command in the repository, and collect its output."""
        process = self.start(command)
        try:
            output, _ = process.communicate(timeout=PATIENCE)
            code: int | None = process.returncode
        except subprocess.TimeoutExpired:
            kill_group(process)
            output, _ = process.communicate()
            code = None
        text = output.decode("utf-8", "replace")
        return Ended(code, _sentence(text) if code != 0 else "", text)

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            command,
            cwd=self.scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=limit_memory if os.name == "posix" else None,
        )

    def copy(self, name: str, keep: tuple[str, ...] = STAGES, into: Path | None = None) -> Path:
        """A copy of the finished workspace in which only the stages `keep` are done.

        The files of the other stages remain, as when a job's settings change: the engine removes them.
        """
        folder = (into or self.scratch) / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.finished, folder, symlinks=True)
        if len(keep) < len(STAGES):
            workspace = Workspace(folder)
            state = workspace.read_state()
            kept = {stage: state.stage(stage) for stage in keep}
            workspace.write_state(replace(state, stages=kept))
        return folder

    @staticmethod
    def before(stage: str) -> tuple[str, ...]:
        """The stages before this one."""
        return STAGES[: STAGES.index(stage)]

    def seconds(self, stage: str) -> float:
        """The time the stage took in the undisturbed run."""
        return Workspace(self.finished).read_state().stage(stage).seconds or 0.0

    def _nicely(self) -> list[str]:
        return ["nice", "-n", str(self.nice)] if self.nice and os.name == "posix" else []


def limit_memory() -> None:
    """Make this process fail before the machine does, should a damaged file request too much memory; not on Windows."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL the process and everything it has started."""
    import signal

    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def last_event(workspace: Path) -> dict[str, Any]:
    """The last complete line of events.jsonl; empty if there is none."""
    try:
        lines = (workspace / "events.jsonl").read_bytes().splitlines()
    except OSError:
        return {}
    for line in reversed(lines):
        try:
            return dict(json.loads(line))
        except ValueError:
            continue
    return {}


def _sentence(output: str) -> str:
    """The last line that starts like an error."""
    lines = [line.strip() for line in output.replace("\r", "\n").splitlines()]
    errors = [line for line in lines if line.startswith(("error", "recon3d:"))]
    return errors[-1] if errors else ""
