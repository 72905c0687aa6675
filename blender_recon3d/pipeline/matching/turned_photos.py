"""Finds photos rotated in their plane relative to the others: drone strips to and fro, a camera held upside down.

Networks are trained on upright photos, and match hardly anything between two rotated relative to each other. SIFT's
keypoints have directions, so a few hundred on small copies show by how much each is rotated (Lowe 2004, section 5):
the directions of matching keypoints all differ by the same angle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..text import named

SIDE = 640  # pixels of the small copies
KEYPOINTS = 800
RATIO = 0.8  # of the best match's distance to the second's
WINDOW = 20.0  # degrees around an angle that count as the same
MIN_AGREEING = 12  # matches that must agree
SHARE = 0.4  # of a pair's matches that must agree
ALL_PAIRS = 60  # photos; up to this number all pairs are examined
SURE = 35.0  # degrees from a whole quarter within which a pair counts
GAIN = 1.2  # times the matches that agree with an upright photo; with a smaller gain it counts as upright
STEPS = (1, 2, 3, 5, 8, 13, 21, 34)  # with more photos: distances between the two of a pair


@dataclass(frozen=True)
class Directed:
    """SIFT's descriptors [N, 128] of a photo and its keypoints' directions [N], degrees clockwise."""

    descriptors: np.ndarray
    angles: np.ndarray


def directed(image: np.ndarray) -> Directed:
    """Of a gray photo, uint8 [H, W]."""
    scale = min(1.0, SIDE / max(image.shape))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    keypoints, descriptors = cv2.SIFT.create(KEYPOINTS).detectAndCompute(small, None)
    if descriptors is None:
        descriptors = np.zeros((0, 128), np.float32)
    return Directed(np.sqrt(descriptors / 512), np.array([point.angle for point in keypoints], float))


def angle_between(first: Directed, second: Directed) -> tuple[float, int] | None:
    """Degrees by which the second photo's content is rotated clockwise relative to the first's, and how many matches
    agree with that; None if they do not agree."""
    if min(len(first.angles), len(second.angles)) < MIN_AGREEING:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(first.descriptors, second.descriptors, k=2)
    good = [best for best, other in pairs if best.distance < RATIO * other.distance]
    if len(good) < MIN_AGREEING:
        return None
    turns = np.array([second.angles[match.trainIdx] - first.angles[match.queryIdx] for match in good])
    apart = np.abs((turns[:, None] - turns[None] + 180) % 360 - 180) < WINDOW
    votes = apart.sum(axis=1)
    agree = apart[int(np.argmax(votes))]
    if agree.sum() < max(MIN_AGREEING, SHARE * len(good)):
        return None
    mean = np.angle(np.exp(1j * np.radians(turns[agree])).mean(), deg=True)
    return float(mean), int(agree.sum())


def quarter_turns(photos: Sequence[Directed]) -> list[int]:
    """For each photo the quarter turns anticlockwise (0 to 3) that give it the orientation of most of the others.

    Turns propagate along the strongest links from photo to photo; unconnected photos remain unchanged. Each link counts
    as whole quarters: walking around a subject rotates the ground a little from photo to photo, and by a full circle in
    the end, though every photo is upright. A turn that a photo's matches do not support is rejected.
    """
    links = []
    for first, second in _examined_pairs(len(photos)):
        rotation = angle_between(photos[first], photos[second])
        if rotation is None:
            continue
        quarters = round(rotation[0] / 90)
        if abs(rotation[0] - 90 * quarters) <= SURE:
            links.append((rotation[1], first, second, quarters % 4))
    group = list(range(len(photos)))
    turns = np.zeros(len(photos), int)
    for _, first, second, quarters in sorted(links, key=lambda link: (-link[0], link[1], link[2])):
        if group[first] == group[second]:
            continue
        joined = [photo for photo in range(len(photos)) if group[photo] == group[second]]
        turns[joined] += turns[first] + quarters - turns[second]
        for photo in joined:
            group[photo] = group[first]
    for number in set(group):
        members = [photo for photo in range(len(photos)) if group[photo] == number]
        turns[members] = (turns[members] - np.bincount(turns[members] % 4).argmax()) % 4
    for photo in map(int, np.flatnonzero(turns)):
        upright = turns.copy()
        upright[photo] = 0
        if _support(links, turns, photo) < GAIN * _support(links, upright, photo):
            turns = upright
    return [int(turn) for turn in turns]


def _support(links: Sequence[tuple[int, int, int, int]], turns: np.ndarray, photo: int) -> int:
    """How many of a photo's matches agree with the turns."""
    return sum(
        count
        for count, one, other, quarters in links
        if photo in (one, other) and (turns[other] - turns[one] - quarters) % 4 == 0
    )


def _examined_pairs(count: int) -> list[tuple[int, int]]:
    if count <= ALL_PAIRS:
        return [(first, second) for first in range(count) for second in range(first + 1, count)]
    return [(first, first + step) for first in range(count) for step in STEPS if first + step < count]


def turned_back(keypoints: np.ndarray, size: tuple[int, int], turns: int) -> np.ndarray:
    """Keypoints [N, 2] found in `np.rot90(image, turns)`, in COLMAP's pixels of the photo itself.

    size: width and height of the copy.
    """
    x, y = keypoints[:, 0], keypoints[:, 1]
    width, height = size
    columns = ((x, y), (height - y, x), (width - x, height - y), (y, width - x))[turns % 4]
    return np.stack(columns, axis=1)


def turned_note(turns: Mapping[str, int]) -> str:
    """A sentence about the rotated photos; empty if there are none."""
    photos = [name for name, turn in turns.items() if turn]
    if not photos:
        return ""
    one = len(photos) == 1
    return (
        f"{named(photos)} {'is' if one else 'are'} turned against the other photos: "
        f"{'its' if one else 'their'} features are found on {'a copy' if one else 'copies'} turned back."
    )
