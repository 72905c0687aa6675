"""The quality of descriptors in ALIKED's space on unseen photos: close to the teacher's, distinctive, and matched by
LightGlue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from blender_recon3d.pipeline.evaluation.truth import Truth, read_truth
from blender_recon3d.pipeline.models.superpoint import Keypoints, SuperPoint, SuperPointSettings, keypoints_of

from ..photometric import change_light
from ..photos import PhotoStack, gray, stack_gray
from ..superpoint.validation import HARD, VIEW, compare
from ..warps import random_pair, sample_views
from .teacher import LightGlueMatcher
from .views import read_view

# RGB [3, H, W] in [0, 1] and points [N, 2] to descriptors [N, D] of length 1
Describe = Callable[[Tensor, Tensor], Tensor]

HELD_VIEWS = 40
HOMOGRAPHIES, POINTS = 24, 300
PAIR_SIZE, PAIR_POINTS = (768, 512), 512  # width, height; the photos are 3:2
NEAR = 2.0  # pixels to the true epipolar line
CAPTURES = {
    "fountain-p11": (2, 4, 6),
    "herz-jesu-p25": (3, 6, 9),
}  # steps along the path between a pair's photos
PAIRS_A_STEP = 3


@dataclass
class Photo:
    """rgb: [3, H, W] in [0, 1]; xy: [N, 2], SuperPoint's keypoints."""

    rgb: Tensor
    xy: Tensor


@dataclass
class Pair:
    """Names of two photos and the fundamental matrix float64 [3, 3]: x_second^T F x_first = 0."""

    first: str
    second: str
    fundamental: np.ndarray


class Validation:
    """Always the same photos. cache: with the views of the list "held"; photos: held-out ones; captures: the folder
    with captures that have true cameras (if there are none, that measure is left out)."""

    def __init__(self, superpoint: SuperPoint, cache: Path, photos: list[np.ndarray], captures: Path) -> None:
        self.superpoint = superpoint
        self.cache = cache
        self.stack: PhotoStack = stack_gray(photos, torch.device("cpu"))
        self.matcher = LightGlueMatcher()
        self.photos: dict[str, Photo] = {}
        self.pairs: list[Pair] = []
        for capture, steps in CAPTURES.items():
            if (captures / capture / "truth").is_dir():
                self._add_pairs(captures / capture, steps)

    def measure(self, describe: Describe) -> dict[str, float]:
        """cosine_photos, cosine_captures; accuracy and recall of nearest neighbors under hard homographies and changed
        light; precision, right (matches per pair) of LightGlue on real pairs."""
        return {**self.cosines(describe), **self.homographies(describe), **self.real_pairs(describe)}

    def cosines(self, describe: Describe) -> dict[str, float]:
        """Mean cosine to the teacher's descriptors at keypoints, on held-out photos and on held-out captures."""
        sums: dict[str, list[float]] = {}
        for path in sorted((self.cache / "held").glob("*/*.npz"))[:HELD_VIEWS]:
            view = read_view(path)
            rgb = (view.image.float() / 255).expand(3, -1, -1)
            count = view.keypoints
            cosine = (describe(rgb, view.xy[:count]) * view.descriptors[:count].float()).sum(dim=-1).mean()
            kind = "photos" if path.parent.name == "photos" else "captures"
            sums.setdefault(f"cosine_{kind}", []).append(float(cosine))
        return {name: float(np.mean(values)) for name, values in sums.items()}

    def homographies(self, describe: Describe) -> dict[str, float]:
        generator = torch.Generator().manual_seed(7)
        index = torch.randint(len(self.stack), (HOMOGRAPHIES,), generator=generator)
        first, second = random_pair(self.stack.sizes[index], VIEW, HARD, generator)
        sums = torch.zeros(5)
        for i in range(HOMOGRAPHIES):
            pair = torch.stack([first[i], second[i]])
            images, valid = sample_views(self.stack, index[i].expand(2), pair, VIEW)
            images = change_light(images, 0.7, generator)
            found = []
            for image, mask in zip(images, valid, strict=True):
                points = self._keypoints(image, POINTS, mask)
                found.append(
                    Keypoints(
                        points.keypoints, points.scores, describe(image.expand(3, -1, -1), points.keypoints)
                    )
                )
            sums += compare(found[0], found[1], torch.linalg.inv(second[i]) @ first[i], valid[1])
        _, _, right, matched, possible = sums.tolist()
        return {"accuracy": right / max(matched, 1), "recall": right / max(possible, 1)}

    def real_pairs(self, describe: Describe) -> dict[str, float]:
        if not self.pairs:
            return {}
        described = {name: describe(photo.rgb, photo.xy) for name, photo in self.photos.items()}
        shape = (PAIR_SIZE[1], PAIR_SIZE[0])
        right = total = 0
        for pair in self.pairs:
            sides = [(self.photos[name].xy, described[name]) for name in (pair.first, pair.second)]
            found = self.matcher.match(sides[0], sides[1], (shape, shape)).indices
            points = [xy[found[:, side]].double().numpy() for side, (xy, _) in enumerate(sides)]
            right += int((epipolar_distances(*points, pair.fundamental) <= NEAR).sum())
            total += len(found)
        return {"precision": right / max(total, 1), "right": right / len(self.pairs)}

    def own_descriptors(self, rgb: Tensor, xy: Tensor) -> Tensor:
        """SuperPoint's own 256 numbers, for comparing nearest neighbors."""
        found = self._keypoints(gray(rgb), len(xy), None)
        order = torch.cdist(xy, found.keypoints).argmin(dim=1)
        return found.descriptors[order]

    @torch.inference_mode()
    def _keypoints(self, image: Tensor, count: int, mask: Tensor | None) -> Keypoints:
        settings = SuperPointSettings(max_keypoints=count, published_sampling=False)
        masks = None if mask is None else mask[None]
        return keypoints_of(*self.superpoint.dense(image[None]), settings, image[None], masks)[0]

    def _add_pairs(self, capture: Path, steps: tuple[int, ...]) -> None:
        truth = read_truth(capture / "truth")
        names = sorted(truth.rotations)
        for step in steps:
            starts = np.linspace(0, len(names) - 1 - step, PAIRS_A_STEP).astype(int)
            for start in starts:
                pair = names[start], names[start + step]
                paths = tuple(capture / "photos" / name for name in pair)
                for path in paths:
                    if str(path) not in self.photos:
                        self.photos[str(path)] = self._photo(path)
                matrix = fundamental_matrix(truth, pair, capture / "truth")
                self.pairs.append(Pair(str(paths[0]), str(paths[1]), matrix))

    def _photo(self, path: Path) -> Photo:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"{path} cannot be read")
        image = cv2.cvtColor(cv2.resize(image, PAIR_SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
        rgb = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float() / 255
        return Photo(rgb, self._keypoints(gray(rgb), PAIR_POINTS, None).keypoints)


def epipolar_distances(first: np.ndarray, second: np.ndarray, fundamental: np.ndarray) -> np.ndarray:
    """The larger of the two distances in pixels of points [N, 2] from their partners' epipolar lines, [N]."""
    ones = np.ones((len(first), 1))
    first, second = np.hstack([first, ones]), np.hstack([second, ones])
    in_second, in_first = first @ fundamental.T, second @ fundamental
    error = np.abs((second * in_second).sum(axis=1))
    lengths = [np.maximum(np.hypot(line[:, 0], line[:, 1]), 1e-12) for line in (in_first, in_second)]
    return error / np.minimum(*lengths)


def fundamental_matrix(truth: Truth, names: tuple[str, str], folder: Path) -> np.ndarray:
    """From the cameras and the intrinsics of both reduced photos, first pixel center (0, 0)."""
    (r0, c0), (r1, c1) = ((truth.rotations[name], truth.centers[name]) for name in names)
    rotation = r1 @ r0.T
    x, y, z = r1 @ (c0 - c1)
    essential = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ rotation
    inverse = [np.linalg.inv(_intrinsics(folder / f"{name}.camera")) for name in names]
    matrix: np.ndarray = inverse[1].T @ essential @ inverse[0]
    return matrix


def _intrinsics(path: Path) -> np.ndarray:
    numbers = np.array(path.read_text("utf-8").split(), np.float64)
    matrix = numbers[:9].reshape(3, 3)
    matrix[:2, 2] += 0.5
    matrix = np.diag([PAIR_SIZE[0] / numbers[24], PAIR_SIZE[1] / numbers[25], 1.0]) @ matrix
    matrix[:2, 2] -= 0.5
    return matrix
