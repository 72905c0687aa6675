"""Stages that only write small files, in milliseconds.

Their names, needs, settings and files are the real ones, but not their work.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from blender_recon3d.pipeline import job, stage
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.stage import Stage
from blender_recon3d.pipeline.workspace import Workspace

MATCHES = "matches\n"  # added to the fake database by the fake matches


class Fakes:
    """ran: the stages that ran, in their order; at: called with a stage's name while it runs."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.at = lambda name: None

    def stage(self, real: Stage) -> Stage:
        def run(workspace: Workspace, settings: object, progress: Progress) -> dict:
            self.ran.append(real.name)
            self.write(real, workspace)
            self.at(real.name)
            progress.check()
            return {"message": real.title}

        def take_out(workspace: Workspace) -> None:
            if workspace.database.exists():
                workspace.database.write_text(workspace.database.read_text().replace(MATCHES, ""))

        return replace(
            real, run=run, inputs=lambda workspace, settings: "", still_valid=None, look_closer=None, settle=None,
            set_aside=None, take_back=None,
            take_out=take_out if real.take_out else None,
        )  # fmt: skip

    def write(self, real: Stage, workspace: Workspace) -> None:
        if real.inside:
            workspace.database.write_text(workspace.database.read_text() + MATCHES)
            return
        for path in real.leaves(workspace):
            file = path if path.suffix else path / "file"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(real.name + "\n")


def fake_stages(monkeypatch: pytest.MonkeyPatch) -> Fakes:
    """Replace the real stages until `monkeypatch` is undone; no report, and no waiting for the disk."""
    found = Fakes()
    made = tuple(found.stage(real) for real in stage.all_stages())
    monkeypatch.setattr(stage, "all_stages", lambda: made)
    monkeypatch.setattr("os.fsync", lambda descriptor: None)  # survival of power cuts is tested elsewhere
    monkeypatch.setattr(job, "_write_report", lambda workspace, settings, progress: None)
    return found
