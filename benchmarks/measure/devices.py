"""Whether another device gives the CPU's results, and how much faster.

    python -m benchmarks.measure.devices --device cuda [--photos demo/photos] [--output benchmarks/results/devices.md]

Keypoints: the share of the CPU's that the device finds within a tenth of a pixel, and the mean cosine of their
descriptors. Matches: those that both find for the CPU's keypoints, of all that either finds. Depth: from the cameras of
one run on the device, computed again on the CPU; the share of pixels that both fill, of those that either fills, and of
these the share whose depths are within a thousandth. Seconds: of each stage of that run; `dense` on both.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from benchmarks.common.places import ROOT
from blender_recon3d.pipeline.models.frontend import FeatureExtractor, Features, Matcher
from blender_recon3d.pipeline.mvs.depth_maps import read_map
from blender_recon3d.pipeline.photos.image_files import read_gray

SAME_PLACE = 0.1  # pixels
SAME_DEPTH = 1e-3  # of the depth
PHOTOS = 6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", choices=("cuda", "mps", "cpu"))
    parser.add_argument("--photos", type=Path, default=ROOT / "demo" / "photos")
    parser.add_argument("--features", default="learned")
    parser.add_argument("--quality", default="medium")
    parser.add_argument("--output", type=Path, help="write the table here too")
    options = parser.parse_args()
    rows = [_machine(options.device), "", "| what | agrees | CPU, s | device, s |", "|---|---|---|---|"]
    for part in (front_end, pipeline):
        rows += part(options)
        print("\n".join(rows), flush=True)
    if options.output:
        options.output.write_text("# Another device against the CPU\n\n" + "\n".join(rows) + "\n", "utf-8")
    return 0


def _machine(device: str) -> str:
    name = torch.cuda.get_device_name() if device == "cuda" else device
    return f"{name}, {os.cpu_count()} CPU cores, torch {torch.__version__}"


def front_end(options: argparse.Namespace) -> list[str]:
    photos = [read_gray(path) for path in sorted(options.photos.iterdir())[:PHOTOS]]
    found: dict[str, list[Features]] = {}
    matches, seconds = {}, {}
    for device in ("cpu", options.device):
        extractor, matcher = FeatureExtractor("bundled", device, 2048), Matcher("bundled", device)
        extractor.extract(photos[:1])
        start = time.perf_counter()
        found[device] = extractor.extract(photos)
        middle = time.perf_counter()
        encoded = [matcher.encode(features) for features in found["cpu"]]
        matches[device] = [set(map(tuple, pair)) for pair in _matched(matcher, encoded)]
        seconds[device] = (middle - start, time.perf_counter() - middle)
    near = [_alike(a, b) for a, b in zip(found["cpu"], found[options.device], strict=True)]
    share, cosine = np.mean([one[0] for one in near]), np.mean([one[1] for one in near])
    pairs = list(zip(matches["cpu"], matches[options.device], strict=True))
    common = sum(len(a & b) for a, b in pairs) / max(sum(len(a | b) for a, b in pairs), 1)
    (f_cpu, m_cpu), (f_device, m_device) = seconds["cpu"], seconds[options.device]
    return [
        f"| keypoints of {len(photos)} photos | {share:.2%}, cosine {cosine:.4f} | {f_cpu:.2f} | {f_device:.2f} |",
        f"| matches of {len(pairs)} pairs | {common:.2%} | {m_cpu:.2f} | {m_device:.2f} |",
    ]


def _matched(matcher: Matcher, encoded: list) -> list[np.ndarray]:
    return [result[0] for result in matcher.match([(a, b) for a, b in pairwise(encoded)])]


def _alike(first: Features, second: Features) -> tuple[float, float]:
    """The share of first's keypoints that second has, and the mean cosine of their descriptors."""
    distances = np.linalg.norm(first.keypoints[:, None] - second.keypoints[None], axis=2)
    nearest = distances.argmin(axis=1)
    same = distances[np.arange(len(nearest)), nearest] < SAME_PLACE
    cosine = (first.descriptors[same] * second.descriptors[nearest[same]]).sum(axis=1)
    return float(same.mean()), float(cosine.mean())


def pipeline(options: argparse.Namespace) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        there, here = Path(folder) / "device", Path(folder) / "cpu"
        run = ["run", str(options.photos), "-o", str(there), "--until", "dense", "--quality", options.quality]
        seconds = _run([*run, "--features", options.features, "--device", options.device])
        shutil.copytree(there, here)
        shutil.rmtree(here / "dense")
        again = _run(["dense", str(here), "--device", "cpu"])
        maps = sorted((there / "dense" / "stereo" / "depth_maps").glob("*.geometric.bin"))
        shares = [_depths(path, here / "dense" / "stereo" / "depth_maps" / path.name) for path in maps]
    both, alike = np.mean(shares, axis=0)
    rows = [
        f"| {stage} | | | {value:.1f} |" for stage, value in seconds.items() if stage not in ("dense", "job")
    ]
    agrees = f"{both:.2%} filled by both, {alike:.2%} of these alike"
    return [
        *rows,
        f"| dense, {len(maps)} photos | {agrees} | {again['dense']:.1f} | {seconds['dense']:.1f} |",
    ]


def _run(arguments: list[str]) -> dict[str, float]:
    """Seconds of each stage that the command ran. Raises CalledProcessError if it fails."""
    command = [sys.executable, "-m", "blender_recon3d.pipeline", *arguments, "--json"]
    process = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    events = [json.loads(line) for line in process.stdout.splitlines() if line.startswith("{")]
    times: dict[str, list[float]] = {}
    for event in events:
        times.setdefault(event["stage"], []).append(event["time"])
    return {stage: max(values) - min(values) for stage, values in times.items() if stage}


def _depths(first: Path, second: Path) -> tuple[float, float]:
    one, other = (read_map(path)[..., 0] for path in (first, second))
    either, both = (one > 0) | (other > 0), (one > 0) & (other > 0)
    alike = np.abs(one - other)[both] < SAME_DEPTH * one[both]
    return float(both.sum() / max(either.sum(), 1)), float(alike.mean())


if __name__ == "__main__":
    raise SystemExit(main())
