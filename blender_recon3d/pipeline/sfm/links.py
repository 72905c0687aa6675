"""Evaluates the matches of each verified pair by the model.

A match says that two keypoints show the same point. If the model has a point for one of them, that point must project
to the other one too. In a pair that was verified but not confirmed, one is wrong: the pair, which then shows two things
that look alike, or the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..colmap.calls import pycolmap
from ..colmap.database import open_database
from .views import ModelView

TOLERANCE = 0.01  # of the photo's longer side: largest distance of a point
MIN_JUDGED = 10  # matches; fewer are inconclusive
BORNE_OUT, BROKEN = 0.5, 0.3  # share of the evaluated matches; in between is inconclusive


@dataclass(frozen=True)
class Link:
    """A verified pair. first, second: image ids; matches: verified ones; judged: those with a point in the model;
    agreeing: those that the model confirms."""

    first: int
    second: int
    matches: int
    judged: int
    agreeing: int

    @property
    def confirmed(self) -> bool:
        return self.judged >= MIN_JUDGED and self.agreeing >= BORNE_OUT * self.judged

    @property
    def doubtful(self) -> bool:
        return self.judged >= MIN_JUDGED and not self.confirmed

    @property
    def broken(self) -> bool:
        return self.judged >= MIN_JUDGED and self.agreeing < BROKEN * self.judged


def verified_matches(database: Path) -> dict[tuple[int, int], np.ndarray]:
    """Keypoint indices int [N, 2] of each verified pair of image ids."""
    matches = {}
    with open_database(database) as opened:
        for pair, geometry in zip(*opened.read_two_view_geometries(), strict=True):
            first, second = pycolmap.pair_id_to_image_pair(pair) if isinstance(pair, int) else pair
            if len(geometry.inlier_matches):
                matches[int(first), int(second)] = np.array(geometry.inlier_matches, np.int64)
    return matches


def judge(views: dict[int, ModelView], pairs: dict[tuple[int, int], np.ndarray]) -> list[Link]:
    """A link for each verified pair whose photos are both in the model."""
    links = []
    for (first, second), matches in sorted(pairs.items()):
        if first in views and second in views:
            a, b = views[first], views[second]
            there = np.linalg.norm(b.project(a.xyz[matches[:, 0]]) - b.keypoints[matches[:, 1]], axis=1)
            back = np.linalg.norm(a.project(b.xyz[matches[:, 1]]) - a.keypoints[matches[:, 0]], axis=1)
            known = (a.points[matches[:, 0]] >= 0) | (b.points[matches[:, 1]] >= 0)
            near = (there <= TOLERANCE * b.size) | (back <= TOLERANCE * a.size)
            links.append(Link(first, second, len(matches), int(known.sum()), int((near & known).sum())))
    return links


def strengths(links: list[Link]) -> dict[tuple[int, int], float]:
    """Strength of each pair relative to the strongest confirmed one, of either photo; the smaller value.

    Two photos of the same place have as much in common as with their neighbors; two similar sides have less in common
    by chance.
    """
    best: dict[int, int] = {}
    for link in links:
        if link.confirmed:
            for photo in (link.first, link.second):
                best[photo] = max(best.get(photo, 0), link.matches)
    return {
        (link.first, link.second): min(
            link.matches / best.get(photo, link.matches) for photo in (link.first, link.second)
        )
        for link in links
    }
