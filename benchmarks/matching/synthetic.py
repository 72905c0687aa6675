"""Section `synthetic`: hard homographies of photos not used in any training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from blender_recon3d.pipeline.photos.image_files import read_rgb
from training.photos import HELD_OUT_EVERY

from . import planar
from .methods import Method, strongest
from .records import Values
from .sections import FeatureCache, Found, mean, share, table
from .warped_pairs import WarpedPair, warped_pair

COUNTS = (512, 1024)


class Synthetic:
    """One pair from each held-out photo, or from `sample` of them. data: the folder with train/photos; seed: for the
    pairs."""

    name = "synthetic"

    def __init__(self, data: Path, sample: int = 0, seed: int = 0) -> None:
        paths = sorted((data / "train" / "photos").glob("*.jpg"))[::HELD_OUT_EVERY]
        if not paths:
            raise SystemExit(f"No photos in {data / 'train' / 'photos'}: check --data.")
        self._paths = {path.stem: path for path in paths}
        count = min(sample, len(paths)) or len(paths)
        self._chosen = [list(self._paths)[k * len(paths) // count] for k in range(count)]
        self.settings: Values = {"seed": seed, "version": 1}
        self._features = FeatureCache(max(COUNTS))
        self._last: tuple[str, WarpedPair] | None = None

    def items(self) -> list[str]:
        return self._chosen

    def measure(self, method: Method, item: str) -> Values:
        pair = self._pair(item)
        first_view = self._features.get(method.extractor, f"{item} first", lambda: pair.first)
        second_view = self._features.get(method.extractor, f"{item} second", lambda: pair.second)
        values: Values = {}
        for count in COUNTS:
            first, second = (strongest(features, count) for features in (first_view, second_view))
            matches = method.matcher.match(first, second)
            matched = first.keypoints[matches[:, 0]], second.keypoints[matches[:, 1]]
            errors = planar.transfer_errors(*matched, pair.homography)
            truth = planar.true_matches(first.keypoints, second.keypoints, pair.homography)
            precision, recall = planar.precision_recall(matches, errors, truth)
            values[str(count)] = {
                "precision": precision,
                "recall": None if np.isnan(recall) else recall,
                "matches": len(matches),
                "true": len(truth),
                "keypoints": (len(first.keypoints) + len(second.keypoints)) / 2,
            }
        return values

    def _pair(self, item: str) -> WarpedPair:
        if self._last is None or self._last[0] != item:
            names = list(self._paths)
            index = names.index(item)
            other = names[(index + len(names) // 2) % len(names)]
            generator = np.random.default_rng([self.settings["seed"], index])
            pair = warped_pair(read_rgb(self._paths[item]), read_rgb(self._paths[other]), generator)
            self._last = item, pair
        return self._last[1]

    def text(self, found: Found) -> str:
        columns = ("precision", "recall", "right to find", "matches", "keypoints")
        header = ["method", *(f"{name}, {count:,}" for count in COUNTS for name in columns)]
        rows = []
        for label, items in found.items():
            row = [label]
            for count in COUNTS:
                values = [item[str(count)] for item in items.values()]
                row += [share(mean(value[name] for value in values)) for name in ("precision", "recall")]
                row += [
                    f"{mean(value[name] for value in values):,.0f}"
                    for name in ("true", "matches", "keypoints")
                ]
            rows.append(row)
        intro = (
            f"## Hard homographies of held-out photos\n\n{len(self._chosen)} pairs of about 640x480 px (seed "
            f"{self.settings['seed']}): rotated by up to 45 degrees, scale 0.6 to 1.6, perspective, other light, blur, "
            "noise and JPEG. Precision: matches within 3 px; recall: of the keypoints that have a partner (mutual "
            "nearest within 3 px). Means over the pairs, at most 512 and 1,024 keypoints a view.\n\n"
        )
        return intro + table(header, rows)
