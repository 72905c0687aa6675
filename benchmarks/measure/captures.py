"""Ours against plain COLMAP on real captures, in the same run: photos registered, points, errors, seconds.

    python -m benchmarks.measure.captures [--data DIR] [CAPTURE ...] [--repeats 3] [--markdown FILE]

DIR contains CAPTURE/photos and, if available, CAPTURE/truth. Ours is `recon3d run --features sift --until sfm`; plain
COLMAP is extract_features (camera mode AUTO), match_exhaustive and incremental_mapping with their defaults on the
original photos, at the same image size. Every run has its own process; with several repeats each figure is the
median. COLMAP's RANSAC is not deterministic with several threads: figures differ by some percent from run to run,
camera errors by a tenth.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.common.places import ROOT
from benchmarks.common.show_table import show_table
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.atomic_files import write_json
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.workspace import Workspace

CAPTURES = ("saharov", "monstree", "fountain-p11", "herz-jesu-p25", "sceaux")
METHODS = ("ours", "COLMAP")
SINGLE = "COLMAP, one camera"  # the choice of a user who knows that one camera took all photos
NOISE = 1.1  # a camera error larger than COLMAP's by less than this factor is not significant


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("captures", nargs="*", metavar="CAPTURE", default=list(CAPTURES))
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "captures")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    parser.add_argument("--keep", type=Path, help="keep the workspaces in this folder")
    parser.add_argument(
        "--single", action="store_true", help="also COLMAP with one camera shared by all photos"
    )
    parser.add_argument("--one", nargs=2, metavar=("METHOD", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        run_one(options.one[0], options.data / options.captures[0], Path(options.one[1]))
        return 0
    found: dict[str, dict[str, dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for capture in options.captures:
            found[capture] = {}
            for method in (*METHODS, SINGLE) if options.single else METHODS:
                folder = (options.keep or Path(scratch)) / capture / method
                runs = [
                    measure(method, options.data, capture, folder / str(n)) for n in range(options.repeats)
                ]
                found[capture][method] = median(runs)
                print(f"{capture}, {method}: {found[capture][method]}", file=sys.stderr)
    text = markdown(found, options.repeats)
    show_table("Real captures: ours and plain COLMAP", text, options.markdown)
    return 0


def measure(method: str, data: Path, capture: str, out: Path) -> dict[str, Any]:
    """One run in a separate process, whose output goes to OUT/log.txt; returns its figures."""
    if not (data / capture / "photos").is_dir():
        raise SystemExit(f"{data / capture} holds no photos: check --data and the capture's name.")
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", __spec__.name, capture, "--data", str(data), "--one", method, str(out)]
    with open(out / "benchmark.log", "w") as log:
        done = subprocess.run(command, stdout=log, stderr=log)
    if done.returncode:
        raise SystemExit(f"{method} failed on {capture}: see {out / 'benchmark.log'}.")
    return dict(json.loads((out / "figures.json").read_text()))


def run_one(method: str, capture: Path, out: Path) -> None:
    """Run `method` and write OUT/figures.json."""
    start = time.monotonic()
    workspace = run_ours(capture, out) if method == "ours" else run_colmap(capture, out, method == SINGLE)
    seconds = time.monotonic() - start
    from blender_recon3d.pipeline.colmap.calls import pycolmap
    from blender_recon3d.pipeline.evaluation.evaluate import evaluate
    from blender_recon3d.pipeline.system.memory import resident_bytes

    model = pycolmap.Reconstruction(workspace.model)
    figures: dict[str, Any] = {
        "photos": len(workspace.used_photos()),
        "registered": model.num_reg_images(),
        "points": model.num_points3D(),
        "reprojection": model.compute_mean_reprojection_error(),
        "track": model.compute_mean_track_length(),
        "seconds": seconds,
        "memory_mb": peak_mb() or resident_bytes() / 2**20,
    }
    if (capture / "truth").is_dir():
        errors = evaluate(workspace, capture / "truth")
        meters = errors["units"] == "m"
        scale = 1000.0 if meters else 100.0 / ring(capture / "truth")
        figures["unit"] = "mm" if meters else "% of the ring's radius"
        figures["camera_mean"] = scale * errors["cameras"]["centre"]["mean"]
        figures["camera_max"] = scale * errors["cameras"]["centre"]["max"]
        figures["degrees"] = errors["cameras"]["rotation_degrees"]["mean"]
    write_json(out / "figures.json", figures)


def run_ours(capture: Path, out: Path) -> Workspace:
    from blender_recon3d.pipeline.job import run_job

    workspace = Workspace(out / "workspace")
    settings = JobSettings.build(photos=(str(capture / "photos"),), features="sift", until="sfm")
    run_job(workspace, settings, Progress())
    return workspace


def run_colmap(capture: Path, out: Path, single: bool) -> Workspace:
    """COLMAP's own defaults. The result is laid out as a workspace, so that the same code evaluates both."""
    from blender_recon3d.pipeline.colmap.calls import pycolmap
    from blender_recon3d.pipeline.photos.exif import read_exif
    from blender_recon3d.pipeline.photos.image_files import open_photo

    folder, workspace = capture / "photos", Workspace(out / "workspace")
    workspace.create()
    options = pycolmap.FeatureExtractionOptions()
    options.use_gpu = False
    options.max_image_size = JobSettings.build().features.max_size
    matching = pycolmap.FeatureMatchingOptions()
    matching.use_gpu = False
    mode = pycolmap.CameraMode.SINGLE if single else pycolmap.CameraMode.AUTO
    pycolmap.extract_features(workspace.database, folder, camera_mode=mode, extraction_options=options)
    pycolmap.match_exhaustive(workspace.database, matching)
    workspace.sparse.mkdir(exist_ok=True)
    models = pycolmap.incremental_mapping(workspace.database, folder, out / "models")
    if not models:
        raise UserError(f"COLMAP finds no model of {capture.name}.")
    largest = max(models.values(), key=lambda model: model.num_reg_images())
    workspace.model.mkdir(exist_ok=True)
    largest.write(workspace.model)
    photos = []
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        with open_photo(path) as image:
            orientation = read_exif(image).orientation
        photos.append(
            {
                "name": path.name,
                "source": str(path),
                "state": "used",
                "reason": "",
                "orientation": orientation,
            }
        )
    write_json(workspace.photos, {"version": 1, "source": str(folder), "cameras": [], "photos": photos})
    return workspace


def ring(truth: Path) -> float:
    """Root mean square distance of the true cameras from their center, in the truth's units."""
    import numpy as np

    from blender_recon3d.pipeline.evaluation.truth import read_truth

    centers = np.stack(list(read_truth(truth).centers.values()))
    return float(np.sqrt(((centers - centers.mean(axis=0)) ** 2).sum(axis=1).mean()))


def peak_mb() -> float:
    """Largest resident size of this process; 0 if the system does not provide it."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of each number over the runs."""
    return {
        key: statistics.median(run[key] for run in runs) if isinstance(value, (int, float)) else value
        for key, value in runs[0].items()
    }


def markdown(found: dict[str, dict[str, dict[str, Any]]], repeats: int) -> str:
    """A table with a row per method, and what is worse than COLMAP."""
    lines = [
        "| capture | method | registered | points | photos a point | reprojection | camera center, mean (max) "
        "| rotation | seconds | memory |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    worse = []
    for capture, methods in found.items():
        for method, row in methods.items():
            error = (
                f"{row['camera_mean']:.2f} ({row['camera_max']:.2f}) {row['unit']}" if "unit" in row else ""
            )
            angle = f"{row['degrees']:.3f}°" if row.get("degrees") is not None else ""
            lines.append(
                f"| {capture} | {method} | {row['registered']:g} of {row['photos']:g} | {row['points']:,.0f} "
                f"| {row['track']:.2f} | {row['reprojection']:.3f} px | {error} | {angle} "
                f"| {row['seconds']:.0f} | {row['memory_mb']:,.0f} MB |"
            )
        ours, other = (methods[method] for method in METHODS)
        if ours["registered"] < other["registered"]:
            worse.append(
                f"{capture}: {ours['registered']:g} photos registered against {other['registered']:g}"
            )
        if "unit" in ours and ours["camera_mean"] > NOISE * other["camera_mean"]:
            worse.append(
                f"{capture}: camera error {ours['camera_mean']:.2f} against {other['camera_mean']:.2f}"
            )
    from blender_recon3d.pipeline.system.versions import versions

    here = versions()
    runs = "one run" if repeats == 1 else f"medians of {repeats} runs"
    note = f"{runs}; recon3d {here['recon3d']}, pycolmap {here['pycolmap']}, CPU only."
    verdict = "Worse than plain COLMAP: " + ("; ".join(worse) if worse else "nothing") + "."
    return "\n".join([*lines, "", note[0].upper() + note[1:], "", verdict, ""])


if __name__ == "__main__":
    sys.exit(main())
