"""Detects a folded model: similar sides of the subject on top of each other.

Photos of two such sides match, and a mapper that trusts these matches puts their cameras in one place. Three kinds of
evidence contradict such a model:

- Photos that are true neighbors. On a path around the subject each photo overlaps much with the previous one; this
chain
  fixes the position of each camera, and folding must break it somewhere. So the model leaves pairs unexplained that are
  strong, or whose photos were taken in succession. Such pairs prove nothing if the chain goes once around the subject
  and returns to its start: no folded one does.
- A smaller model of the photos between two sides has them in their true relative position.
- Photos that are side by side in the model do not see the same. If one sees points that the other must see too, where
  the other sees different points, they were not taken of the same side. (Heinly, Dunn and Frahm, "Correcting for
  duplicate scene structure in sparse 3D reconstruction", ECCV 2014, call these conflicting observations.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.spatial import cKDTree

from .links import Link, strengths
from .views import ModelView

Views = dict[int, ModelView]  # by image id

STRONG = 0.5  # of the strongest confirmed pair: as much overlap as with a neighbor
MIN_STRENGTH_IN_ORDER, MIN_MATCHES_IN_ORDER = (
    0.08,
    60,
)  # the same, and matches, for photos taken in succession
REACH = 2  # photos: a chain may skip one
ROUND = np.radians(300)  # rotation from the first photo to the last: a full circle, except for the last step
OTHERWISE = np.radians(30)  # difference between two models in the relative rotation of two photos
CELLS = 12  # along the photo's longer side
SEEN, SEEN_BY_OTHER = 3, 3  # points in a cell, of either photo, for it to count
MIN_CELLS = 4  # of either photo that must disagree
SIDE_BY_SIDE = np.radians(25)  # between directions to a point, and between viewing directions
NEARNESS = 1.6  # ratio of the distances to a point
REACH_OF_POINT = float(np.sqrt(1 + NEARNESS**2 - 2 * NEARNESS * np.cos(SIDE_BY_SIDE)))  # law of cosines
CONFLICT = 0.4  # share of the cells that disagree


@dataclass(frozen=True)
class Evidence:
    """The evidence for and against a model. All pairs are of image ids.

    broken: strong pairs that the model contradicts, the strongest first; conflicts: photos side by side that do not see
    the same; closed: whether the photos, as they were taken, go once around and return to the first.
    """

    broken: tuple[tuple[int, int], ...]
    conflicts: tuple[tuple[int, int], ...]
    closed: bool

    @property
    def folded(self) -> bool:
        return bool(self.conflicts) or bool(self.broken and not self.closed)

    def photos(self) -> list[int]:
        """The photos of the contradictions, the most serious first."""
        pairs = self.conflicts if self.closed else (*self.broken, *self.conflicts)
        return list(dict.fromkeys(photo for pair in pairs for photo in pair))


def weigh(
    views: Views, links: Sequence[Link], order: dict[int, int], others: Sequence[Views] = ()
) -> Evidence:
    """order: each photo's position in the order of capture, by image id; others: smaller models."""
    strength = strengths(list(links))
    broken = []
    for link in links:
        pair = link.first, link.second
        in_order = _apart(pair, order) == 1 and link.matches >= MIN_MATCHES_IN_ORDER
        # In real captures the model confirms 95 % and more of the common matches of consecutive photos.
        contradicted = link.doubtful if in_order else link.broken
        if contradicted and strength[pair] >= (MIN_STRENGTH_IN_ORDER if in_order else STRONG):
            broken.append((strength[pair], pair))
    broken.sort(key=lambda entry: (-entry[0], entry[1]))
    pairs = [pair for _, pair in broken] + [
        pair for other in others for pair in differing_pairs(views, other)
    ]
    return Evidence(tuple(pairs), tuple(conflicts(views)), closed(views, links, order))


def differing_pairs(views: Views, others: Views) -> list[tuple[int, int]]:
    """Pairs of photos in both models that differ in their relative rotation."""

    def turn(model: Views, pair: tuple[int, int]) -> np.ndarray:
        return model[pair[1]].cam_from_world[:, :3] @ model[pair[0]].cam_from_world[:, :3].T

    return [
        pair
        for pair in combinations(sorted(set(views) & set(others)), 2)
        if np.trace(turn(views, pair).T @ turn(others, pair)) < 1 + 2 * np.cos(OTHERWISE)
    ]


def closed(views: Views, links: Sequence[Link], order: dict[int, int]) -> bool:
    """Whether the photos, in the order they were taken, go once around something, with each linked to the next by
    confirmed pairs at most REACH apart, no pair of consecutive photos contradicted, and the last linked to the
    first."""
    photos = sorted(views, key=lambda photo: order[photo])
    place = {photo: number for number, photo in enumerate(photos)}
    if abs(_turned([views[photo] for photo in photos])) < ROUND:
        return False
    reached = [False] * len(
        photos
    )  # whether a link bridges the gap between a photo and the next, or the first
    for link in links:
        low, high = sorted((place[link.first], place[link.second]))
        if high - low == 1 and link.broken:
            return False
        if link.confirmed and high - low <= REACH:
            reached[low:high] = [True] * (high - low)
        elif link.confirmed and low + len(photos) - high <= REACH:
            reached[high:] = [True] * (len(photos) - high)
            reached[:low] = [True] * low
    return all(reached)


def _turned(views: Sequence[ModelView]) -> float:
    """The rotation of the viewing direction around the vertical, first to last, radians."""
    up = -np.sum([view.cam_from_world[1, :3] for view in views], axis=0)
    up /= max(np.linalg.norm(up), 1e-12)
    side = np.cross(up, np.eye(3)[np.argmin(np.abs(up))])
    ahead = np.array([view.cam_from_world[2, :3] for view in views])
    angle = np.arctan2(ahead @ np.cross(up, side), ahead @ side)
    return float(((np.diff(angle) + np.pi) % (2 * np.pi) - np.pi).sum())


def conflicts(views: Views) -> list[tuple[int, int]]:
    """Photos side by side that do not see the same, the most serious first."""
    scored = []
    for first, second in _close_together(views):
        a, b = views[first], views[second]
        if a.cam_from_world[2, :3] @ b.cam_from_world[2, :3] > np.cos(SIDE_BY_SIDE):
            share = min(disagreement(a, b), disagreement(b, a))
            if share > CONFLICT:
                scored.append((share, (first, second)))
    return [pair for _, pair in sorted(scored, key=lambda entry: (-entry[0], entry[1]))]


def _close_together(views: Views) -> list[tuple[int, int]]:
    """All pairs that `disagreement` can find anything in, and few others.

    It compares points that are about as far from both cameras (NEARNESS), in about the same direction (SIDE_BY_SIDE).
    For such a point the cameras are at most REACH_OF_POINT times its distance apart. At least MIN_CELLS * SEEN of them
    are needed.
    """
    photos = sorted(views)
    centers = np.array([views[photo].center for photo in photos]).reshape(-1, 3)
    reach = np.zeros(len(photos))
    for number, photo in enumerate(photos):
        view = views[photo]
        far = np.linalg.norm(view.xyz[view.points >= 0] - view.center, axis=1)
        if len(far) >= MIN_CELLS * SEEN:
            reach[number] = REACH_OF_POINT * np.partition(far, -MIN_CELLS * SEEN)[-MIN_CELLS * SEEN]
    neighbors = cKDTree(centers).query_ball_point(centers, reach) if photos else []
    pairs = {
        (photos[min(one, other)], photos[max(one, other)])
        for one, others in enumerate(neighbors)
        for other in others
        if other != one and reach[one] > 0
    }
    return sorted(pairs)


def disagreement(a: ModelView, b: ModelView) -> float:
    """Of the cells of b in which points of a must be visible, the share where b sees only others; 0 if too few."""
    seen = a.points >= 0
    xyz, shared = a.xyz[seen], np.isin(a.points[seen], b.points[b.points >= 0])
    pixels = b.project(xyz)
    to_a, to_b = xyz - a.center, xyz - b.center
    far_a, far_b = np.linalg.norm(to_a, axis=1), np.linalg.norm(to_b, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        alike = (to_a * to_b).sum(axis=1) / (far_a * far_b) > np.cos(SIDE_BY_SIDE)
        alike &= (far_a < NEARNESS * far_b) & (far_b < NEARNESS * far_a)
        inside = (pixels > 0).all(axis=1) & (pixels < (b.camera.width, b.camera.height)).all(axis=1)
    visible = alike & inside
    expected = _cells(pixels[visible], b)
    total = np.bincount(expected, minlength=CELLS * CELLS)
    common = np.bincount(expected, shared[visible].astype(float), minlength=CELLS * CELLS)
    other = np.bincount(_cells(b.keypoints[b.points >= 0], b), minlength=CELLS * CELLS)
    against = int(((total >= SEEN) & (other >= SEEN_BY_OTHER) & (common == 0)).sum())
    agreeing = int((common > 0).sum())
    return against / (against + agreeing) if against >= MIN_CELLS else 0.0


def _cells(pixels: np.ndarray, view: ModelView) -> np.ndarray:
    """The index of the cell, 0 to CELLS^2 - 1, of each of pixels [N, 2]."""
    column, row = np.clip((pixels * CELLS / view.size).astype(np.int64), 0, CELLS - 1).T
    return row * CELLS + column


def _apart(pair: tuple[int, int], order: dict[int, int]) -> int:
    return abs(order[pair[0]] - order[pair[1]])
