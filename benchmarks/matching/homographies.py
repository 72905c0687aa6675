"""Section `homographies`: photos of flat scenes with measured homographies (Mikolajczyk et al. 2005)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from blender_recon3d.pipeline.photos.image_files import read_gray

from . import planar
from .methods import Method, strongest
from .records import Values
from .sections import FeatureCache, Found, mean, reduced, share, table

SCENES = ("graf", "wall", "leuven", "bikes")
WHAT = {"graf": "viewpoint", "wall": "viewpoint", "leuven": "light", "bikes": "blur"}
TARGETS = (2, 3, 4, 5, 6)
COUNTS = (500, 2000)  # keypoints whose repeatability is measured
POOL = 4096  # keypoints found, before counting those in the common area
PIXELS = (1, 3, 5)


class Homographies:
    """Photo 1 of each scene against the others. data: the folder with the scenes; longest: pixels to which photos are
    reduced; keypoints: the number of strongest ones that are matched."""

    name = "homographies"

    def __init__(self, data: Path, longest: int = 640, keypoints: int = 2048) -> None:
        self._data = data
        self.settings: Values = {"longest": longest, "keypoints": keypoints, "version": 1}
        self._features = FeatureCache(POOL)
        self._photos: dict[Path, tuple[np.ndarray, tuple[float, float]]] = {}

    def items(self) -> list[str]:
        return [f"{scene} 1-{target}" for scene in SCENES for target in TARGETS]

    def measure(self, method: Method, item: str) -> Values:
        scene, pair = item.split()
        paths = [self._data / scene / f"img{number}.jpg" for number in pair.split("-")]
        homography = planar.in_colmap_pixels(
            np.loadtxt(self._data / scene / f"H1to{pair[-1]}p"),
            (self._photo(paths[0])[1], self._photo(paths[1])[1]),
        )
        first, second = (
            self._features.get(method.extractor, str(path), partial(self._pixels, path)) for path in paths
        )
        sizes = (first.image_size, second.image_size)
        points = (first.keypoints, second.keypoints)
        values: Values = {
            f"repeatability {count}": planar.repeatability(points, homography, sizes, count)
            for count in COUNTS
        }
        first, second = (strongest(found, self.settings["keypoints"]) for found in (first, second))
        matches = method.matcher.match(first, second)
        matched = first.keypoints[matches[:, 0]], second.keypoints[matches[:, 1]]
        errors = planar.transfer_errors(*matched, homography)
        corner = planar.corner_error(homography, planar.estimate_homography(*matched), first.image_size)
        return {
            **values,
            "matches": len(matches),
            "accuracy": planar.matching_accuracy(errors, PIXELS),
            "right": int((errors <= 3).sum()),
            "corner": corner if np.isfinite(corner) else None,
        }

    def _pixels(self, path: Path) -> np.ndarray:
        return self._photo(path)[0]

    def _photo(self, path: Path) -> tuple[np.ndarray, tuple[float, float]]:
        if path not in self._photos:
            self._photos[path] = reduced(read_gray(path), self.settings["longest"])
        return self._photos[path]

    def text(self, found: Found) -> str:
        pixels = "/".join(map(str, PIXELS))
        header = [
            "method",
            *(f"repeatability, {count:,} points" for count in COUNTS),
            f"MMA at {pixels} px",
            f"homography within {pixels} px",
            "matches",
            "right at 3 px",
        ]
        rows = [[label, *_summary(list(items.values()))] for label, items in found.items()]
        parts = [
            "## Flat scenes\n\n",
            f"Oxford's {', '.join(f'{name} ({WHAT[name]})' for name in SCENES)}: photo 1 with photos 2 to 6, at most "
            f"{self.settings['longest']} px; the {self.settings['keypoints']:,} strongest keypoints are matched. Means "
            "over the pairs.\n\n",
            table(header, rows),
        ]
        for title, value in (
            (f"Repeatability of {COUNTS[0]} points by scene", _repeated),
            ("MMA at 3 px by scene", _accuracy),
            ("Homographies within 3 px by scene", _within),
            ("Right matches at 3 px, pairs 1-2 / 1-3 / 1-4 / 1-5 / 1-6", _right),
        ):
            parts += [f"{title}:\n\n", _by_scene(found, value)]
        return "".join(parts)


def _summary(values: list[Values]) -> list[str]:
    accuracy = [mean(item["accuracy"][k] for item in values) for k in range(len(PIXELS))]
    within = [mean(float(_corner(item) < limit) for item in values) for limit in PIXELS]
    return [
        *(share(mean(item[f"repeatability {count}"] for item in values)) for count in COUNTS),
        " / ".join(map(share, accuracy)),
        " / ".join(f"{value:.2f}" for value in within),
        f"{mean(item['matches'] for item in values):,.0f}",
        f"{mean(item['right'] for item in values):,.0f}",
    ]


def _by_scene(found: Found, cell: Callable[[list[Values]], str]) -> str:
    rows = []
    for label, items in found.items():
        by_scene = {
            scene: [values for item, values in items.items() if item.split()[0] == scene] for scene in SCENES
        }
        rows.append([label, *(cell(values) for values in by_scene.values())])
    return table(["method", *SCENES], rows)


def _corner(values: Values) -> float:
    return float("inf") if values["corner"] is None else float(values["corner"])


def _repeated(values: list[Values]) -> str:
    return share(mean(item[f"repeatability {COUNTS[0]}"] for item in values))


def _accuracy(values: list[Values]) -> str:
    return share(mean(item["accuracy"][PIXELS.index(3)] for item in values))


def _within(values: list[Values]) -> str:
    return f"{sum(_corner(item) < 3 for item in values)} of {len(values)}"


def _right(values: list[Values]) -> str:
    return " / ".join(str(item["right"]) for item in values)
