"""Joins separate models of one object by what they share: as when it was turned over, and few photos show both sides.

The mapper places a photo only if it shares enough matches with single photos. Two whole models may still share points:
matches of all their photos together determine the similarity between them (Umeyama 1991, in RANSAC). Then both are one
model, which is adjusted as a whole.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from ..colmap.calls import pycolmap
from ..colmap.database import open_database, pair_counts
from .attempts import Attempts

MIN_SHARED = 25  # points that must agree
OFF = 0.01  # of the distance to what a photo shows: how far two places of one point may be apart
MIN_SHARE = 0.1  # of the matched points; with fewer, they agree by chance
MAX_WORSE = 1.5  # the error of the whole, relative to the larger one of the two, and
TOLERANCE = 0.3  # pixels more


def join_models(attempts: Attempts, seed: int) -> None:
    """Join the other models to the largest one where they share points; attempts.models is then shorter."""
    largest, *others = attempts.models
    separate = []
    for other in others:
        joined = joined_model(largest, other, attempts.database, seed)
        if joined is None:
            separate.append(other)
            continue
        model, shared = joined
        attempts.progress.info(
            f"Two groups of {largest.num_reg_images()} and {other.num_reg_images()} photos are joined by {shared} "
            "points that both show."
        )
        largest = model
    attempts.models = [largest, *separate]


def joined_model(first: Any, second: Any, database: Any, seed: int) -> tuple[Any, int] | None:
    """One model of two pycolmap.Reconstruction, in the frame of the first, and the number of points by which they were
    joined; None if these do not agree. database: the path of the one with their matches."""
    if has_rigs(first) or has_rigs(second):
        return None  # the views of a panorama, or of cameras fired together, would come apart
    pairs = shared_points(first, second, database)
    if len(pairs) < MIN_SHARED:
        return None
    from_second = np.stack([second.points3D[b].xyz for _, b in pairs])
    in_first = np.stack([first.points3D[a].xyz for a, _ in pairs])
    options = pycolmap.RANSACOptions()
    options.max_error, options.random_seed = OFF * _distance(first), seed
    similarity: Any = pycolmap.estimate_sim3d_robust(from_second, in_first, options)
    if similarity is None:
        return None
    first_from_second = similarity["tgt_from_src"] if isinstance(similarity, dict) else similarity
    off = np.linalg.norm(np.stack([first_from_second * xyz for xyz in from_second]) - in_first, axis=1)
    agree = off <= options.max_error
    if agree.sum() < max(MIN_SHARED, MIN_SHARE * len(pairs)):
        return None
    whole = _merged(
        first, second, first_from_second, [pair for pair, fits in zip(pairs, agree, strict=True) if fits]
    )
    _adjust(whole)
    before = max(first.compute_mean_reprojection_error(), second.compute_mean_reprojection_error())
    if whole.compute_mean_reprojection_error() > MAX_WORSE * before + TOLERANCE:
        return None
    return whole, int(agree.sum())


def shared_points(first: Any, second: Any, path: Any) -> list[tuple[int, int]]:
    """Pairs of points, by their ids in the two models, that most matches between photos of the two say are one."""
    votes: dict[tuple[int, int], int] = defaultdict(int)
    ours, theirs = set(first.reg_image_ids()), set(second.reg_image_ids())
    with open_database(path) as database:
        matched = [pair for ends in pair_counts(database) for pair in {ends, ends[::-1]}]
        for a, b in sorted(pair for pair in matched if pair[0] in ours and pair[1] in theirs):
            matches = np.asarray(database.read_matches(a, b)).astype(int)
            points = _points_of(first, a)[matches[:, 0]], _points_of(second, b)[matches[:, 1]]
            for pair in zip(*(each.tolist() for each in points), strict=True):
                if min(pair) >= 0:
                    votes[pair] += 1
    taken: tuple[set[int], set[int]] = set(), set()
    chosen = []
    for pair in sorted(votes, key=lambda pair: (-votes[pair], pair)):
        if pair[0] not in taken[0] and pair[1] not in taken[1]:
            chosen.append(pair)
            taken[0].add(pair[0])
            taken[1].add(pair[1])
    return chosen


def _points_of(model: Any, image: int) -> np.ndarray:
    """The id of each keypoint's point, int64; -1 for none."""
    seen = model.image(image).points2D
    return np.array([each.point3D_id if each.has_point3D() else -1 for each in seen], np.int64)


def has_rigs(model: Any) -> bool:
    images = [model.image(number) for number in model.reg_image_ids()]
    return len({image.frame_id for image in images}) < len(images)


def _distance(model: Any) -> float:
    """The median distance from a photo to its points."""
    errors = []
    for image in model.reg_image_ids():
        points = [
            model.points3D[each.point3D_id].xyz for each in model.image(image).get_observation_points2D()
        ]
        if points:
            errors.append(np.median(np.linalg.norm(points - model.image(image).projection_center(), axis=1)))
    return float(np.median(errors))


def _merged(first: Any, second: Any, first_from_second: Any, pairs: list[tuple[int, int]]) -> Any:
    """Both models in the first one's frame; these pairs of points become one each."""
    whole = pycolmap.Reconstruction()
    moved = {a: b for a, b in pairs}
    ids: tuple[dict[int, int], dict[int, int]] = {}, {}
    for number, model in enumerate((first, second)):
        for image in sorted(model.reg_image_ids()):
            _add_image(whole, model, image, first_from_second if number else None)
        for point_id, point in sorted(model.points3D.items()):
            xyz = first_from_second * point.xyz if number else point.xyz
            ids[number][point_id] = whole.add_point3D(xyz, pycolmap.Track(point.track.elements), point.color)
    for a, b in moved.items():
        whole.merge_points3D(ids[0][a], ids[1][b])
    whole.update_point_3d_errors()
    return whole


def _add_image(whole: Any, model: Any, number: int, transform: Any) -> None:
    image = model.image(number)
    if not whole.exists_camera(image.camera_id):
        whole.add_camera_with_trivial_rig(pycolmap.Camera(model.camera(image.camera_id).todict()))
    copy = pycolmap.Image(name=image.name, camera_id=image.camera_id, image_id=number)
    copy.points2D = pycolmap.Point2DList([pycolmap.Point2D(point.xy) for point in image.points2D])
    pose = image.cam_from_world()
    whole.add_image_with_trivial_frame(copy, transform.transform_camera_world(pose) if transform else pose)


def _adjust(model: Any) -> None:
    options = pycolmap.BundleAdjustmentOptions()
    options.print_summary = False
    options.ceres.solver_options.num_threads = 1  # for a deterministic order of summation
    pycolmap.bundle_adjustment(model, options)
    model.update_point_3d_errors()
