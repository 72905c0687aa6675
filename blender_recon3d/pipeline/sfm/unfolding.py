"""Unfolds a folded model by the order of the photos: maps again without the false pairs.

Photos taken in succession on a path around the subject show the same side. First only these pairs are mapped, and pairs
a little further apart whose rotation agrees with the pairs between; then all pairs that the resulting model confirms.
What is left out are sides that look alike. The result is used if it has all photos and goes once around the subject,
back to its start, over pairs that were not used at first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..colmap.calls import pycolmap
from ..colmap.database import keep_pairs
from ..colmap.other_cameras import write_with_cameras
from ..doubts import folded
from ..errors import UserError
from .attempts import Attempts
from .folding import Evidence, weigh
from .links import judge, verified_matches
from .views import ModelView, model_views

Pair = tuple[int, int]
Pairs = dict[Pair, np.ndarray]

REACH = 3  # largest distance in order between the photos of a pair
TURN = np.radians(12)  # largest difference of a pair's rotation from that of the pairs between
RANSAC_ERROR = 4.0  # pixels


def unfold(attempts: Attempts, taken: Sequence[str], seed: int) -> None:
    """Check whether the largest model is folded; unfold it or add a doubt.

    taken: the names of the photos in the order they were taken.
    """
    pairs = verified_matches(attempts.database)
    place = {name: number for number, name in enumerate(taken)}
    order = {image: place[name] for image, name in attempts.names.items()}
    evidence = _evidence(attempts.models, pairs, order)
    if not evidence.folded or (evidence.broken and _unfolded(attempts, pairs, order, seed)):
        return
    in_a_row = (pair for pair in evidence.broken if abs(order[pair[0]] - order[pair[1]]) == 1)
    gap = [attempts.names[photo] for photo in next(in_a_row, ())]
    attempts.doubts.append(folded([attempts.names[photo] for photo in evidence.photos()], gap))


def _evidence(models: Sequence[Any], pairs: Pairs, order: dict[int, int]) -> Evidence:
    views, *others = [model_views(model) for model in models]
    return weigh(views, judge(views, pairs), order, others)


def _unfolded(attempts: Attempts, pairs: Pairs, order: dict[int, int], seed: int) -> bool:
    """Whether mapping again in the photos' order gave a model that is not folded; it is then in attempts.models."""
    attempts.progress.info(
        "Sides that look alike may have been merged: mapping again in the order in which the photos were taken."
    )
    trusted = in_order(pairs, model_views(attempts.models[0]), order, seed)
    others = _mapped(attempts, trusted)
    if others:
        trusted |= confirmed(pairs, model_views(others[0]))
        others = _mapped(attempts, trusted)
    if not others:
        return False
    better = _evidence(others, pairs, order)
    if better.folded or not better.closed:
        return False
    attempts.models = others
    attempts.progress.info(
        f"Sides of the subject look alike: {len(pairs) - len(trusted)} of {len(pairs)} pairs of photos that match show "
        "two of them, and were left out."
    )
    return True


def _mapped(attempts: Attempts, trusted: set[Pair]) -> list[Any]:
    """The models of these pairs alone; none if the largest has fewer photos than before."""
    number = len(list(attempts.scratch.glob("unfolded_*.db")))
    path = attempts.scratch / f"unfolded_{number}.db"
    write_with_cameras(attempts.database, path, attempts.cameras, attempts.camera_of)
    keep_pairs(path, trusted)
    try:
        models: list[Any] = attempts.map_again(path)
    except UserError as error:  # COLMAP failed; keep the current model
        attempts.progress.info(f"That did not work: {error}")
        return []
    return models if models and models[0].num_reg_images() >= attempts.registered else []


def in_order(pairs: Pairs, views: dict[int, ModelView], order: dict[int, int], seed: int) -> set[Pair]:
    """Those verified pairs that agree with the order of the photos. pairs: keypoint indices [N, 2] of each; views: of a
    model with any poses, for keypoints and lenses."""
    photos = sorted(order, key=lambda photo: order[photo])
    turn: Pairs = {}
    trusted = set()
    for reach in range(1, REACH + 1):
        for first, next_one, second in zip(photos, photos[1:], photos[reach:], strict=False):
            pair = (first, second) if (first, second) in pairs else (second, first)
            if pair not in pairs or first not in views or second not in views:
                continue
            rotation = _rotation(views, pair, pairs[pair], seed)
            if rotation is None:
                continue
            turn[first, second] = rotation if pair == (first, second) else rotation.T
            if reach == 1 or _agrees(turn, first, next_one, second):
                trusted.add(pair)
            else:
                del turn[first, second]
    return trusted


def confirmed(pairs: Pairs, views: dict[int, ModelView]) -> set[Pair]:
    """The pairs that a model of these views confirms."""
    return {(link.first, link.second) for link in judge(views, pairs) if link.confirmed}


def _agrees(turn: Pairs, first: int, between: int, second: int) -> bool:
    if (first, between) not in turn or (between, second) not in turn:
        return False
    rest = turn[first, second].T @ turn[between, second] @ turn[first, between]
    return bool(np.arccos(np.clip((np.trace(rest) - 1) / 2, -1, 1)) < TURN)


def _rotation(views: dict[int, ModelView], pair: Pair, matches: np.ndarray, seed: int) -> np.ndarray | None:
    """The rotation [3, 3] from the first camera to the second, from this pair alone."""
    a, b = views[pair[0]], views[pair[1]]
    options = pycolmap.RANSACOptions()
    options.max_error, options.random_seed = RANSAC_ERROR, seed
    pose: Any = pycolmap.estimate_relative_pose(
        a.camera, a.keypoints[matches[:, 0]], b.camera, b.keypoints[matches[:, 1]], options
    )
    return None if pose is None else np.asarray(pose["cam2_from_cam1"].rotation.matrix())
