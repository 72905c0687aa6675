"""Speed of SuperPoint and SuperGlue: hugging-face transformers', our plain networks, and what the pipeline runs.

    python benchmarks/frontend.py [--photos DIR] [--weights bundled|DIR] [--keypoints 512 1024 2048] [--count 5]
                                  [--size 1600] [--rounds 3] [--device cpu] [--output benchmarks/results/frontend.md]

One process, the same weights and photos for all, which take turns in every round; each figure is the median of
the rounds. Photos: the pixels are in memory and fit all networks (sides are multiples of 8). Pairs: every pair of
the photos, the same keypoints for all, those of our plain SuperPoint. Ours includes going from numpy and back and
what is computed once a photo. "All layers" is ours made to compute also the layers that the weights leave at
zero, which the others always do. Identical: matches that the plain network and ours have in common, of all
matches that either has. OMP_NUM_THREADS says how many threads all of them may take.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import platform
import statistics
import sys
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "pipeline")]

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from hugging_face import (  # noqa: E402
    superglue_reference,
    superglue_to_reference,
    superpoint_reference,
    superpoint_to_reference,
)

from blender_recon3d.pipeline.events import UserError  # noqa: E402
from blender_recon3d.pipeline.images import EXTENSIONS, read_gray  # noqa: E402
from blender_recon3d.pipeline.memory import PeakMemory, resident_bytes  # noqa: E402
from blender_recon3d.pipeline.models import weights as weights_of  # noqa: E402
from blender_recon3d.pipeline.models.fast_superglue import FastSuperGlue  # noqa: E402
from blender_recon3d.pipeline.models.frontend import FeatureExtractor, Features, Matcher  # noqa: E402
from blender_recon3d.pipeline.models.superglue import (  # noqa: E402
    KeypointSet,
    SuperGlue,
    SuperGlueSettings,
    layers_of,
    normalise_keypoints,
)
from blender_recon3d.pipeline.models.superpoint import SuperPoint, SuperPointSettings  # noqa: E402
from blender_recon3d.pipeline.versions import package_version  # noqa: E402

THRESHOLD = 0.2  # least confidence of a match
Pair = tuple[Features, Features]
Method = Callable[[list[Any]], list[Any]]  # from photos to features, or from pairs to sets of matches


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
        methods = photo_methods(options, keypoints)
        results = compare(methods, photos, options.rounds)
        photo_rows.append(photo_row(keypoints, results))
        features = results["plain"]["found"]
        mean = round(statistics.mean(len(one.keypoints) for one in features))
        results = compare(pair_methods(options), list(combinations(features, 2)), options.rounds)
        pair_rows.append(pair_row(keypoints, mean, results))
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


# --- what is compared


def photo_methods(options: argparse.Namespace, keypoints: int) -> dict[str, Method]:
    tensors = weights_of.load("superpoint", options.weights)
    theirs = superpoint_reference(max_keypoints=keypoints).to(options.device)
    theirs.load_state_dict(superpoint_to_reference(tensors))
    plain = SuperPoint(SuperPointSettings(max_keypoints=keypoints)).eval().to(options.device)
    plain.load_state_dict(tensors)
    ours = FeatureExtractor(options.weights, options.device, keypoints, options.size)

    def as_tensor(photo: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(photo)[None, None].to(options.device).float() / 255

    def run_theirs(photos: list[np.ndarray]) -> list[Any]:
        return [theirs(as_tensor(photo).expand(-1, 3, -1, -1)).keypoints.cpu() for photo in photos]

    def run_plain(photos: list[np.ndarray]) -> list[Features]:
        found = []
        for photo in photos:
            points = plain(as_tensor(photo))[0]
            fields = (points.keypoints + 0.5, points.scores, points.descriptors)
            found.append(Features(*(field.cpu().numpy() for field in fields), photo.shape[::-1]))
        return found

    return {"theirs": run_theirs, "plain": run_plain, "ours": ours.extract}


def pair_methods(options: argparse.Namespace) -> dict[str, Method]:
    tensors = weights_of.load("superglue", options.weights)
    layers = layers_of(tensors)
    theirs = superglue_reference(THRESHOLD, layers).to(options.device)
    theirs.load_state_dict(superglue_to_reference(tensors), strict=False)
    plain = SuperGlue(SuperGlueSettings(layers=layers, threshold=THRESHOLD)).eval().to(options.device)
    plain.load_state_dict(tensors)
    ours = Matcher(options.weights, options.device, THRESHOLD)
    everything = Matcher(options.weights, options.device, THRESHOLD)
    network = ours.network
    everything.network = FastSuperGlue(
        tensors, network.settings, network.device, network.arithmetic, skip_identities=False
    )

    def side(features: Features, count: int | None = None) -> list[torch.Tensor]:
        fields = (features.keypoints - 0.5, features.scores, features.descriptors)
        return [torch.from_numpy(field[:count]).to(options.device) for field in fields]

    def run_theirs(pairs: list[Pair]) -> list[set[tuple[int, int]]]:
        """It wants equal numbers of keypoints: both sides have the smaller one."""
        found = []
        for pair in pairs:
            count = min(len(features.keypoints) for features in pair)
            xy, scores, descriptors = (
                torch.stack(values)[None] for values in zip(*(side(f, count) for f in pair), strict=True)
            )
            width, height = pair[0].image_size
            matches = theirs._match_image_pair(xy, descriptors, scores, height, width)[0]
            found.append(partners(matches.reshape(2, -1)[0].cpu().numpy()))
        return found

    def run_plain(pairs: list[Pair]) -> list[set[tuple[int, int]]]:
        found = []
        for pair in pairs:
            sets = []
            for features in pair:
                xy, scores, descriptors = side(features)
                sets.append(
                    KeypointSet(
                        normalise_keypoints(xy, features.image_size)[None], scores[None], descriptors[None]
                    )
                )
            found.append(partners(plain.match(*sets)[0][0].cpu().numpy()))
        return found

    def run_with(matcher: Matcher) -> Method:
        return lambda pairs: [set(map(tuple, matches.tolist())) for matches, _ in matcher.match(pairs)]

    return {"theirs": run_theirs, "plain": run_plain, "ours": run_with(ours), "all": run_with(everything)}


def partners(matches: np.ndarray) -> set[tuple[int, int]]:
    return {(int(index), int(matches[index])) for index in np.flatnonzero(matches >= 0)}


# --- how


def compare(methods: dict[str, Method], items: list[Any], rounds: int) -> dict[str, dict[str, Any]]:
    """Of each method: `rate`, items a second; `memory`, MB above what there was; `found`, its results."""
    results: dict[str, dict[str, Any]] = {name: {"rates": []} for name in methods}
    with torch.inference_mode():
        for method in methods.values():
            method(items[:1])  # what is made at first use does not count
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
    """Freed memory goes back to the system, so that one method's does not hide another's."""
    gc.collect()
    if platform.system() == "Linux":
        ctypes.CDLL(None).malloc_trim(0)


def identical(first: list[set[Any]], second: list[set[Any]]) -> float:
    common = sum(len(a & b) for a, b in zip(first, second, strict=True))
    return common / max(sum(len(a | b) for a, b in zip(first, second, strict=True)), 1)


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


def pair_row(keypoints: int, mean: int, results: dict[str, dict[str, Any]]) -> str:
    theirs, plain, ours, everything = (results[name] for name in ("theirs", "plain", "ours", "all"))
    cells = [
        f"{keypoints:,} ({mean:,})",
        *(f"{result['rate']:.3f}" for result in (theirs, plain, ours, everything)),
        *(f"{ours['rate'] / result['rate']:.1f}" for result in (theirs, plain)),
        f"{everything['rate'] / theirs['rate']:.1f}",
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
        f"{package_version(('transformers',))}; weights: {options.weights}, "
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
        "| all layers / transformers | identical matches | matches | memory: transformers | plain | ours |",
        "|---" * 13 + "|",
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
