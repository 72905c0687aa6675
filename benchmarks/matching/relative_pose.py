"""Section `pose`: relative poses of pairs of photos whose cameras were measured (Strecha et al. 2008)."""

from __future__ import annotations

from functools import partial
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np

from blender_recon3d.pipeline.evaluation.alignment import angles
from blender_recon3d.pipeline.evaluation.truth import Truth, read_truth
from blender_recon3d.pipeline.photos.image_files import read_gray

from . import epipolar
from .methods import Method
from .records import Values
from .sections import FeatureCache, Found, mean, reduced, share, table

CAPTURES = ("fountain-p11", "herz-jesu-p25")
LIMITS = (5, 10, 20)  # degrees
NEAR = 2.0  # pixels to the true epipolar line; the truth is accurate to about one
TURNS = (0, 15, 30, 60, 180)  # degrees between the views; the limits of the groups


class RelativePose:
    """Pairs of both captures, near and far. data: the folder with the captures; pairs: maximum per capture, drawn with
    `seed`; longest: pixels to which photos are reduced; keypoints: the number of strongest ones that are matched."""

    name = "pose"

    def __init__(
        self, data: Path, pairs: int = 100, seed: int = 0, longest: int = 1600, keypoints: int = 2048
    ) -> None:
        self._data = data
        self._pairs = pairs
        self._seed = seed
        self._truth: dict[str, Truth] = {}
        self._features = FeatureCache(keypoints)
        self.settings: Values = {"longest": longest, "keypoints": keypoints, "threshold": 1.0, "version": 2}

    def items(self) -> list[str]:
        chosen = []
        for capture in CAPTURES:
            names = sorted(self._cameras(capture).rotations)
            pairs = list(combinations(names, 2))
            order = np.random.default_rng(self._seed).permutation(len(pairs))[: self._pairs]
            chosen += [f"{capture} {' '.join(pairs[index])}" for index in sorted(order)]
        return chosen

    def measure(self, method: Method, item: str) -> Values:
        capture, *names = item.split()
        cameras = self._cameras(capture)
        truth = epipolar.relative_pose(
            *((cameras.rotations[name], cameras.centers[name]) for name in names)  # type: ignore[arg-type]
        )
        paths = [self._data / capture / "photos" / name for name in names]
        first, second = (
            self._features.get(method.extractor, str(path), partial(self._photo, path)) for path in paths
        )
        intrinsics = (
            self._intrinsics(capture, names[0], first.image_size),
            self._intrinsics(capture, names[1], second.image_size),
        )
        matches = method.matcher.match(first, second)
        points = first.keypoints[matches[:, 0]], second.keypoints[matches[:, 1]]
        near = epipolar.epipolar_distances(points, intrinsics, truth) <= NEAR
        pose, inliers = epipolar.estimate_pose(points, intrinsics, self.settings["threshold"])
        errors = None if pose is None else epipolar.pose_error(pose, truth)
        return {
            "degrees": None if errors is None else max(errors),
            "rotation": None if errors is None else errors[0],
            "matches": len(matches),
            "inliers": inliers,
            "near": int(near.sum()),
            "turn": float(angles(truth[0][None], np.eye(3)[None])[0]),
        }

    def _cameras(self, capture: str) -> Truth:
        if capture not in self._truth:
            self._truth[capture] = read_truth(self._data / capture / "truth")
        return self._truth[capture]

    def _photo(self, path: Path) -> np.ndarray:
        return reduced(read_gray(path), self.settings["longest"])[0]

    def _intrinsics(self, capture: str, name: str, size: tuple[int, int]) -> np.ndarray:
        """K for the photo as matched; the file's K is for the original photo, in coordinates with the first pixel's
        center at 0.
        """
        path = self._data / capture / "truth" / f"{name}.camera"
        numbers = np.array(path.read_text("utf-8").split(), np.float64)
        matrix = numbers[:9].reshape(3, 3)
        matrix[:2, 2] += 0.5
        return np.diag([size[0] / numbers[24], size[1] / numbers[25], 1.0]) @ matrix

    def text(self, found: Found) -> str:
        counts = ", ".join(
            f"{sum(_capture(item) == name for item in self.items())} pairs of {name}" for name in CAPTURES
        )
        return (
            f"## Relative poses\n\n{counts} (seed {self._seed}), at most {self.settings['longest']} px, "
            f"{self.settings['keypoints']:,} keypoints, known intrinsics, USAC_ACCURATE at "
            f"{self.settings['threshold']:g} px. Error: the larger of the angles between rotations and between "
            "directions of translation.\n\n"
            + _together(found)
            + "AUC at 10° by the angle between the two views (pairs):\n\n"
            + _by_turn(found)
        )


def _together(found: Found) -> str:
    limits = "/".join(map(str, LIMITS))
    header = ["method", *(f"{name}, AUC at {limits}°" for name in (*CAPTURES, "all")), "matches"]
    header += [f"within {NEAR:g} px of the true line", "inliers", "without a pose"]
    rows = []
    for label, items in found.items():
        values = list(items.values())
        groups = [[v for item, v in items.items() if _capture(item) == name] for name in CAPTURES]
        row = [label, *(" / ".join(f"{100 * a:.1f}" for a in _areas(group)) for group in (*groups, values))]
        row.append(f"{mean(v['matches'] for v in values):,.0f}")
        row.append(share(mean(v["near"] / max(v["matches"], 1) for v in values)))
        row.append(f"{mean(v['inliers'] for v in values):,.0f}")
        row.append(str(sum(v["degrees"] is None for v in values)))
        rows.append(row)
    return table(header, rows)


def _by_turn(found: Found) -> str:
    ranges = list(pairwise(TURNS))
    rows = []
    for label, items in found.items():
        row = [label]
        for low, high in ranges:
            group = [values for values in items.values() if low <= values["turn"] < high]
            row.append(f"{100 * _areas(group)[LIMITS.index(10)]:.1f} ({len(group)})" if group else "")
        rows.append(row)
    return table(["method", *(f"{low}° to {high}°" for low, high in ranges)], rows)


def _capture(item: str) -> str:
    return item.split()[0]


def _areas(values: list[Values]) -> list[float]:
    errors = [float("inf") if item["degrees"] is None else float(item["degrees"]) for item in values]
    return epipolar.area_under_curve(errors, LIMITS)
