"""Are similar sides merged without a warning? One table of rendered objects, and one of real captures.

    python -m benchmarks.measure.symmetric WORK [--features sift learned] [--subjects NAME ...] [--captures DIR]
        [--names CAPTURE ...] [--keypoints N] [--size PX] [--done] [--markdown FILE]

WORK keeps photos, truth and workspaces, and finished ones are not run again. An object counts as wrong if a camera of
the model is off by more than a tenth of its distance to the object. A capture has no truth here: its model was checked
by eye, and is right where the tables of `benchmarks/results/captures.md` say so; none of them may be doubted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.common.places import ROOT
from benchmarks.common.symmetric_objects import SUBJECTS, write_photos
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.evaluation.alignment import robust_similarity
from blender_recon3d.pipeline.evaluation.truth import read_truth
from blender_recon3d.pipeline.events import read_events
from blender_recon3d.pipeline.files.atomic_files import read_json
from blender_recon3d.pipeline.workspace import Workspace

DISTANCE = 3.5  # of the cameras from the objects
WRONG = 0.1  # of it
CAPTURES = ("saharov", "monstree", "fountain-p11", "herz-jesu-p25", "sceaux", "buddha")


@dataclass(frozen=True)
class Outcome:
    """registered: out of `photos`; error: the worst camera's, relative to its distance, NaN without truth; doubted:
    whether the run warns that the model may be folded; laid_open: whether it mapped again without false pairs."""

    photos: int
    registered: int
    error: float
    doubted: bool
    laid_open: bool

    @property
    def wrong(self) -> bool:
        return self.error > WRONG

    def verdict(self, honest: bool) -> str:
        if self.wrong:
            return "wrong, warned" if self.doubted else "WRONG, NOT WARNED"
        if not self.doubted:
            return "right, laid open" if self.laid_open else "right"
        return "right, FALSE WARNING" if honest else "right, warned"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path, metavar="WORK")
    parser.add_argument("--features", nargs="+", default=["sift", "learned"])
    parser.add_argument("--subjects", nargs="*", default=[subject.name for subject in SUBJECTS])
    parser.add_argument("--captures", type=Path, help="a folder of NAME/photos")
    parser.add_argument("--names", nargs="*", default=list(CAPTURES), help="of the captures")
    parser.add_argument(
        "--keypoints",
        type=int,
        default=0,
        help="maximum number of keypoints per photo for learned front-ends",
    )
    parser.add_argument("--size", type=int, default=640, help="longest side of the captures, pixels")
    parser.add_argument("--done", action="store_true", help="only what is done in WORK already")
    parser.add_argument("--markdown", type=Path, help="write the tables here too")
    options = parser.parse_args()
    lines = ["# Sides that look alike", "", "| thing | front-end | photos | worst camera | verdict |",
             "|---|---|---|---|---|"]  # fmt: skip
    outcomes = []
    for name in options.subjects:
        subject = next(subject for subject in SUBJECTS if subject.name == name)
        folder = options.work / "things" / name.replace(", ", "-").replace(" ", "_")
        if not (folder / "truth" / "done").exists() and not options.done:
            write_photos(subject, folder)
            (folder / "truth" / "done").touch()
        for features in options.features:
            out = folder / features
            if options.done and not Workspace(out).report_json.exists():
                continue
            found = outcome(folder, out, features, options.keypoints, 1600, folder / "truth")
            if found:
                outcomes.append((subject.honest, found))
                lines.append(row(name, features, found, subject.honest))
                print(lines[-1], file=sys.stderr, flush=True)
    lines += ["", summary(outcomes), ""]
    if options.captures:
        lines += ["| capture | front-end | photos | warned |", "|---|---|---|---|"]
        for name in options.names:
            for features in options.features:
                out = options.work / "captures" / f"{name}-{features}"
                if options.done and not Workspace(out).report_json.exists():
                    continue
                found = outcome(options.captures / name, out, features, options.keypoints, options.size)
                if found:
                    warned = "WARNED" if found.doubted else "no"
                    lines.append(f"| {name} | {features} | {found.registered} of {found.photos} | {warned} |")
                    print(lines[-1], file=sys.stderr, flush=True)
    text = "\n".join(lines).rstrip() + "\n"
    sys.stdout.write(text)
    if options.markdown:
        options.markdown.write_text(text, "utf-8")
    return 0


def outcome(
    folder: Path, root: Path, features: str, keypoints: int, size: int, truth: Path | None = None
) -> Outcome | None:
    """One run, or its existing result; None, and a line, if there is no model."""
    workspace = Workspace(root)
    if not workspace.report_json.exists() or not workspace.model.exists():
        keys = 0 if features == "sift" else keypoints
        command = [
            sys.executable,
            "-m",
            "blender_recon3d.pipeline",
            "run",
            str(folder / "photos"),
            "-o",
            str(root),
        ]
        command += ["--features", features, "--quality", "preview", "--until", "sfm"]
        command += ["--feature-size", str(size), "--max-keypoints", str(keys)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            print(f"{root}: {done.stderr[-300:]}", file=sys.stderr)
            return None
    report = read_json(workspace.report_json, "")
    doubted = any(doubt["kind"] == "folded" for doubt in report["doubts"])
    messages = [event.message for event in read_events(workspace.events)[0]]
    laid_open = any(message.startswith("Sides of the subject look alike") for message in messages)
    model = pycolmap.Reconstruction(workspace.model)
    error = worst(model, truth) if truth else float("nan")
    return Outcome(len(workspace.used_photos()), model.num_reg_images(), error, doubted, laid_open)


def worst(model: pycolmap.Reconstruction, truth: Path) -> float:
    """The worst camera's error, relative to its distance to the object, after the best similarity."""
    centers = read_truth(truth).centers
    images = [model.image(number) for number in sorted(model.reg_image_ids())]
    ours = np.array([image.projection_center() for image in images])
    true = np.array([centers[image.name] for image in images])
    similarity, _ = robust_similarity(ours, true)
    return float(np.linalg.norm(similarity.apply(ours) - true, axis=1).max()) / DISTANCE


def row(name: str, features: str, found: Outcome, honest: bool) -> str:
    photos = f"{found.registered} of {found.photos}"
    return f"| {name} | {features} | {photos} | {100 * found.error:.1f} % | {found.verdict(honest)} |"


def summary(outcomes: list[tuple[bool, Outcome]]) -> str:
    wrong = [found for _, found in outcomes if found.wrong]
    silent = sum(1 for found in wrong if not found.doubted)
    false = sum(1 for honest, found in outcomes if honest and found.doubted)
    opened = sum(1 for _, found in outcomes if found.laid_open and not found.wrong)
    return (
        f"{len(outcomes)} runs: {len(wrong)} wrong models, {silent} of them without a warning; {opened} laid open; "
        f"{false} false warnings on things of which no side is like another."
    )


if __name__ == "__main__":
    sys.exit(main())
