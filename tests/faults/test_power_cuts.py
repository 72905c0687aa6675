"""A stage is recorded as done only when all its results would survive a power cut."""

import json
import sys
from pathlib import Path

import pytest

from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.stage import STAGES
from blender_recon3d.pipeline.workspace import Workspace
from tests.faults.sync_record import SyncRecord, watching

TRANSIENT = (
    "events.jsonl",
    "log.txt",
    "lock",
    "cancel",
    "live/",
    "report.",
)  # never read again


def transient(name: str) -> bool:
    return name.startswith(TRANSIENT) or name.endswith((".part", "-wal", "-shm"))


@pytest.mark.skipif(sys.platform != "linux", reason="Windows syncs no folders, macOS not by fsync")
def test_finished_stages_survive_a_power_cut(bench, tmp_path):
    """Each time state.json says that a stage is done, every file of the workspace has been synced."""
    workspace = Workspace(tmp_path / "workspace")
    record, lost = SyncRecord(), {}

    def check(source: Path, target: Path) -> None:
        if target == workspace.state_file:
            stages = json.loads(source.read_text())["stages"]
            done = [stage for stage in STAGES if stages.get(stage, {}).get("state") == "done"]
            if done and done[-1] not in lost:
                lost[done[-1]] = record.lost(
                    workspace.root, lambda name: transient(name) or name == "state.json"
                )

    settings = JobSettings.build(
        photos=(str(bench.photos),), features="sift", quality="preview", max_keypoints=1200, dense_size=160,
        faces=500, texture_size=256, until="texture", device="cpu",
    )  # fmt: skip
    with watching(record, check):
        run_job(workspace, settings, Progress())
    assert lost == {stage: [] for stage in STAGES}
    assert record.lost(workspace.root, transient) == []
