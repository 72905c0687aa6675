"""Aligns every track's observations to one of them, its reference, with a few photos in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .observations import Observations, Views
from .patches import SIDE, PhotoCache, sample, window
from .warps import plane_warps
from .window_alignment import Aligned, Templates, align, correlation, templates

POINTS_AT_ONCE = 30_000  # their templates take 5 KB each
LEVELS = 4  # of a photo's pyramid

Report = Callable[[int, int], None]  # done, total


def references(views: Views, observations: Observations) -> np.ndarray:
    """Index [P] of each point's reference: the observation of median resolution, in pixels per unit of length."""
    depth = views.to_camera(observations.view, observations.xyz[observations.point])[:, 2]
    focal = np.array([camera.mean_focal_length() for camera in views.cameras])[
        views.camera[observations.view]
    ]
    order = np.lexsort((observations.view, focal / np.maximum(depth, 1e-12), observations.point))
    starts = observations.starts()
    return order[(starts[:-1] + starts[1:] - 1) // 2]


def align_tracks(
    views: Views,
    observations: Observations,
    photos: PhotoCache,
    reference: np.ndarray,
    normal: np.ndarray,
    report: Report = lambda done, total: None,
) -> Aligned:
    """Align all observations [O] to their points' references [P], through planes with these normals [P, 3].

    The reference itself remains in place, with a correlation of 1. Spread and split are in pixels of the photos as
    sampled. report(done, total): of photos.
    """
    result = Aligned(
        observations.pixel.copy(),
        *(np.full(len(observations), value) for value in (np.nan, False, np.nan, np.nan)),
    )
    scales = photos.scale(views.sizes())
    for points, template in _templates(views, observations, photos, reference):
        for v, chosen, slot, warp in _targets(views, observations, scales, reference, normal, points):
            for level, part in _by_level(photos[v], warp):
                o, shrink = chosen[part], scales[v] * 0.5**level
                aligned = align(
                    photos[v][level],
                    observations.pixel[o] * shrink,
                    warp[part] * 0.5**level,
                    template.take(slot[part]),
                )
                result.pixel[o] = aligned.pixel / shrink
                result.zncc[o], result.settled[o] = aligned.zncc, aligned.settled
                result.spread[o], result.split[o] = aligned.spread, aligned.split
            report(v + 1, len(views.names))
    result.pixel[reference] = observations.pixel[reference]
    result.zncc[reference], result.settled[reference] = 1.0, True
    result.spread[reference], result.split[reference] = 0.0, 0.0
    return result


def correlate_tracks(
    views: Views,
    observations: Observations,
    photos: PhotoCache,
    reference: np.ndarray,
    normals: list[np.ndarray],
    report: Report = lambda done, total: None,
) -> np.ndarray:
    """Correlations [O, N] of the observations, at their positions, with their references, for each of N sets of normals
    [P, 3]; NaN at the references and where a plane is not visible."""
    result = np.full((len(observations), len(normals)), np.nan)
    scales = photos.scale(views.sizes())
    for points, template in _templates(views, observations, photos, reference):
        for number, normal in enumerate(normals):
            for v, chosen, slot, warp in _targets(views, observations, scales, reference, normal, points):
                for level, part in _by_level(photos[v], warp):
                    o, shrink = chosen[part], scales[v] * 0.5**level
                    result[o, number] = correlation(
                        photos[v][level],
                        observations.pixel[o] * shrink,
                        warp[part] * 0.5**level,
                        template.take(slot[part]),
                    )
                report(v + 1, len(views.names))
    return result


def _templates(
    views: Views, observations: Observations, photos: PhotoCache, reference: np.ndarray
) -> Iterator[tuple[np.ndarray, Templates]]:
    """Points in batches, and their templates."""
    offsets, _ = window(SIDE + 2)
    scales = photos.scale(views.sizes())
    for start in range(0, len(observations.xyz), POINTS_AT_ONCE):
        points = np.arange(start, min(start + POINTS_AT_ONCE, len(observations.xyz)))
        values = np.empty((len(points), len(offsets)), np.float32)
        seen_in = observations.view[reference[points]]
        for v in np.unique(seen_in):
            own = np.flatnonzero(seen_in == v)
            eye = np.tile(np.eye(2), (len(own), 1, 1))
            values[own] = sample(
                photos[v][0], observations.pixel[reference[points[own]]] * scales[v], eye, offsets
            )
        yield points, templates(values)


def _targets(
    views: Views,
    observations: Observations,
    scales: np.ndarray,
    reference: np.ndarray,
    normal: np.ndarray,
    points: np.ndarray,
) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """For each photo: its index, the observations in it, their positions in `points`, and their warps."""
    starts = observations.starts()
    inside = np.arange(starts[points[0]], starts[points[-1] + 1])
    inside = inside[reference[observations.point[inside]] != inside]
    p = observations.point[inside]
    own = reference[p]
    there = observations.view[inside]
    warp = plane_warps(
        views, observations.xyz[p], normal[p], observations.view[own], observations.pixel[own], there
    )
    warp *= (scales[observations.view[inside]] / scales[observations.view[own]])[:, None, None]
    for v in np.unique(observations.view[inside]):
        here = np.flatnonzero(observations.view[inside] == v)
        yield int(v), inside[here], p[here] - points[0], warp[here]


def _by_level(photo: list[np.ndarray], warp: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Levels of the pyramid, each half the size of the previous one, and the windows best sampled there."""
    scale = np.sqrt(np.abs(np.linalg.det(np.nan_to_num(warp))))
    level = np.clip(np.rint(np.log2(np.maximum(scale, 1e-6))), 0, len(photo) - 1)
    for number in np.unique(level):
        yield int(number), np.flatnonzero(level == number)
