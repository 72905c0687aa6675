"""A stage is declared once: one new module makes it a step of a job, with its options, files and position."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from blender_recon3d.pipeline.workspace import Workspace
from tests.support.pictures import picture, save

PACKAGE = Path(__file__).resolve().parents[2] / "blender_recon3d"
MODULE = '''"""Counts the photos, to show what a stage takes."""

from dataclasses import dataclass
from typing import ClassVar

from ..setting_field import Settings, setting
from ..stage import Stage


@dataclass(frozen=True)
class CountSettings(Settings):
    stage: ClassVar[str] = "count"
    heading: ClassVar[str] = "Counting"

    times: int = setting(1, "How often each photo is counted", "Times", low=1, high=9)


def run(workspace, settings, progress):
    total = settings.times * len(workspace.used_photos())
    _file(workspace).write_text(f"{total}\\n")
    return {"message": f"{total} counted"}


def _file(workspace):
    return workspace.root / "count.txt"


STAGE = Stage(
    name="count",
    title="Counting photos",
    makes="Count",
    version=1,
    needs=("photos",),
    settings=CountSettings,
    run=run,
    owns=lambda workspace: (_file(workspace),),
    leaves=lambda workspace: (_file(workspace),),
    forecast=lambda facts: 0.0,
)
'''


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the package with one additional file."""
    folder = tmp_path_factory.mktemp("checkout")
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / PACKAGE.name / "pipeline" / "stages" / "count.py").write_text(MODULE)
    return folder


def recon3d(checkout: Path, *words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "blender_recon3d.pipeline", *words]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    return subprocess.run(command, capture_output=True, text=True, cwd=checkout, env=environment, timeout=600)


def test_the_command_line_knows_it(checkout):
    said = recon3d(checkout, "run", "--help").stdout
    assert "--times N" in said and "How often each photo is counted; default 1" in said
    assert "count" in recon3d(checkout, "--help").stdout


def test_it_runs_in_its_place_is_kept_and_runs_again_for_another_setting(checkout, tmp_path):
    (tmp_path / "photos").mkdir()
    for number in range(3):
        save(tmp_path / "photos" / f"{number}.jpg", picture(number))
    workspace = Workspace(tmp_path / "out")
    words = (
        "run",
        str(tmp_path / "photos"),
        "-o",
        str(workspace.root),
        "--until",
        "count",
        "--features",
        "sift",
    )
    first = recon3d(checkout, *words)
    assert first.returncode == 0, first.stderr
    assert (workspace.root / "count.txt").read_text() == "3\n"
    assert list(json.loads(workspace.state_file.read_text())["stages"]) == ["photos", "count"]
    assert json.loads(workspace.job.read_text())["count"] == {"times": 1}
    written = workspace.photos.stat().st_mtime_ns, (workspace.root / "count.txt").stat().st_mtime_ns
    assert recon3d(checkout, *words).returncode == 0
    assert written == (workspace.photos.stat().st_mtime_ns, (workspace.root / "count.txt").stat().st_mtime_ns)
    assert recon3d(checkout, *words, "--times", "2").returncode == 0
    assert (workspace.root / "count.txt").read_text() == "6\n"
    assert workspace.photos.stat().st_mtime_ns == written[0]
    refused = recon3d(checkout, *words, "--times", "10")
    assert refused.returncode == 2 and "from 1 to 9" in refused.stderr


def test_what_it_owns_belongs_to_the_workspace(checkout, tmp_path):
    """A file of that name in a user's folder is not overwritten."""
    (tmp_path / "photos").mkdir()
    save(tmp_path / "photos" / "a.jpg", picture(1))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "count.txt").write_text("mine")
    refused = recon3d(
        checkout, "run", str(tmp_path / "photos"), "-o", str(tmp_path / "out"), "--until", "count"
    )
    assert refused.returncode == 2 and "count.txt" in refused.stderr
    assert (tmp_path / "out" / "count.txt").read_text() == "mine"
