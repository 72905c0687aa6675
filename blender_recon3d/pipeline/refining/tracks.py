"""Every track's observations aligned to one of them, its reference; photos in memory a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .observations import Observations, Views
from .patches import SIDE, PhotoCache, sample, window
from .warps import plane_warps
from .window_alignment import Aligned, Templates, align, correlation, templates

POINTS_AT_ONCE = 30_000  # their templates take 5 KB each
LEVELS = 4  # of a photo's pyramid

Told = Callable[[int, int], None]


def references(views: Views, found: Observations) -> np.ndarray:
    """Index [P] of each point's reference: the observation at the median resolution, in pixels a unit of length."""
    depth = views.to_camera(found.view, found.xyz[found.point])[:, 2]
    focal = np.array([camera.mean_focal_length() for camera in views.cameras])[views.camera[found.view]]
    order = np.lexsort((found.view, focal / np.maximum(depth, 1e-12), found.point))
    starts = found.starts()
    return order[(starts[:-1] + starts[1:] - 1) // 2]


def align_tracks(
    views: Views,
    found: Observations,
    photos: PhotoCache,
    reference: np.ndarray,
    normal: np.ndarray,
    told: Told = lambda done, total: None,
) -> Aligned:
    """All observations [O] aligned to their points' references [P], through planes of these normals [P, 3].

    The reference itself stays where it is, with a correlation of 1. Spread and split are in pixels of the photos as
    they are sampled. told(done, total): of photos.
    """
    result = Aligned(
        found.pixel.copy(), *(np.full(len(found), value) for value in (np.nan, False, np.nan, np.nan))
    )
    scales = photos.scale(views.sizes())
    for points, wanted in _templates(views, found, photos, reference):
        for v, chosen, slot, warp in _targets(views, found, scales, reference, normal, points):
            for level, part in _by_level(photos[v], warp):
                o, shrink = chosen[part], scales[v] * 0.5**level
                aligned = align(
                    photos[v][level],
                    found.pixel[o] * shrink,
                    warp[part] * 0.5**level,
                    wanted.take(slot[part]),
                )
                result.pixel[o] = aligned.pixel / shrink
                result.zncc[o], result.settled[o] = aligned.zncc, aligned.settled
                result.spread[o], result.split[o] = aligned.spread, aligned.split
            told(v + 1, len(views.names))
    result.pixel[reference] = found.pixel[reference]
    result.zncc[reference], result.settled[reference] = 1.0, True
    result.spread[reference], result.split[reference] = 0.0, 0.0
    return result


def correlate_tracks(
    views: Views,
    found: Observations,
    photos: PhotoCache,
    reference: np.ndarray,
    normals: list[np.ndarray],
    told: Told = lambda done, total: None,
) -> np.ndarray:
    """Correlations [O, N] of the observations, where they are, with their references, for each of N sets of normals
    [P, 3]; NaN at the references and where a plane is not seen."""
    result = np.full((len(found), len(normals)), np.nan)
    scales = photos.scale(views.sizes())
    for points, wanted in _templates(views, found, photos, reference):
        for number, normal in enumerate(normals):
            for v, chosen, slot, warp in _targets(views, found, scales, reference, normal, points):
                for level, part in _by_level(photos[v], warp):
                    o, shrink = chosen[part], scales[v] * 0.5**level
                    result[o, number] = correlation(
                        photos[v][level],
                        found.pixel[o] * shrink,
                        warp[part] * 0.5**level,
                        wanted.take(slot[part]),
                    )
                told(v + 1, len(views.names))
    return result


def _templates(
    views: Views, found: Observations, photos: PhotoCache, reference: np.ndarray
) -> Iterator[tuple[np.ndarray, Templates]]:
    """Points, a part at a time, and their templates."""
    offsets, _ = window(SIDE + 2)
    scales = photos.scale(views.sizes())
    for start in range(0, len(found.xyz), POINTS_AT_ONCE):
        points = np.arange(start, min(start + POINTS_AT_ONCE, len(found.xyz)))
        values = np.empty((len(points), len(offsets)), np.float32)
        seen_in = found.view[reference[points]]
        for v in np.unique(seen_in):
            own = np.flatnonzero(seen_in == v)
            eye = np.tile(np.eye(2), (len(own), 1, 1))
            values[own] = sample(photos[v][0], found.pixel[reference[points[own]]] * scales[v], eye, offsets)
        yield points, templates(values)


def _targets(
    views: Views,
    found: Observations,
    scales: np.ndarray,
    reference: np.ndarray,
    normal: np.ndarray,
    points: np.ndarray,
) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """Photo by photo: its number, the observations in it, their places in `points`, and their warps."""
    starts = found.starts()
    inside = np.arange(starts[points[0]], starts[points[-1] + 1])
    inside = inside[reference[found.point[inside]] != inside]
    p = found.point[inside]
    own = reference[p]
    warp = plane_warps(views, found.xyz[p], normal[p], found.view[own], found.pixel[own], found.view[inside])
    warp *= (scales[found.view[inside]] / scales[found.view[own]])[:, None, None]
    for v in np.unique(found.view[inside]):
        here = np.flatnonzero(found.view[inside] == v)
        yield int(v), inside[here], p[here] - points[0], warp[here]


def _by_level(photo: list[np.ndarray], warp: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Levels of the pyramid, each half the size of the one before, and the windows that are best sampled there."""
    scale = np.sqrt(np.abs(np.linalg.det(np.nan_to_num(warp))))
    level = np.clip(np.rint(np.log2(np.maximum(scale, 1e-6))), 0, len(photo) - 1)
    for number in np.unique(level):
        yield int(number), np.flatnonzero(level == number)
