"""Rounds of photos between which the subject was turned over while its surroundings were not.

Each round goes all around the subject. What then differs, depends on what most matches are on:

- Neither joins them: each round is a model of its own.
- The surroundings: the rounds share points of the ground, but hardly any of what stands on it, although both see all of
  its sides.
- The subject: the two rings of cameras are on different sides of it, and share no points of the surroundings. Rings
  from above and below a subject that stays, such as a statue on a pedestal, do share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..doubts import Doubt
from ..meshing.region import subject_ball
from ..placing.ground import ground_plane
from ..placing.upright import place_model
from ..text import named
from ..wording import Sentence, option

MIN_ROUND = 6  # photos
MIN_POINTS = 60  # of the subject, and of the ground, that each round must see
APART = 0.03  # at most, of the subject's points are seen by both rounds
SHARED = 0.12  # at least, of the ground's
OFF_GROUND = 0.02  # of the cameras' distance: how far the subject's points are above the ground
ABOVE = 0.15  # of the same: how far the plane of a ring must be from the subject's middle
OTHER_SIDE = 0.5  # cosine between the axes of two rings, at most
LEVEL = 0.7  # at most, the spread of the heights in a ring over their mean, from the subject's middle

Names = list[str]


@dataclass(frozen=True, eq=False)
class _Views:
    """The photos of a model in the order taken: names, centers [N, 3] and unit optical axes [N, 3]."""

    names: Names
    centers: np.ndarray
    forward: np.ndarray


def rounds_of(models: Sequence[Any], taken: Sequence[str]) -> list[Names]:
    """The photos' names of each round; empty if there is only one. models: pycolmap.Reconstruction, the largest first.
    taken: all photos' names in the order taken."""
    apart = [views.names for views in (_views(model, taken) for model in models) if _ring(views)]
    if len(apart) > 1:
        return apart
    views = _views(models[0], taken)
    place = _turned(models[0], views) or _doubled(models[0], views)
    return [views.names[:place], views.names[place:]] if place else []


def first_round(model: Any, taken: Sequence[str]) -> Names:
    """The photos taken before the subject was turned over, if the model is of the subject; else all of its photos. The
    world's up is theirs."""
    views = _views(model, taken)
    return views.names[: _turned(model, views) or None]


def turned_over(rounds: Sequence[Names]) -> Doubt:
    """For jobs whose masks are not to be changed."""
    first = " and those from ".join(names[0] for names in rounds)
    return Doubt(
        "turned over",
        f"The subject seems to have been turned over between the photos from {first} on, while its surroundings were "
        f"not: the two do not fit together ({named(rounds[-1])}).",
        Sentence(
            "Use masks that show the subject only, or let them be made by themselves (", option("masks"), ")."
        ),
        tuple(rounds[-1]),
    )


def _views(model: Any, taken: Sequence[str]) -> _Views:
    place = {name: number for number, name in enumerate(taken)}
    images = [model.image(number) for number in model.reg_image_ids()]
    images = sorted((image for image in images if image.name in place), key=lambda image: place[image.name])
    return _Views(
        [image.name for image in images],
        np.array([image.projection_center() for image in images]).reshape(-1, 3),
        np.array([image.viewing_direction() for image in images]).reshape(-1, 3),
    )


def _ring(views: _Views, part: slice = slice(None)) -> tuple[np.ndarray, float] | None:
    """The ball (center [3], radius) inside the ring of these photos; None if they are too few, or not a ring."""
    centers = views.centers[part]
    return subject_ball(centers, views.forward[part]) if len(centers) >= MIN_ROUND else None


def _places(views: _Views) -> range:
    """Where the second round may begin."""
    return range(MIN_ROUND, len(views.names) - MIN_ROUND + 1)


def _turned(model: Any, views: _Views) -> int:
    """The photo with which the cameras go to the other side of the subject, and see it before other surroundings; 0 for
    none."""
    candidates = []
    for place in _places(views):
        first, second = _side(views, slice(None, place)), _side(views, slice(place, None))
        if first and second and first[0] @ second[0] < OTHER_SIDE:
            candidates.append((max(first[1], second[1]), place))
    spread, place = min(candidates, default=(np.inf, 0))
    return 0 if spread > LEVEL or _share_surroundings(model, views, place) else place


def _share_surroundings(model: Any, views: _Views, place: int) -> bool:
    """Whether points beyond the subject are seen from both sides of `place`."""
    xyz, first, last = _seen(model, views)
    beyond = np.ones(len(xyz), bool)
    for part in (slice(None, place), slice(place, None)):
        if (ball := _ring(views, part)) is not None:
            beyond &= np.linalg.norm(xyz - ball[0], axis=1) > ball[1]
    return bool(_shared(first[beyond], last[beyond], len(views.names), 0.0)[place] > APART)


def _side(views: _Views, part: slice) -> tuple[np.ndarray, float] | None:
    """On which side of the subject a ring of cameras is: the unit normal [3] of their plane, and the spread of their
    heights along it over the mean; None if on neither side, or there is no ring."""
    ball = _ring(views, part)
    if ball is None:
        return None
    offset = views.centers[part] - ball[0]
    normal = np.linalg.svd(offset - offset.mean(axis=0), full_matrices=False)[2][2]
    heights = offset @ normal
    mean = float(heights.mean())
    if abs(mean) < ABOVE * ball[1]:
        return None
    return normal * np.sign(mean), float(heights.std()) / abs(mean)


def _doubled(model: Any, views: _Views) -> int:
    """The photo from which on other points of the subject are seen, but the same ones of the ground; 0 for none."""
    ball = _ring(views)
    if ball is None or not _places(views):
        return 0
    xyz, first, last = _seen(model, views)
    inside = np.linalg.norm(xyz - ball[0], axis=1) < ball[1]
    plane = ground_plane(xyz, views.centers, place_model(model)[2].direction)
    if plane is None:
        return 0
    height = xyz @ plane[0] - plane[1]
    standing = inside & (height > OFF_GROUND * ball[1])
    ground = inside & (np.abs(height) <= OFF_GROUND * ball[1])

    on_subject = _shared(first[standing], last[standing], len(views.names), 1.0)
    place = min(_places(views), key=lambda place: on_subject[place])
    if (
        on_subject[place] > APART
        or _shared(first[ground], last[ground], len(views.names), 0.0)[place] < SHARED
    ):
        return 0
    return place if _ring(views, slice(None, place)) and _ring(views, slice(place, None)) else 0


def _shared(first: np.ndarray, last: np.ndarray, count: int, too_few: float) -> np.ndarray:
    """For each place [N], the share of points that are seen from both sides of it; too_few: where either side sees
    hardly any. first, last: the first and the last photo that sees each point [P]; count: of photos."""
    before = np.concatenate([[0], np.cumsum(np.bincount(first, minlength=count))[:-1]])  # seen before a place
    over = np.concatenate([[0], np.cumsum(np.bincount(last, minlength=count))[:-1]])  # and not from there on
    enough = np.minimum(before, len(first) - over) >= MIN_POINTS
    return np.where(enough, (before - over) / max(1, len(first)), too_few)


def _seen(model: Any, views: _Views) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The model's points [P, 3], and the first and the last photo of `views` that sees each [P]."""
    place = {name: number for number, name in enumerate(views.names)}
    of_image = {
        number: place[model.image(number).name]
        for number in model.reg_image_ids()
        if model.image(number).name in place
    }
    rows = []
    for point in model.points3D.values():
        seen = [of_image[each.image_id] for each in point.track.elements if each.image_id in of_image]
        if seen:
            rows.append((*point.xyz, min(seen), max(seen)))
    table = np.array(rows, float).reshape(-1, 5)
    return table[:, :3], table[:, 3].astype(int), table[:, 4].astype(int)
