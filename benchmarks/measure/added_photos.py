"""Photos added to a finished workspace: what it costs, and what becomes of the cameras that were there.

    python -m benchmarks.measure.added_photos [--data DIR] [--capture NAME] [--photos 65] [--added 5]
        [--quality preview] [--until dense] [--keep DIR] [--markdown FILE]

The first photos of a capture are reconstructed as a whole, then without some in the middle (a gap in a walk around the
subject), then these are put into the folder. CPU seconds are those of the engine's processes: other work on the machine
hardly changes them. Seconds by stage are by the clock.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.places import ROOT
from benchmarks.common.show_table import show_table
from blender_recon3d.pipeline.colmap.model_files import read_model
from blender_recon3d.pipeline.evaluation.alignment import errors, robust_similarity
from blender_recon3d.pipeline.placing.kept_placement import poses_of
from blender_recon3d.pipeline.stage import up_to
from blender_recon3d.pipeline.workspace import Workspace


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "captures")
    parser.add_argument("--capture", default="buddha")
    parser.add_argument("--photos", type=int, default=65)
    parser.add_argument("--added", type=int, default=5)
    parser.add_argument("--quality", default="preview")
    parser.add_argument("--until", default="dense")
    parser.add_argument("--keep", type=Path, help="keep the workspaces in this folder")
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        photos = folder / "photos"
        photos.mkdir(parents=True, exist_ok=True)
        files = sorted((options.data / options.capture / "photos").iterdir())[: options.photos]
        late = files[len(files) // 2 :][: options.added]
        for path in files:
            shutil.copy(path, photos)
        whole, grown = Workspace(folder / "whole"), Workspace(folder / "grown")
        seconds = {"whole": run(photos, whole, options)}
        for path in late:
            (photos / path.name).unlink()
        seconds["before"] = run(photos, grown, options)
        before = poses_of(read_model(grown.model))
        for path in late:
            shutil.copy(path, photos)
        seconds["added"] = run(photos, grown, options)
        text = table(options, seconds, whole, grown, before)
    title = f"{options.added} photos added to {options.photos - options.added}"
    show_table(title, text, options.markdown)
    return 0


def run(photos: Path, workspace: Workspace, options: argparse.Namespace) -> float:
    """CPU seconds of a run."""
    words = ["run", photos, "-o", workspace.root, "--features", "sift", "--quality", options.quality]
    command = [sys.executable, "-m", "blender_recon3d.pipeline", *words, "--until", options.until]
    before = _cpu()
    if subprocess.run(list(map(str, command)), stdout=subprocess.DEVNULL).returncode:
        raise SystemExit(f"The run failed: see {workspace.log}.")
    return _cpu() - before


def _cpu() -> float:
    times = os.times()
    return times.children_user + times.children_system


def table(
    options: argparse.Namespace,
    seconds: dict[str, float],
    whole: Workspace,
    grown: Workspace,
    before: dict[str, np.ndarray],
) -> str:
    count, added = options.photos, options.added
    lines = ["| stage | all at once, s | added, s |", "|---|---|---|"]
    for stage in up_to(options.until):
        once, now = (each.read_state().stage(stage).seconds or 0.0 for each in (whole, grown))
        lines.append(f"| {stage} | {once:.0f} | {now:.0f} |")
    share = seconds["added"] / seconds["whole"]
    lines += [
        f"| **CPU, the whole run** | **{seconds['whole']:.0f}** | **{seconds['added']:.0f}** |",
        "",
        f"{options.capture}, {count} photos, {options.quality} quality, SIFT, until `{options.until}`. Adding {added} "
        f"photos to {count - added} costs {share:.1%} of the CPU time of all {count} at once (1/{1 / share:.1f}).",
        "",
        *_cameras(whole, grown, before),
    ]
    return "\n".join(lines) + "\n"


def _cameras(whole: Workspace, grown: Workspace, before: dict[str, np.ndarray]) -> list[str]:
    models: list[Any] = [read_model(each.model) for each in (whole, grown)]
    once, now = (poses_of(model) for model in models)
    moved = max(float(np.abs(now[name] - before[name]).max()) for name in before if name in now)
    names = sorted(set(once) & set(now))
    target, source = (np.stack([each[name][:, 3] for name in names]) for each in (once, now))
    found, _ = robust_similarity(source, target)
    apart = errors(found, source, target)
    size = float(np.median(np.linalg.norm(target - np.median(target, axis=0), axis=1)))
    new = [number for number, name in enumerate(names) if name not in before]
    error = [model.compute_mean_reprojection_error() for model in models]
    return [
        f"- Registered: {len(once)} at once, {len(now)} after adding; reprojection error {error[0]:.3f} and "
        f"{error[1]:.3f} px.",
        f"- Cameras that were there moved by at most {moved:g} (pose entries).",
        f"- Distance between the cameras of both ways, of their distance from the middle: {apart.mean() / size:.3%} "
        f"on average, the added ones {apart[new].mean() / size:.3%}.",
    ]


if __name__ == "__main__":
    sys.exit(main())
