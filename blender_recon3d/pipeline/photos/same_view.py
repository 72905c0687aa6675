"""Detect photos of the same view: copies of one shot, or several shots from the same position.

A JPEG beside its HEIC, resaved or downscaled copies, exposure brackets and bursts from a tripod: each such photo would
count as a separate view in fusion, and errors in one would be confirmed by the others. Photos show the same view if
everything with contours is at the same position in both. numpy and OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SIZE = 256  # longest side of the small picture that is compared
LIKE = 14  # of 64 bits that may differ between pictures worth comparing: brackets differ in their darks and lights
CORNERS = 200
MIN_CORNERS = 25  # fewer are not conclusive, as on a smooth subject before a plain backdrop
STILL = 0.35  # pixels of SIZE; copies and tripods stay below .2, and a video's slowest frames are .5 apart
ASTRAY = 0.04  # share of the corners that may have moved (noise, a leaf); if more, the subject has turned
PART = 24  # side of the compared parts, pixels of SIZE
CONTOURS = 24.0  # deviation of a part with contours; noise alone stays below
AGREE = 0.6  # correlation of such a part
ASPECT = 1.02  # maximum ratio of the aspect ratios of two copies of a photo


@dataclass(frozen=True, eq=False)
class Sketch:
    """small: gray, uint8, contrast evened out locally; blind: where it is black or white, bool; bits [4]: 64 of which
    side is brighter, as one uint64, of the picture turned by 0 to 3 quarters; clipped: share of pixels that are black
    or white."""

    small: np.ndarray
    blind: np.ndarray
    bits: np.ndarray
    clipped: float

    def turned(self, quarters: int) -> Sketch:
        """The sketch of the picture rotated counterclockwise."""
        if not quarters:
            return self
        small, blind = (np.ascontiguousarray(np.rot90(part, quarters)) for part in (self.small, self.blind))
        return Sketch(small, blind, np.roll(self.bits, -quarters), self.clipped)


def sketch(gray: np.ndarray) -> Sketch:
    """The sketch of an upright photo, uint8 [H, W]."""
    scale = SIZE / max(gray.shape)
    size = (max(16, round(gray.shape[1] * scale)), max(16, round(gray.shape[0] * scale)))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    blind = (small < 6) | (small > 249)
    clipped = float(blind.mean())
    blind = cv2.dilate(blind.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    bits = np.array([_bits(np.ascontiguousarray(np.rot90(small, quarters))) for quarters in range(4)])
    return Sketch(_evened(small), blind, bits, clipped)


def _bits(small: np.ndarray) -> np.uint64:
    tiny = cv2.resize(small, (9, 8), interpolation=cv2.INTER_AREA).astype(int)
    return np.uint64(np.packbits((tiny[:, 1:] > tiny[:, :-1]).ravel()).view(np.uint64)[0])


def _evened(small: np.ndarray) -> np.ndarray:
    """The picture with normalized brightness and contrast, which differ between exposures."""
    values = small.astype(np.float32)
    mean = cv2.GaussianBlur(values, (0, 0), 8)
    spread = np.sqrt(np.maximum(cv2.GaussianBlur((values - mean) ** 2, (0, 0), 8), 0)) + 3
    return np.clip(128 + 48 * (values - mean) / spread, 0, 255).astype(np.uint8)


def same_view(first: Sketch, second: Sketch) -> bool:
    """Whether the corners of the first are at the same positions in the second, and no part looks different."""
    height, width = first.small.shape
    other, blind = second.small, second.blind
    ratio = (width / height) / (other.shape[1] / other.shape[0])
    if max(ratio, 1 / ratio) > ASPECT:
        return False
    if other.shape != (height, width):
        other = cv2.resize(other, (width, height), interpolation=cv2.INTER_AREA)
        blind = cv2.resize(blind.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    seen = ~(first.blind | blind)
    corners = cv2.goodFeaturesToTrack(first.small, CORNERS, 0.05, 6, mask=seen.astype(np.uint8))
    if corners is None or len(corners) < MIN_CORNERS:
        return False
    there, tracked, _ = cv2.calcOpticalFlowPyrLK(
        first.small, other, corners, corners.copy(), winSize=(15, 15), maxLevel=1
    )
    moved = np.linalg.norm((there - corners).reshape(-1, 2), axis=1)
    astray = (tracked.ravel() != 1) | (moved > STILL)
    return bool(astray.mean() <= ASTRAY) and _parts_agree(first.small, other, seen)


def _parts_agree(first: np.ndarray, second: np.ndarray, seen: np.ndarray) -> bool:
    """Whether all parts with contours in either correlate: a small subject that turns has only few corners."""
    for top in range(0, first.shape[0] - PART // 2, PART // 2):
        for left in range(0, first.shape[1] - PART // 2, PART // 2):
            part = np.s_[top : top + PART, left : left + PART]
            inside = seen[part]
            if inside.mean() < 0.5:
                continue
            a, b = first[part][inside].astype(np.float32), second[part][inside].astype(np.float32)
            if max(a.std(), b.std()) < CONTOURS:
                continue
            together = ((a - a.mean()) * (b - b.mean())).mean() / max(float(a.std() * b.std()), 1e-6)
            if together < AGREE:
                return False
    return True


def groups(sketches: list[Sketch]) -> list[list[int]]:
    """Indices of the photos of each view that two or more show, in order; some may be rotated."""
    free = np.ones(len(sketches), bool)
    bits = np.array([item.bits for item in sketches], np.uint64).reshape(-1, 4)
    result = []
    for number in range(len(sketches)):
        if not free[number]:
            continue
        free[number] = False
        members = [number]
        for member in members:  # which grows: the extremes of a bracket match through its middle
            differing = np.bitwise_count(bits ^ sketches[member].bits[0])
            for other, quarters in np.argwhere((differing <= LIKE) & free[:, None]).tolist():
                if free[other] and same_view(sketches[member], sketches[other].turned(quarters)):
                    free[other] = False
                    members.append(other)
        if len(members) > 1:
            result.append(sorted(members))
    return result
