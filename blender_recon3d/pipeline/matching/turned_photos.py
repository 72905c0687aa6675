"""Finds photos rotated in their plane relative to the others: drone strips to and fro, a camera held upside down.

Networks are trained on upright photos, and match hardly anything between two rotated relative to each other. SIFT's
keypoints have directions, so a few hundred on small copies show by how much each is rotated (Lowe 2004, section 5):
the directions of matching keypoints all differ by the same angle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..text import named

SIDE = 640  # pixels of the small copies
KEYPOINTS = 800  # the strongest of a photo, for a first look
MORE_KEYPOINTS = 2400  # for a second one at photos that the first does not connect
SECOND_LOOKS = 200  # pairs at most
RATIO = 0.8  # of the best match's distance to the second's
WINDOW = 20.0  # degrees around an angle that count as the same
MIN_AGREEING = 12  # matches that must agree
SHARE = 0.4  # of a pair's matches that must agree
ALL_PAIRS = 60  # photos; up to this number all pairs are examined
SURE = 35.0  # degrees from a whole quarter within which a pair counts
GAIN = 1.2  # times the matches that agree with an upright photo; with a smaller gain it counts as upright
STEPS = (1, 2, 3, 5, 8, 13, 21, 34)  # with more photos: distances between the two of a pair


Link = tuple[int, int, int, int]  # matches that agree, two photos, and the quarters between them


@dataclass(frozen=True)
class Directed:
    """Of a photo's SIFT keypoints, the strongest first: descriptors [N, 128], directions [N] in degrees clockwise."""

    descriptors: np.ndarray
    angles: np.ndarray

    def strongest(self) -> Directed:
        return Directed(self.descriptors[:KEYPOINTS], self.angles[:KEYPOINTS])


def directed(image: np.ndarray) -> Directed:
    """Of a gray photo, uint8 [H, W]."""
    scale = min(1.0, SIDE / max(image.shape))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    keypoints, descriptors = cv2.SIFT.create(MORE_KEYPOINTS).detectAndCompute(small, None)
    if descriptors is None:
        descriptors = np.zeros((0, 128), np.float32)
    order = np.argsort([-point.response for point in keypoints], kind="stable")
    angles = np.array([point.angle for point in keypoints], float)
    return Directed(np.sqrt(descriptors[order] / 512), angles[order])


class DirectedPhotos(Sequence[Directed]):
    """The keypoints of many photos, found when they are needed; the last ones are kept in memory.

    read: gives a photo, uint8 [H, W], by its number; found: called when a photo is looked at for the first time.
    """

    def __init__(self, count: int, read: Callable[[int], np.ndarray], found: Callable[[int], None]) -> None:
        self._count, self._known = count, 0
        self._read, self._found = read, found
        self._directed = lru_cache(maxsize=max(ALL_PAIRS, max(STEPS) + 2))(self._made)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: Any) -> Any:
        return self._directed(number)

    def _made(self, number: int) -> Directed:
        directions = directed(self._read(number))
        if number >= self._known:
            self._known = number + 1
            self._found(self._known)
        return directions


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
    pairs = _examined_pairs(len(photos))
    links = [
        link
        for first, second in pairs
        for link in _linked(photos[first].strongest(), photos[second].strongest(), first, second)
    ]
    group, turns = _propagated(len(photos), links)
    apart = [pair for pair in pairs if group[pair[0]] != group[pair[1]]][:SECOND_LOOKS]
    if extra := [
        link for first, second in apart for link in _linked(photos[first], photos[second], first, second)
    ]:
        links += extra
        group, turns = _propagated(len(photos), links)
    for number in np.unique(group):
        members = np.flatnonzero(group == number)
        turns[members] = (turns[members] - np.bincount(turns[members] % 4).argmax()) % 4
    links_of: dict[int, list[Link]] = defaultdict(list)
    for link in links:
        for photo in link[1:3]:
            links_of[photo].append(link)
    for photo in map(int, np.flatnonzero(turns)):
        turns = _upright_unless_supported(links_of, turns, {photo})
    for block in _turned_alike(links, turns):
        turns = _upright_unless_supported(links_of, turns, block)
    return [int(turn) for turn in turns]


def _linked(one: Directed, other: Directed, first: int, second: int) -> list[Link]:
    """The link between two photos; empty where there is none, or none of whole quarters."""
    rotation = angle_between(one, other)
    if rotation is None:
        return []
    quarters = round(rotation[0] / 90)
    near = abs(rotation[0] - 90 * quarters) <= SURE
    return [(rotation[1], first, second, quarters % 4)] if near else []


def _propagated(count: int, links: Sequence[Link]) -> tuple[np.ndarray, np.ndarray]:
    """The group of connected photos that each belongs to, and its turns relative to the others of its group."""
    group, turns = np.arange(count), np.zeros(count, int)
    members = {photo: np.array([photo]) for photo in range(count)}
    for _, first, second, quarters in sorted(links, key=lambda link: (-link[0], link[1], link[2])):
        if group[first] == group[second]:
            continue
        joined = members.pop(int(group[second]))
        turns[joined] += turns[first] + quarters - turns[second]
        group[joined] = group[first]
        members[int(group[first])] = np.concatenate([members[int(group[first])], joined])
    return group, turns


def _upright_unless_supported(
    links_of: Mapping[int, Sequence[Link]], turns: np.ndarray, photos: set[int]
) -> np.ndarray:
    links = [link for photo in photos for link in links_of.get(photo, ())]
    upright = turns.copy()
    upright[list(photos)] = 0
    turned = _support(links, turns, photos) >= GAIN * _support(links, upright, photos)
    return turns if turned else upright


def _support(links: Sequence[Link], turns: np.ndarray, photos: set[int]) -> int:
    """How many matches of these photos with the others agree with the turns."""
    return sum(
        count
        for count, one, other, quarters in links
        if (one in photos) != (other in photos) and (turns[other] - turns[one] - quarters) % 4 == 0
    )


def _turned_alike(links: Sequence[Link], turns: np.ndarray) -> list[set[int]]:
    """Photos with the same turn that are linked to each other, in groups. From two sides of a subject a flat ground is
    seen turned by half a circle: single photos of a side agree with their neighbors then, and only all of them do not.
    """
    alike = [
        link[1:3] for link in links if not link[3] and turns[link[1]] and turns[link[1]] == turns[link[2]]
    ]
    ends = np.array(alike, int).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends), bool), (ends[:, 0], ends[:, 1])), (len(turns), len(turns)))
    group = connected_components(graph, directed=False)[1]
    blocks: dict[int, set[int]] = defaultdict(set)
    for photo in map(int, np.flatnonzero(turns)):
        blocks[int(group[photo])].add(photo)
    return sorted(blocks.values(), key=min)


def _examined_pairs(count: int) -> list[tuple[int, int]]:
    if count <= ALL_PAIRS:
        return [(first, second) for first in range(count) for second in range(first + 1, count)]
    # By the second, so that only the last few photos are needed at a time.
    return [(second - step, second) for second in range(count) for step in STEPS if step <= second]


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
