"""Processor time and peak memory per photo and stage, for captures of 100 photos and more.

    python -m benchmarks.measure.scale [--counts 100 300 1000] [--until dense] [--keep DIR] [--incremental 300]
                                       [--markdown benchmarks/results/scale.md]

Both of COLMAP's mappers place the cameras, the incremental one up to --incremental photos; later stages use the last.
Walks around a courtyard of flat walls are rendered (`benchmarks/common/courtyard.py`); each stage runs in a process of
its own. Processor seconds (user and system) of a stage do not depend on what else the machine does, as wall time would.
With --keep, captures and finished stages are kept in DIR, and a later call continues; with --table-only it writes the
table of what is there. A second table compares the forecast with it (`pipeline/job_forecast.py`), whose unit, the speed
of this machine, is measured in processor seconds as well.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.common.courtyard import Courtyard
from benchmarks.common.places import ROOT
from benchmarks.common.show_table import show_table

SIZE = (400, 300)  # of the photos, pixels
ON_PAPER = 10_000  # photos of the last column
ASKED = 1000  # photos
LARGE = (4000, 3000)  # photos of a camera, pixels
OPTIONS: dict[str, Any] = {"features": "sift", "pairs": "retrieval", "device": "cpu", "max_keypoints": 600}
REPORT = "report"  # measured like a stage
MAPPERS = ("incremental", "global")
REACH = 7  # photos on either side that a photo is matched with
FUSION = "fusion in cells"  # the last step of dense once more, with little memory
FUSION_GB = 0.5
SPEED = "speed"  # measured like a stage: processor seconds for one megapixel of depth, the unit of forecasts
SPREAD = ("photos", "pairs", "features", "dense")  # stages that use all cores
TRIES = 5  # of that
CORES = 2  # that the forecast is for
SPREADS = round(0.85 * CORES + 0.15, 2)  # times as fast on all cores


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--until", default="dense")
    parser.add_argument("--incremental", type=int, default=300, help="photos, up to which it is measured")
    parser.add_argument("--table-only", action="store_true")
    parser.add_argument("--mapper", default="", help=argparse.SUPPRESS)
    parser.add_argument("--keep", type=Path, help="folder for captures and results, to continue from")
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    parser.add_argument("--stage", help=argparse.SUPPRESS)  # for the processes of stages
    options = parser.parse_args()
    if options.stage:
        return run_stage(options.stage, options.keep, options.mapper)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        measured = {count: measure(count, folder / str(count), options) for count in sorted(options.counts)}
    show_table("Time and memory per photo", markdown(measured), options.markdown)
    return 0


def measure(count: int, folder: Path, options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The figures of each stage; those that are there already are kept."""
    from blender_recon3d.pipeline.stage import up_to

    figures = folder / "figures.json"
    known: dict[str, dict[str, Any]] = json.loads(figures.read_text()) if figures.exists() else {}
    if options.table_only:
        return known
    if not (folder / "photos").is_dir():
        render(Courtyard(count, SIZE), folder / "photos")
    names = (SPEED, *up_to(options.until), *([FUSION] if options.until == "dense" else []), REPORT)
    parts = [part for name in names for part in rows_of(name)]
    if count > options.incremental:
        parts = [part for part in parts if part != ("sfm", "incremental")]
    for name, mapper in parts:
        row = title(name, mapper)
        if row not in known:
            words = ["--stage", name, "--keep", str(folder), "--mapper", mapper]
            command = [sys.executable, "-m", "benchmarks.measure.scale", *words]
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            if done.returncode:
                raise SystemExit(f"{row} of {count} photos failed")
            known[row] = json.loads(done.stdout.splitlines()[-1])
            figures.write_text(json.dumps(known))
            sys.stderr.write(f"{count} {row} {known[row]}\n")
    return known


def rows_of(name: str) -> list[tuple[str, str]]:
    """A stage's rows in the table: itself and no mapper, or itself with each of them."""
    return [(name, mapper) for mapper in MAPPERS] if name == "sfm" else [(name, "")]


def title(name: str, mapper: str) -> str:
    return f"{name}, {mapper}" if mapper else name


def render(courtyard: Courtyard, folder: Path) -> None:
    part = folder.with_name("photos.part")
    part.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(courtyard.names()):
        if not (part / name).exists():
            cv2.imwrite(str(part / name), courtyard.render(number).pixels, [cv2.IMWRITE_JPEG_QUALITY, 95])
    part.rename(folder)


def run_stage(name: str, folder: Path, mapper: str) -> int:
    """Run one stage of the workspace in `folder`, whose predecessors are done, and print its figures."""
    from blender_recon3d.pipeline import results
    from blender_recon3d.pipeline.colmap.database import write_pairs
    from blender_recon3d.pipeline.documents.state_json import StageRecord, StageState
    from blender_recon3d.pipeline.events import Progress
    from blender_recon3d.pipeline.report import write_report
    from blender_recon3d.pipeline.reset_results import reset
    from blender_recon3d.pipeline.settings import JobSettings
    from blender_recon3d.pipeline.stage import stage
    from blender_recon3d.pipeline.system.memory import PeakMemory
    from blender_recon3d.pipeline.workspace import Workspace

    workspace = Workspace(folder / "workspace")
    workspace.create()
    more = {"mapper": mapper} if mapper else {}
    settings = JobSettings.build("preview", photos=(str(folder / "photos"),), **OPTIONS, **more)
    summary: dict[str, Any] = {}
    before = processor_seconds()
    with PeakMemory() as peak:
        if name == SPEED:
            summary["unit"] = megapixel_of_depth()
        elif name == FUSION:
            summary = fused_in_cells(workspace.dense)
        elif name == REPORT:
            write_report(workspace, settings, Progress())
        else:
            own = stage(name)
            reset(own, workspace)
            workspace.write_stage(name, StageRecord(state=StageState.STARTED))
            summary = own.run(workspace, settings.stages[name], Progress())
            if name == "pairs":
                write_pairs(workspace.pairs, true_neighbors(len(workspace.used_photos())))
            files = results.files_of(workspace, name)
            workspace.write_stage(name, StageRecord(state=StageState.DONE, summary=summary), files=files)
    if name == "sfm":
        summary["center_mm"] = center_error(workspace, Courtyard(len(workspace.used_photos()), SIZE))
    seconds = processor_seconds() - before
    sys.stdout.write(
        "\n" + json.dumps({"seconds": round(seconds, 1), "bytes": peak.bytes, "summary": summary}) + "\n"
    )
    sys.stdout.flush()
    os._exit(0)  # native libraries may take long to end


def megapixel_of_depth() -> float:
    """Processor seconds, the least of some tries: other work on the machine slows the processor's caches."""
    from blender_recon3d.pipeline.mvs.depth_speed import measure
    from blender_recon3d.pipeline.stage_settings import DenseSettings

    views = DenseSettings().views
    return round(min(measure("cpu", views, time.process_time) for _ in range(TRIES)), 3)


def fused_in_cells(dense: Path) -> dict[str, Any]:
    """Fuse the maps in a linked copy of the folder."""
    from blender_recon3d.pipeline.events import Progress
    from blender_recon3d.pipeline.mvs.fusion import fuse
    from blender_recon3d.pipeline.stage_settings import DenseSettings

    told: list[int] = []
    settings, names = DenseSettings(), sorted(path.name for path in (dense / "images").iterdir())
    with tempfile.TemporaryDirectory(dir=dense.parent) as scratch:
        copy = Path(scratch) / "dense"
        shutil.copytree(dense, copy, copy_function=os.link)
        for made in copy.glob("fusion.ply*"):
            made.unlink()
        progress = Progress(lambda event: told.append(event.total))
        points = fuse(copy, names, settings.min_views, settings.point_spacing, FUSION_GB, progress)
    return {"points": len(points), "cells": max(told)}


def true_neighbors(count: int) -> list[tuple[str, str]]:
    """The pairs that are matched, as many as retrieval finds: to its network, the rendered walls look all alike."""
    names = Courtyard(count, SIZE).names()
    pairs = {tuple(sorted((i, (i + step) % count))) for i in range(count) for step in range(1, REACH + 1)}
    return [(names[first], names[second]) for first, second in sorted(pairs)]


def processor_seconds() -> float:
    """Of this process and the children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def center_error(workspace: Any, courtyard: Courtyard) -> float:
    """Median distance of camera centers from the truth after a similarity, mm."""
    from blender_recon3d.pipeline.colmap.model_files import read_model
    from blender_recon3d.pipeline.evaluation.alignment import robust_similarity

    model = read_model(workspace.mapped)
    truth, found = [], []
    for number in model.reg_image_ids():
        image = model.image(number)
        pose = courtyard.cam_from_world(int(Path(image.name).stem))
        truth.append(-pose[:, :3].T @ pose[:, 3])
        found.append(image.projection_center())
    aligned, _ = robust_similarity(np.array(found), np.array(truth))
    return round(1000 * float(np.median(np.linalg.norm(aligned.apply(np.array(found)) - truth, axis=1))), 1)


def markdown(measured: dict[int, dict[str, dict[str, Any]]]) -> str:
    """The table, with empty cells where nothing was measured; the sum is of the stages that all counts have."""
    from blender_recon3d.pipeline.stage import STAGES

    counts = sorted(measured)
    head = [f"{count:,} photos" for count in counts]
    lines = [
        f"| stage | {' | '.join(f'{text}, s a photo' for text in head)} | last / first | "
        f"{' | '.join(f'{text}, peak' for text in head)} | {ON_PAPER:,} photos |",
        "|---|" + "---|" * (2 * len(counts) + 2),
    ]
    rows = [title(*part) for name in (*STAGES, FUSION, REPORT) for part in rows_of(name)]
    rows = [row for row in rows if any(row in measured[count] for count in counts)]
    for row in rows:
        known = [count for count in counts if row in measured[count]]
        seconds = {count: measured[count][row]["seconds"] for count in known}
        peaks = {count: measured[count][row]["bytes"] / 2**30 for count in known}
        lines.append(_row(row, seconds, peaks, counts))
    common = [row for row in rows if row != FUSION and all(row in measured[count] for count in counts)]
    total = {count: sum(measured[count][row]["seconds"] for row in common) for count in counts}
    lines.append(_row("all that every count has", total, {}, counts))
    placed = [
        f"{count:,} photos, {mapper}: {summary['photos']:,} placed, {summary['center_mm']} mm"
        for count in counts
        for mapper in MAPPERS
        if (summary := measured[count].get(title("sfm", mapper), {}).get("summary"))
    ]
    note = (
        f"Photos of {SIZE[0]} x {SIZE[1]} pixels, SIFT, at most {OPTIONS['max_keypoints']} keypoints, preview quality, "
        f"CPU; processor seconds. {ON_PAPER:,} photos: hours on one core and GB, from the line through the last two "
        f"counts; depth keeps to --memory, here 4 GB, and {FUSION} to {FUSION_GB} GB. {_overnight(measured)}"
        f"Cameras placed, and their median distance from the truth: {'; '.join(placed)}."
    )
    return "\n".join([*lines, "", note, "", *forecasts(measured), ""])


def forecasts(measured: dict[int, dict[str, dict[str, Any]]]) -> list[str]:
    """The second table: the forecast over what was measured, of the stages and of all of them together."""
    unit = float(np.median([each[SPEED]["summary"]["unit"] for each in measured.values() if SPEED in each]))
    ratios = {
        count: compare(count, {row: each["seconds"] for row, each in rows.items()}, unit)
        for count, rows in measured.items()
    }
    names = list(dict.fromkeys(row for each in ratios.values() for row in each))
    head = " | ".join(f"{count:,} photos" for count in sorted(ratios))
    lines = [f"| forecast / measured | {head} |", "|---|" + "---|" * len(ratios)]
    for name in names:
        cells = [f"{ratios[count][name]:.2f}" if name in ratios[count] else "" for count in sorted(ratios)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    note = (
        f"On {CORES} cores, over which {', '.join(SPREAD)} spread: measured are processor seconds, divided by "
        f"{SPREADS} for these. Unit of the forecast: {unit} processor seconds for one megapixel of depth."
    )
    from blender_recon3d.pipeline.job_forecast import forecast_job, memory, total
    from blender_recon3d.pipeline.settings import JobSettings

    whole = []
    for features in ("sift", "learned"):
        settings = JobSettings.build("preview", photos=("x",), features=features, device="cpu")
        asked = forecast_job([LARGE] * ASKED, settings, unit=unit)
        hours = total(asked.seconds, "dense") / 3600
        whole.append(
            f"{hours:.1f} hours and {memory(asked, 'dense') / 2**30:.1f} GB with --features {features}"
        )
    note += (
        f" {ASKED:,} photos of {LARGE[0]:,} x {LARGE[1]:,} pixels are forecast so at preview quality, up to the cloud: "
        f"{', '.join(whole)}."
    )
    return [*lines, "", note]


def compare(count: int, seconds: dict[str, float], unit: float) -> dict[str, float]:
    """Forecast over measured processor seconds, by row of the table and of the "whole", for a capture of this kind."""
    from blender_recon3d.pipeline.job_forecast import RETRIEVED, forecast_job
    from blender_recon3d.pipeline.settings import JobSettings
    from blender_recon3d.pipeline.stage_settings import GLOBAL_FROM

    ratios, sums = {}, [0.0, 0.0]
    chosen = "global" if count >= GLOBAL_FROM else "incremental"
    for row, processor in seconds.items():
        name, _, mapper = row.partition(", ")
        more: dict[str, Any] = {"mapper": mapper} if mapper else {}
        settings = JobSettings.build(
            "preview", photos=("x",), neighbors=round(REACH / RETRIEVED), **OPTIONS, **more
        )
        expected = forecast_job([SIZE] * count, settings, unit=unit).seconds.get(name)
        if not expected:
            continue
        real = processor / SPREADS if name in SPREAD else processor
        ratios[row] = expected / real
        if mapper in ("", chosen):
            sums = [sums[0] + expected, sums[1] + real]
    return {**ratios, "whole": sums[0] / sums[1]}


def _row(name: str, seconds: dict[int, float], peaks: dict[int, float], counts: list[int]) -> str:
    """seconds: of all photos, peaks: GB, both by the number of photos."""
    each = {count: value / count for count, value in seconds.items()}
    first, last = min(each), max(each)
    cells = [f"{each[count]:.3f}" if count in each else "" for count in counts]
    cells.append(f"{each[last] / each[first]:.2f}" if last > first and each[first] else "")
    cells += [f"{peaks[count]:.2f} GB" if count in peaks else "" for count in counts]
    if len(seconds) < 2 or name == title("sfm", "incremental"):  # which does not grow by a line
        return f"| {name} | {' | '.join(cells)} | |"
    memory = f", {_line(peaks):.1f} GB" if peaks else ""
    if name in ("dense", FUSION):  # which keep to --memory, from some number of photos on
        memory = ", as set"
    return f"| {name} | {' | '.join(cells)} | {_line(seconds) / 3600:.1f} h{memory} |"


def _line(values: dict[int, float], photos: int = ON_PAPER) -> float:
    """The straight line through the last two counts, at that many photos."""
    counts = sorted(values)
    slope = (values[counts[-1]] - values[counts[-2]]) / (counts[-1] - counts[-2])
    return max(values[counts[-1]], values[counts[-1]] + slope * (photos - counts[-1]))


def _overnight(measured: dict[int, dict[str, dict[str, Any]]]) -> str:
    """What ASKED photos cost up to the cloud, from what was measured with as many, and the lines for the rest."""
    from blender_recon3d.pipeline.stage import up_to

    total, part, first = 0.0, 0.0, 0.0
    counts = sorted(measured)
    for name in up_to("dense"):
        row = title(name, "global" if name == "sfm" else "")
        seconds = {count: measured[count][row]["seconds"] for count in counts if row in measured[count]}
        if len(seconds) < 2:
            return ""
        part += seconds.get(ASKED, 0.0)
        total += seconds.get(ASKED) or _line(seconds, ASKED)
        first += seconds[min(seconds)] / min(seconds)
    return (
        f"{ASKED:,} photos up to the cloud, with the global mapper: {total / 3600:.2f} hours on one core, of which "
        f"{part / 3600:.2f} measured and the rest from the lines; {total / ASKED / first:.2f} times as long for each "
        f"photo as with {counts[0]} photos. "
    )


if __name__ == "__main__":
    sys.exit(main())
