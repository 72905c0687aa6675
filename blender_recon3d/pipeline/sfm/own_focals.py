"""Detects photos that share a camera but were taken at several focal lengths, by fitting each one's own to a model.

Phones and messengers strip EXIF, and a digital zoom or a second lens does not change the photo's size. Mapping then
ends with one focal length for all of them and a bent model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..colmap.calls import pycolmap
from .views import model_views

OBSERVATIONS = 120  # of each photo; enough for its focal length
MIN_PHOTOS = 4
BETTER = 0.75  # of the error that remains with their own focal lengths; otherwise one for all is good enough
HINT = 0.9  # the same for two clear groups, with coarse keypoints: mapping them separately has to confirm it
APART = 1.12  # between focal lengths of two lenses or zooms
MAX_GROUPS = 4  # with more, the zoom was changed all the time: each photo gets its own camera


@dataclass(frozen=True)
class OwnFocals:
    """By image id: focals in pixels; shared and own: mean reprojection errors in pixels, with the shared focal length
    and with each photo's own."""

    focals: dict[int, float]
    shared: dict[int, float]
    own: dict[int, float]

    def explain(self, photos: Iterable[int], better: float = BETTER) -> bool:
        """Whether their own focal length improves these photos enough."""
        photos = list(photos)
        return sum(self.own[photo] for photo in photos) < better * sum(self.shared[photo] for photo in photos)


def fit_own_focals(model: Any) -> OwnFocals:
    """Bundle adjustment of a pycolmap.Reconstruction, which is not changed, with a camera for each photo."""
    own = with_own_cameras(model)
    shared = _errors(own)
    options = pycolmap.BundleAdjustmentOptions()
    options.print_summary = False
    options.refine_extra_params = False  # they would compensate for a focal length
    options.ceres.solver_options.num_threads = 1  # for a deterministic order of summation
    pycolmap.bundle_adjustment(own, options)
    focals = {number: float(own.camera(number).mean_focal_length()) for number in own.reg_image_ids()}
    return OwnFocals(focals, shared, _errors(own))


def _errors(model: Any) -> dict[int, float]:
    """Mean reprojection error of each photo, pixels; 0 if it sees no point."""
    mean_errors = {}
    for number, view in model_views(model).items():
        seen = view.points >= 0
        off = view.project(view.xyz[seen]) - view.keypoints[seen]
        mean_errors[number] = float(np.linalg.norm(off, axis=1).mean()) if seen.any() else 0.0
    return mean_errors


def with_own_cameras(model: Any) -> Any:
    """The model with a camera for each photo, and as many of its points as needed, those with the longest tracks."""
    own = pycolmap.Reconstruction()
    for number in sorted(model.reg_image_ids()):
        image = model.image(number)
        shared = model.camera(image.camera_id)
        camera = pycolmap.Camera(
            model=shared.model,
            width=shared.width,
            height=shared.height,
            params=shared.params,
            camera_id=number,
        )
        own.add_camera_with_trivial_rig(camera)
        copy = pycolmap.Image(name=image.name, camera_id=number, image_id=number)
        copy.points2D = pycolmap.Point2DList([pycolmap.Point2D(point.xy) for point in image.points2D])
        own.add_image_with_trivial_frame(copy, image.cam_from_world())
    seen: dict[int, int] = defaultdict(int)
    points = sorted(model.points3D.items(), key=lambda item: (-item[1].track.length(), item[0]))
    for _, point in points:
        photos = {element.image_id for element in point.track.elements}
        if any(seen[photo] < OBSERVATIONS for photo in photos):
            own.add_point3D(point.xyz, point.track, point.color)
            for photo in photos:
                seen[photo] += 1
    return own


def focal_groups(focals: Mapping[int, float]) -> list[list[int]]:
    """Image ids by focal length, the largest group first; each photo separately if there are too many groups."""
    order = sorted(focals, key=lambda number: (focals[number], number))
    groups = [[order[0]]]
    for before, number in pairwise(order):
        if focals[number] > APART * focals[before]:
            groups.append([])
        groups[-1].append(number)
    if len(groups) > MAX_GROUPS:
        groups = [[number] for number in order]
    return sorted(groups, key=lambda group: (-len(group), group))


def split_cameras(model: Any, fitted: OwnFocals) -> tuple[dict[int, list[list[int]]], bool]:
    """By camera id, the groups of image ids that its photos form, only for cameras with several groups; and whether
    this is only a hint for one of them."""
    members: dict[int, dict[int, float]] = defaultdict(dict)
    for number, focal in fitted.focals.items():
        members[model.image(number).camera_id][number] = focal
    groups_of, hint = {}, False
    for camera, focals in members.items():
        groups = focal_groups(focals)
        others = [number for group in groups[1:] for number in group]
        if len(focals) < MIN_PHOTOS or not others:
            continue
        if fitted.explain(others) or fitted.explain(focals):
            groups_of[camera] = groups
        elif len(groups) == 2 and len(others) > 1 and fitted.explain(focals, HINT):
            groups_of[camera], hint = groups, True
    return groups_of, hint


def typical(fitted: OwnFocals, group: list[int]) -> float:
    return float(np.median([fitted.focals[number] for number in group]))
