"""Speed of SuperPoint and SuperGlue: hugging-face transformers', our plain networks, and what the pipeline runs.

    python -m benchmarks.measure.frontend [--photos DIR] [--weights bundled|DIR] [--keypoints 512 1024 2048] [--count 5]
                                  [--size 1600] [--rounds 3] [--device cpu] [--output benchmarks/results/frontend.md]

One process, the same weights and photos for all, in turns in every round; each figure is the median of the rounds.
Photos: the pixels are in memory and fit all networks (sides are multiples of 8). Pairs: every pair of the photos, the
same keypoints for all, those of our plain SuperPoint. Ours includes conversion from and to numpy and everything
computed once per photo. "All layers" is ours forced to compute also the layers that the weights leave at zero, as the
others always do; its share is of the operations per second of one large product in bf16. Identical: matches that the
plain network and ours have in common, of all that either has. OMP_NUM_THREADS sets the number of threads for all of
them.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import platform
import statistics
import sys
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from benchmarks.common.frontend_methods import THRESHOLD, Method, pair_methods, photo_methods
from benchmarks.common.places import ROOT
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.models import weights as weights_of
from blender_recon3d.pipeline.models.frontend import Matcher
from blender_recon3d.pipeline.models.superglue import layers_of
from blender_recon3d.pipeline.photos.extensions import EXTENSIONS
from blender_recon3d.pipeline.photos.image_files import read_gray
from blender_recon3d.pipeline.system.memory import PeakMemory, resident_bytes
from blender_recon3d.pipeline.system.versions import package_version


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, default=default_photos())
    parser.add_argument("--weights", default="bundled")
    parser.add_argument("--keypoints", type=int, nargs="+", default=[512, 1024, 2048])
    parser.add_argument("--count", type=int, default=5, help="photos, of which every pair is matched")
    parser.add_argument("--size", type=int, default=1600, help="longest side of the photos, pixels")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--output", type=Path, help="write the tables here too")
    options = parser.parse_args()
    try:
        text = measure(options)
    except UserError as error:
        parser.error(str(error))
    sys.stdout.write(text)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text("# The learned front-end's speed\n\n" + text, "utf-8")
    return 0


def default_photos() -> Path:
    capture = ROOT.parent / "shared" / "data" / "captures" / "saharov" / "photos"
    return capture if capture.is_dir() else ROOT / "demo" / "photos"


def measure(options: argparse.Namespace) -> str:
    photos = read_photos(options.photos, options.count, options.size)
    photo_rows, pair_rows = [], []
    for keypoints in options.keypoints:
        methods = photo_methods(options.weights, options.device, options.size, keypoints)
        results = compare(methods, photos, options.rounds)
        photo_rows.append(photo_row(keypoints, results))
        features = results["plain"]["found"]
        mean = round(statistics.mean(len(one.keypoints) for one in features))
        methods = pair_methods(options.weights, options.device)
        results = compare(methods, list(combinations(features, 2)), options.rounds)
        share = results["all"]["rate"] * pair_operations(options.weights, mean) / product_rate(options.device)
        pair_rows.append(pair_row(keypoints, mean, share, results))
        sys.stderr.write("\n".join((photo_rows[-1], pair_rows[-1], "")))
    return tables(options, photos, photo_rows, pair_rows)


def read_photos(folder: Path, count: int, size: int) -> list[np.ndarray]:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in EXTENSIONS)[:count]
    if len(paths) < 2:
        raise UserError(f"{folder} holds fewer than two photos: give --photos.")
    photos = []
    for path in paths:
        image = read_gray(path)
        shrink = min(1.0, size / max(image.shape))
        image = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        photos.append(np.ascontiguousarray(image[: image.shape[0] // 8 * 8, : image.shape[1] // 8 * 8]))
    return photos


# --- how


def compare(methods: dict[str, Method], items: list[Any], rounds: int) -> dict[str, dict[str, Any]]:
    """For each method: `rate`, items per second; `memory`, MB above the initial value; `found`, its results."""
    results: dict[str, dict[str, Any]] = {name: {"rates": []} for name in methods}
    with torch.inference_mode():
        for method in methods.values():
            method(items[:1])  # initialization on first use does not count
        for number in range(rounds):
            for name, method in methods.items():
                release_memory()
                before = resident_bytes()
                with PeakMemory() as peak:
                    start = time.perf_counter()
                    found = method(items)
                    seconds = time.perf_counter() - start
                results[name]["rates"].append(len(items) / seconds)
                if number == 0:
                    results[name].update(found=found, memory=(peak.bytes - before) / 2**20)
    for result in results.values():
        result["rate"] = statistics.median(result["rates"])
    return results


def release_memory() -> None:
    """Return freed memory to the system, so that one method's does not hide another's."""
    gc.collect()
    if platform.system() == "Linux":
        ctypes.CDLL(None).malloc_trim(0)


def identical(first: list[set[Any]], second: list[set[Any]]) -> float:
    common = sum(len(a & b) for a, b in zip(first, second, strict=True))
    return common / max(sum(len(a | b) for a, b in zip(first, second, strict=True)), 1)


def pair_operations(weights: str, keypoints: int) -> float:
    """Floating-point operations of all layers and the scores of a pair; additions and products count separately."""
    rows, layers = 2 * keypoints, layers_of(weights_of.load("superglue", weights))
    products = 256 * 768 + 512 * 512 + 512 * 256  # weights of a layer in our implementation
    return 2 * rows * (layers * (products + 2 * keypoints * 256) + 256 * 256 + keypoints / 2 * 256)


def product_rate(device: str) -> float:
    """Operations per second of a large product in bf16."""
    size, best = 4096 if device == "cuda" else 2048, 0.0
    one, other = (torch.rand(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    for _ in range(5):
        start = time.perf_counter()
        torch.sum(one @ other).item()
        best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best


# --- tables


def photo_row(keypoints: int, results: dict[str, dict[str, Any]]) -> str:
    theirs, plain, ours = (results[name] for name in ("theirs", "plain", "ours"))
    where = [[set(map(tuple, one.keypoints.tolist())) for one in r["found"]] for r in (plain, ours)]
    cells = [
        f"{keypoints:,}",
        *(f"{result['rate']:.2f}" for result in (theirs, plain, ours)),
        *(f"{ours['rate'] / result['rate']:.1f}" for result in (theirs, plain)),
        f"{identical(*where):.1%}",
        *(f"{result['memory']:,.0f} MB" for result in (theirs, plain, ours)),
    ]
    return "| " + " | ".join(cells) + " |"


def pair_row(keypoints: int, mean: int, share: float, results: dict[str, dict[str, Any]]) -> str:
    theirs, plain, ours, everything = (results[name] for name in ("theirs", "plain", "ours", "all"))
    cells = [
        f"{keypoints:,} ({mean:,})",
        *(f"{result['rate']:.3f}" for result in (theirs, plain, ours, everything)),
        *(f"{ours['rate'] / result['rate']:.1f}" for result in (theirs, plain)),
        f"{everything['rate'] / theirs['rate']:.1f}",
        f"{share:.0%}",
        f"{identical(plain['found'], ours['found']):.2%}",
        f"{statistics.mean(len(matches) for matches in ours['found']):.0f}",
        *(f"{result['memory']:,.0f} MB" for result in (theirs, plain, ours)),
    ]
    return "| " + " | ".join(cells) + " |"


def tables(
    options: argparse.Namespace, photos: list[np.ndarray], photo_rows: list[str], pair_rows: list[str]
) -> str:
    matcher = Matcher(options.weights, options.device, THRESHOLD)
    total = layers_of(weights_of.load("superglue", options.weights))
    arithmetic = matcher.network.arithmetic
    height, width = photos[0].shape
    lines = [
        f"{processor(options.device)}, {torch.get_num_threads()} threads; torch {torch.__version__}, transformers "
        f"{package_version(('transformers',))}; weights: {Path(options.weights).name}, "
        f"{matcher.network.layers} of {total} layers live; ours in {str(arithmetic.dtype).split('.')[1]}, "
        f"attention: {arithmetic.attention}. {len(photos)} photos of about {width} x {height} px of "
        f"{options.photos.parent.name}, {len(photos) * (len(photos) - 1) // 2} pairs; medians of {options.rounds} "
        "rounds.",
        "",
        "Photos a second. Memory: what each takes above what was there.",
        "",
        "| keypoints | transformers | plain | ours | ours / transformers | ours / plain | identical keypoints "
        "| memory: transformers | plain | ours |",
        "|---" * 10 + "|",
        *photo_rows,
        "",
        "Pairs a second. In brackets: keypoints a photo that there were.",
        "",
        "| keypoints | transformers | plain | ours | ours, all layers | ours / transformers | ours / plain "
        "| all layers / transformers | share of bf16 rate | identical matches | matches "
        "| memory: transformers | plain | ours |",
        "|---" * 14 + "|",
        *pair_rows,
        "",
    ]
    return "\n".join(lines)


def processor(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    try:
        names = [
            line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")
        ]
        return names[0]
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
