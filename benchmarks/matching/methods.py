"""The front-ends to compare: extractors and matchers behind a common interface.

All use the engine's `Features`: keypoints in COLMAP's pixels, strongest first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import cv2
import numpy as np

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.models import registry
from blender_recon3d.pipeline.models.frontend import FeatureExtractor, Features
from blender_recon3d.pipeline.models.frontend import Matcher as SuperGlueMatcher
from blender_recon3d.pipeline.models.precision import Precision

RATIO = 0.8  # Lowe 2004, section 7.1: nearest to second nearest distance
KINDS = ("superglue", "nearest", "opencv", "colmap")


class Extractor(Protocol):
    """identity: everything its keypoints depend on (a file's sha256, a version)."""

    identity: str

    def extract(self, photo: np.ndarray, max_keypoints: int) -> Features:
        """At most `max_keypoints` of the strongest keypoints of a gray photo, uint8 [H, W], strongest first."""


class Matcher(Protocol):
    """identity: as an extractor's."""

    identity: str

    def match(self, first: Features, second: Features) -> np.ndarray:
        """int [M, 2], indices into the keypoints of the two photos."""


@dataclass(frozen=True)
class Method:
    """A row of the tables."""

    label: str
    extractor: Extractor
    matcher: Matcher

    @property
    def identity(self) -> str:
        return f"{self.extractor.identity}, {self.matcher.identity}"


def strongest(features: Features, max_keypoints: int) -> Features:
    """The first `max_keypoints` of the features."""
    return Features(
        features.keypoints[:max_keypoints],
        features.scores[:max_keypoints],
        features.descriptors[:max_keypoints],
        features.image_size,
    )


def mutual_nearest(first: np.ndarray, second: np.ndarray, ratio: float | None = None) -> np.ndarray:
    """Pairs of mutually most similar unit descriptors [N, D] and [M, D], int [K, 2].

    ratio: pairs are kept only if the first's second nearest is this much farther away.
    """
    if not len(first) or not len(second):
        return np.zeros((0, 2), np.int64)
    similarity = first @ second.T
    there, back = similarity.argmax(axis=1), similarity.argmax(axis=0)
    own = np.arange(len(first))
    kept = back[there] == own
    if ratio is not None and len(second) > 1:
        best = similarity[own, there]
        similarity[own, there] = -np.inf
        distances = (np.sqrt(np.maximum(2 - 2 * value, 0)) for value in (best, similarity.max(axis=1)))
        nearest, next_nearest = distances
        kept &= nearest < ratio * next_nearest
    return np.stack([own[kept], there[kept]], axis=1)


class SuperPointExtractor:
    """Ours. weights, device and precision: as in `FeatureExtractor`. Photos are not reduced."""

    def __init__(self, weights: str, device: str, precision: Precision | None) -> None:
        self.identity = f"superpoint {registry.identity('superpoint', weights)}"
        if precision:
            self.identity += f" {precision}"
        self._options = (weights, device, precision)
        self._extractors: dict[int, FeatureExtractor] = {}

    def extract(self, photo: np.ndarray, max_keypoints: int) -> Features:
        if max_keypoints not in self._extractors:
            weights, device, precision = self._options
            self._extractors[max_keypoints] = FeatureExtractor(
                weights, device, max_keypoints, 10**6, precision
            )
        return self._extractors[max_keypoints].extract([photo])[0]


class SuperGlue:
    """Ours. weights, device and precision: as in `Matcher`."""

    def __init__(self, weights: str, device: str, precision: Precision | None) -> None:
        self.identity = f"superglue {registry.identity('superglue', weights)}"
        if precision:
            self.identity += f" {precision}"
        self._options = (weights, device, precision)

    @cached_property
    def _matcher(self) -> SuperGlueMatcher:
        weights, device, precision = self._options
        return SuperGlueMatcher(weights, device, precision=precision)

    def match(self, first: Features, second: Features) -> np.ndarray:
        return self._matcher.match([(first, second)])[0][0].astype(np.int64)


class NearestNeighbors:
    """Mutual nearest neighbors, optionally with a ratio test."""

    def __init__(self, ratio: float | None = None) -> None:
        self.identity = f"nearest {ratio or ''}".strip()
        self._ratio = ratio

    def match(self, first: Features, second: Features) -> np.ndarray:
        return mutual_nearest(first.descriptors, second.descriptors, self._ratio)


class OpenCVSift:
    """OpenCV's SIFT with default settings and RootSIFT descriptors (Arandjelovic and Zisserman 2012); ranked by
    contrast."""

    identity = f"opencv {cv2.__version__}"

    def extract(self, photo: np.ndarray, max_keypoints: int) -> Features:
        sift = cv2.SIFT.create(nfeatures=max_keypoints)
        found, descriptors = sift.detectAndCompute(photo, None)
        height, width = photo.shape
        if not found:
            return _empty((width, height), 128)
        order = np.argsort([-point.response for point in found], kind="stable")[:max_keypoints]
        keypoints = np.array([found[i].pt for i in order], np.float32) + 0.5
        scores = np.array([found[i].response for i in order], np.float32)
        descriptors = descriptors[order] / np.maximum(descriptors[order].sum(axis=1, keepdims=True), 1e-9)
        return Features(keypoints, scores, np.sqrt(descriptors), (width, height))


class ColmapSift:
    """COLMAP's SIFT on the CPU with its own matcher and default settings; ranked by size, as in COLMAP."""

    identity = f"pycolmap {pycolmap.__version__}"

    def __init__(self) -> None:
        self._extractors: dict[int, Any] = {}

    def extract(self, photo: np.ndarray, max_keypoints: int) -> Features:
        if max_keypoints not in self._extractors:
            options = pycolmap.FeatureExtractionOptions()
            options.use_gpu = False
            options.sift.max_num_features = (
                max_keypoints  # COLMAP keeps entire scales until there are this many
            )
            self._extractors[max_keypoints] = pycolmap.FeatureExtractor.create(options, pycolmap.Device.cpu)
        found, descriptors = self._extractors[max_keypoints].extract_from_uint8_array(
            np.ascontiguousarray(photo)
        )
        height, width = photo.shape
        scales = np.array([point.compute_scale() for point in found], np.float32)
        order = np.argsort(-scales, kind="stable")[:max_keypoints]
        keypoints = np.array([(point.x, point.y) for point in found], np.float32).reshape(-1, 2)
        return Features(keypoints[order], scales[order], descriptors.data[order], (width, height))

    @cached_property
    def _matcher(self) -> Any:
        options = pycolmap.FeatureMatchingOptions()
        options.use_gpu = False
        return pycolmap.FeatureMatcher.create(options, pycolmap.Device.cpu)

    def match(self, first: Features, second: Features) -> np.ndarray:
        none = pycolmap.FeatureKeypoints()  # it ignores their positions
        kind = pycolmap.FeatureExtractorType.SIFT
        a, b = (
            pycolmap.FeatureDescriptors(kind, np.ascontiguousarray(f.descriptors)) for f in (first, second)
        )
        return self._matcher.match(none, a, none, b).astype(np.int64)


def _empty(size: tuple[int, int], length: int) -> Features:
    return Features(
        np.zeros((0, 2), np.float32), np.zeros(0, np.float32), np.zeros((0, length), np.float32), size
    )


@dataclass(frozen=True)
class WeightSet:
    """label: its name in the tables; weights: bundled, official or a folder."""

    label: str
    weights: str


def methods(
    sets: list[WeightSet], kinds: list[str], device: str = "auto", precision: Precision | None = None
) -> list[Method]:
    """The methods of these kinds, those of each set of weights first.

    A set without superglue has only nearest neighbors, one without superpoint has nothing.
    """
    chosen: list[Method] = []
    for item in sets:
        if not registry.is_available("superpoint", item.weights):
            continue
        extractor = SuperPointExtractor(item.weights, device, precision)
        if "superglue" in kinds and registry.is_available("superglue", item.weights):
            matcher = SuperGlue(item.weights, device, precision)
            chosen.append(Method(f"SuperPoint, SuperGlue ({item.label})", extractor, matcher))
        if "nearest" in kinds:
            label = f"SuperPoint, nearest neighbors ({item.label})"
            chosen.append(Method(label, extractor, NearestNeighbors()))
    if "opencv" in kinds:
        chosen.append(Method("SIFT of OpenCV", OpenCVSift(), NearestNeighbors(RATIO)))
    if "colmap" in kinds:
        sift = ColmapSift()
        chosen.append(Method("SIFT of COLMAP", sift, sift))
    return chosen
