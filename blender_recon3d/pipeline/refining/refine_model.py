"""Refines a model from its photos: two rounds of aligning every track and adjusting, then the principal point; also
reports the quality of each photo.

One in twenty points is held out of the adjustments, to tell whether the cameras have become better.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..events import Progress
from .adjustment import adjust
from .model_copies import assembled, move_onto
from .normals import search_normals
from .observations import Observations, Views, read_observations, read_views
from .patches import PhotoCache
from .principal_point import PrincipalPoint
from .saved_rounds import Round, SavedRounds
from .tracks import align_tracks, references
from .triangulation import reproject, triangulate
from .warps import facing_normals
from .window_alignment import Aligned

FARTHEST = 3.0  # pixels that an observation may move from its original position
# The largest distance of an aligned observation from its point, in pixels of the photos as sampled, before each round's
# adjustment (the last one also applies at the end); and that of original observations.
OUTLIERS = (3.0, 1.0)
AS_FOUND = 4.0
# A photo that keeps fewer observations, or a smaller share of its own, keeps the original ones.
MIN_KEPT = 30
MIN_KEPT_SHARE = 0.25
MIN_ALIGNED_SHARE = 0.3  # of all observations; with fewer, a refinement is worthless
HELD_OUT = 20  # one point in this many
MIN_HELD_OUT = 20


@dataclass(frozen=True)
class Limits:
    """Requirements for an aligned observation. zncc: correlation; spread, split: see `Aligned`, pixels."""

    zncc: float
    spread: float
    split: float


ROUNDS = (Limits(0.7, 0.6, 1.5), Limits(0.8, 0.3, 0.5))


@dataclass(frozen=True)
class Kept:
    """For one photo: its observations before, and after, without those that could not be aligned or do not fit."""

    before: int
    after: int


@dataclass(frozen=True)
class Refined:
    """model: a pycolmap Reconstruction, in the position of the previous one. kept: by photo name. held_out: median
    reprojection error in pixels of the held-out points, with the cameras before and after; None if there are too few
    points. accepted: whether the model is better, with enough evidence; if not, `model` is the previous one."""

    model: Any
    kept: dict[str, Kept]
    principal_points: list[PrincipalPoint]
    held_out: tuple[float, float] | None
    accepted: bool


def refine(
    model: Any,
    photos: PhotoCache,
    intrinsics: bool,
    free: Callable[[Any], tuple[Any, list[PrincipalPoint]]],
    progress: Progress,
    saved: SavedRounds | None = None,
    stay: Collection[str] = (),
) -> Refined:
    """Refine a pycolmap Reconstruction, which is not changed.

    photos: by their index in `read_views`. intrinsics: whether focal lengths and distortions may change. free(model):
    returns the model with principal points freed, and the outcomes. saved: rounds of an earlier run, and of this one.
    stay: photos whose poses are fixed.
    """
    saved = saved or SavedRounds(None)
    views = read_views(model)
    observations = read_observations(model, views)
    reference = references(views, observations)
    held_out = _held_out(observations)
    nothing = np.zeros(len(observations), bool)
    now = Round(observations.pixel, observations.xyz, ~nothing, nothing, model)
    for number, limits in enumerate(ROUNDS):
        before, known = now, saved.load(number, len(observations), len(observations.xyz))
        now = known or _round(
            model,
            photos,
            observations,
            before,
            reference,
            number,
            limits,
            held_out,
            intrinsics,
            stay,
            progress,
        )
        if known is None:
            saved.save(number, now)
    cameras, points = free(now.cameras)
    unseen = now.good & held_out[observations.point]
    moving = np.array([name not in stay for name in views.names])[observations.view]
    figures = _median_errors(
        [views, read_views(now.cameras), read_views(cameras)],
        replace(observations, pixel=now.pixel),
        unseen,
        moving,
    )
    if figures and figures[2] > figures[1]:
        cameras, points = now.cameras, [_left(point) for point in points]
        figures[2] = figures[1]
    after, use = read_views(cameras), now.good | now.put_back
    xyz = triangulate(after, now.xyz, observations.point, observations.view, now.pixel, use.astype(float))
    final = replace(observations, xyz=xyz, pixel=now.pixel)
    fits = _residual(after, final) < _largest(photos, after, final, now.good, OUTLIERS[-1])
    counts = _kept(views, observations, now.good & fits)
    errors = (figures[0], figures[2]) if figures else None
    if (errors and errors[1] > errors[0]) or now.good.sum() < MIN_ALIGNED_SHARE * len(observations):
        return Refined(model, counts, [_left(point) for point in points], errors, False)
    refined = assembled(model, cameras, final, use & fits)
    if not stay:  # else they hold its position
        move_onto(refined, model)
    return Refined(refined, counts, points, errors, True)


def _round(
    model: Any,
    photos: PhotoCache,
    observations: Observations,
    before: Round,
    reference: np.ndarray,
    number: int,
    limits: Limits,
    held_out: np.ndarray,
    intrinsics: bool,
    stay: Collection[str],
    progress: Progress,
) -> Round:
    views = read_views(before.cameras)
    busy = f"round {number + 1} of {len(ROUNDS)}, "

    def report(what: str) -> Callable[[int, int], None]:
        def tell(done: int, total: int) -> None:
            progress.report(done, total, busy + what)
            progress.check()

        return tell

    current = replace(observations, xyz=before.xyz, pixel=before.pixel.copy())
    normal = facing_normals(views, current.xyz, current.point, current.view)
    if number:
        normal = search_normals(views, current, photos, reference, normal, report("surface"))
    aligned = align_tracks(views, current, photos, reference, normal, report("aligning"))
    good = _acceptable(views, observations, aligned, photos, limits)
    current.pixel[good] = aligned.pixel[good]
    put_back = _too_few(views, observations, good)
    current.pixel[put_back] = observations.pixel[put_back]
    use = good | put_back
    current.xyz = triangulate(
        views, current.xyz, current.point, current.view, current.pixel, use.astype(float)
    )
    use &= _residual(views, current) < _largest(photos, views, current, good, OUTLIERS[number])
    shown = use & ~held_out[current.point]
    adjusted = assembled(model, before.cameras, current, shown)
    adjust(adjusted, intrinsics, progress, busy + "adjusting", stay)
    return Round(current.pixel, current.xyz, good, put_back, adjusted)


def _acceptable(
    views: Views, observations: Observations, aligned: Aligned, photos: PhotoCache, limits: Limits
) -> np.ndarray:
    scale = photos.scale(views.sizes())[observations.view]
    moved = np.linalg.norm(aligned.pixel - observations.pixel, axis=1) * scale
    with np.errstate(invalid="ignore"):
        return (
            aligned.settled
            & (moved < FARTHEST)
            & (aligned.zncc > limits.zncc)
            & (aligned.spread < limits.spread)
            & (aligned.split < limits.split)
        )


def _largest(
    photos: PhotoCache, views: Views, observations: Observations, aligned: np.ndarray, outlier: float
) -> np.ndarray:
    """The largest distance [O] of an observation from its point, pixels of its photo."""
    return np.where(aligned, outlier, AS_FOUND) / photos.scale(views.sizes())[observations.view]


def _residual(views: Views, observations: Observations) -> np.ndarray:
    """Distance [O] from the points, pixels; infinite behind a camera."""
    there = reproject(views, observations.xyz, observations.point, observations.view)
    return np.nan_to_num(np.linalg.norm(there - observations.pixel, axis=1), nan=np.inf)


def _too_few(views: Views, observations: Observations, good: np.ndarray) -> np.ndarray:
    """The observations [O] that are not good, in photos with too few good ones."""
    count = np.bincount(observations.view[good], minlength=len(views.names))
    minimum = np.maximum(
        MIN_KEPT, MIN_KEPT_SHARE * np.bincount(observations.view, minlength=len(views.names))
    )
    return (count < minimum)[observations.view] & ~good


def _kept(views: Views, observations: Observations, good: np.ndarray) -> dict[str, Kept]:
    before = np.bincount(observations.view, minlength=len(views.names))
    after = np.bincount(observations.view[good], minlength=len(views.names))
    return {name: Kept(int(before[v]), int(after[v])) for v, name in enumerate(views.names)}


def _held_out(observations: Observations) -> np.ndarray:
    """The points [P] that are excluded from adjustments."""
    chosen = np.arange(len(observations.xyz)) % HELD_OUT == HELD_OUT // 2
    return chosen if chosen.sum() >= MIN_HELD_OUT else np.zeros_like(chosen)


def _median_errors(
    choices: list[Views], observations: Observations, use: np.ndarray, measured: np.ndarray
) -> list[float]:
    """Median distance of the observations to use [O] that are measured [O] from their points, triangulated with each
    choice of cameras; empty if there are none."""
    seen = np.bincount(observations.point[use], minlength=len(observations.xyz))
    use = use & (seen >= 2)[observations.point]
    medians = []
    for views in choices if (use & measured).any() else []:
        xyz = triangulate(
            views,
            observations.xyz,
            observations.point,
            observations.view,
            observations.pixel,
            use.astype(float),
        )
        medians.append(float(np.median(_residual(views, replace(observations, xyz=xyz))[use & measured])))
    return medians


def _left(point: PrincipalPoint) -> PrincipalPoint:
    """The outcome for a freed one that the held-out points do not support."""
    if not point.freed:
        return point
    return replace(point, freed=False, reason="held-out points fit no better with it", shift=(0.0, 0.0))
