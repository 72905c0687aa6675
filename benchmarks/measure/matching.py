"""Front-ends side by side, on the same photos in the same run: the table that decides which weights are bundled.

    python -m benchmarks.measure.matching [--weights bundled] [--weights NAME=DIR] [--only homographies synthetic ...]
                                  [--captures saharov herz-jesu-p25/2 ...] [--output DIR] [--markdown FILE] [--fast]

Methods: SuperPoint with SuperGlue and with mutual nearest neighbors, for each set of weights; SIFT of OpenCV (RootSIFT,
mutual nearest neighbors, ratio 0.8); SIFT of COLMAP. A folder without superglue.safetensors is compared only by nearest
neighbors; instead of a folder, a single file is accepted for such a SuperPoint (a checkpoint of a training in progress;
--fast evaluates it in about a minute). `--weights official` if the published weights are installed.

Sections: homographies, synthetic, pose, captures, pairs; see the modules of `matching_measures`, and
`pair_selection.py`. DIR/results.jsonl keeps every measurement with everything it depends on (the weights' sha256, the
libraries' versions, the settings), so that a run measures only what is missing; DIR/table.md is the table.
OMP_NUM_THREADS sets the number of threads.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import time
from pathlib import Path

import cv2
import torch

from benchmarks.common.places import ROOT
from benchmarks.matching.homographies import Homographies
from benchmarks.matching.methods import KINDS, Method, WeightSet, methods
from benchmarks.matching.reconstructions import QUALITY, Reconstructions, front_ends
from benchmarks.matching.records import Records
from benchmarks.matching.relative_pose import RelativePose
from benchmarks.matching.sections import Section, run_section
from benchmarks.matching.synthetic import Synthetic
from benchmarks.measure.captures import CAPTURES
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.models.front_ends import NAMES
from blender_recon3d.pipeline.models.registry import FILES, find, identity, is_available
from blender_recon3d.pipeline.system.versions import versions

SECTIONS = ("homographies", "synthetic", "pose", "captures", "pairs")
THINNED = (
    "saharov/2",
    "saharov/3",
    "herz-jesu-p25/2",
    "herz-jesu-p25/3",
    "fountain-p11/3",
    "monstree/3",
    "buddha/2",
)
EVERY_CAPTURE = (*CAPTURES, "buddha", *THINNED)
FAST_PAIRS = 34  # of `synthetic`, when the answer must come soon


def main() -> int:
    options = parse()
    cv2.setNumThreads(torch.get_num_threads())
    sets = weight_sets(options.weights, options.output)
    chosen = methods(sets, options.methods, options.device, options.precision)
    records = Records(options.output / "results.jsonl", options.fresh)
    text = heading(sets)
    for name in options.only:
        start = time.monotonic()
        text += "\n" + section(name, options, chosen, sets, records)
        sys.stderr.write(f"{name}: {time.monotonic() - start:.0f} s\n")
        for path in (
            options.output / "table.md",
            options.markdown,
        ):  # the results so far, in case the next one fails
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("# Front-ends side by side\n\n" + text, "utf-8")
    sys.stdout.write(text)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, default=ROOT.parent / "shared" / "data")
    add("--output", type=Path, default=ROOT / "build" / "matching", help="measurements and table")
    add("--markdown", type=Path, help="write the table here too")
    add(
        "--weights",
        action="append",
        metavar="W",
        help="bundled, official, DIR, FILE or NAME=DIR; several times",
    )
    add(
        "--methods",
        nargs="+",
        choices=KINDS,
        default=list(KINDS),
        help="SIFT is in `captures` whatever is chosen",
    )
    add("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="sections")
    add(
        "--captures",
        nargs="+",
        default=list(EVERY_CAPTURE),
        metavar="NAME",
        help="NAME/N is every Nth photo of it",
    )
    add("--front-ends", nargs="+", choices=NAMES, default=list(NAMES), help="captures: which, besides SIFT")
    add("--sample", type=int, default=0, help="synthetic: pairs (0: all)")
    add("--pose-pairs", type=int, default=100, help="pose: most pairs of a capture")
    add("--longest", type=int, default=640, help="homographies: photos are reduced to it, pixels")
    add("--keypoints", type=int, default=2048, help="homographies and pose: keypoints that are matched")
    add("--seed", type=int, default=0)
    add("--quality", choices=("preview", "medium", "high"), default=QUALITY, help="captures")
    add("--repeats", type=int, default=1, help="captures: runs, whose medians count")
    add("--keep", action="store_true", help="captures: keep the workspaces in the output folder")
    add("--fresh", action="store_true", help="measure everything again")
    add(
        "--fast",
        action="store_true",
        help=f"flat scenes and {FAST_PAIRS} warped pairs by nearest neighbors only",
    )
    add("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    add(
        "--precision",
        choices=("fp32", "bf16"),
        help="of the networks (default: what their self-tests choose)",
    )
    options = parser.parse_args()
    if options.fast:
        options.only, options.methods = ["homographies", "synthetic"], ["nearest"]
        options.sample = options.sample or FAST_PAIRS
    return options


def weight_sets(given: list[str] | None, output: Path) -> list[WeightSet]:
    """The sets named by --weights; without it, the bundled weights if there are any. A single file is copied into a
    folder below `output`. UserError, saying what to do, if there is no SuperPoint."""
    if given is None:
        return [WeightSet("bundled", "bundled")] if is_available("superpoint", "bundled") else []
    sets = []
    for text in given:
        label, _, folder = text.rpartition("=")
        path = Path(folder).expanduser()
        label = label or (f"{path.parent.name} {path.stem}" if path.is_file() else path.name)
        if path.is_file():  # a training in progress may replace it while it is measured
            folder = str(output / "weights" / label)
            shutil.rmtree(folder, ignore_errors=True)
            Path(folder).mkdir(parents=True)
            shutil.copyfile(path, Path(folder) / f"superpoint{path.suffix}")
        find("superpoint", folder)
        sets.append(WeightSet(label, folder))
    return sets


def section(
    name: str,
    options: argparse.Namespace,
    chosen: list[Method],
    sets: list[WeightSet],
    records: Records,
) -> str:
    """The section in Markdown; missing results are measured."""
    captures = options.data / "captures"
    made: Section
    if name == "captures":
        whole = Reconstructions(
            captures, options.captures, options.output, options.keep, options.repeats, options.quality
        )
        return whole.text(whole.run(front_ends(sets, options.device, options.front_ends), records))
    if name == "pairs":
        return pair_selection(captures, sets)
    if name == "homographies":
        made = Homographies(options.data / "homographies", options.longest, options.keypoints)
    elif name == "synthetic":
        made = Synthetic(options.data, options.sample, options.seed)
    else:
        made = RelativePose(captures, options.pose_pairs, options.seed, keypoints=options.keypoints)
    return made.text(run_section(made, chosen, records, told))


def pair_selection(captures: Path, sets: list[WeightSet]) -> str:
    """`pair_selection.py`'s table, for the sets that have a retrieval network."""
    from benchmarks.measure import pair_selection as measure

    able = [item for item in sets if is_available("efficientnet_b0", item.weights)]
    return str(measure.table(captures, [(item.label, item.weights) for item in able]))


def told(message: str) -> None:
    """On one line of a terminal; nowhere else, where thousands of lines would pile up."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{message}")


def heading(sets: list[WeightSet]) -> str:
    """What was measured with what, and where."""
    here = versions()
    names = ("recon3d", "torch", "pycolmap", "opencv", "numpy")
    weights = "; ".join(f"{item.label}: {networks(item)}" for item in sets) or "no weights are installed"
    return (
        f"{', '.join(f'{name} {here[name]}' for name in names)}; {processor()}, {os.cpu_count()} cores, "
        f"{torch.get_num_threads()} threads. Weights, by the beginnings of their sha256: {weights}.\n"
    )


def networks(item: WeightSet) -> str:
    """Which networks a set has, and which files they are."""
    return ", ".join(
        f"{name} {identity(name, item.weights)[:8]}" for name in FILES if is_available(name, item.weights)
    )


def processor() -> str:
    """The CPU's name, if the system provides it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(f"matching.py: {error}")
