"""Convert an alignment to a COLMAP model of the workspace's photos: matched by name, rotated upright, rescaled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..colmap.calls import pycolmap
from ..documents.photos_json import PhotoEntry
from ..errors import UserError
from ..files.far_origin import offset_of
from .camera_alignment import AlignedPhoto, Alignment, Lens
from .photo_names import PhotoNames
from .turned_cameras import TURNS, turn_lens, turn_pixels, turn_pose

SAME_SHAPE = 0.02  # max relative difference of the aspect ratios of a photo and its scaled copy

MAX_OUTSIDE = 0.02  # of a photo's observations


@dataclass(frozen=True, eq=False)
class PlacedPhoto:
    """entry: the workspace's photo, with its lens and cam_from_world. number: its index in the alignment."""

    entry: PhotoEntry
    lens: Lens
    cam_from_world: np.ndarray
    number: int
    turn: np.ndarray
    before: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Matched:
    """The photos of a project that were found, and the names of those that were not."""

    photos: list[PlacedPhoto]
    missing: list[str]


def near_origin(alignment: Alignment) -> tuple[Alignment, np.ndarray]:
    """The alignment minus an offset [3], nonzero if its cameras are in map coordinates: clouds and meshes use single
    precision, which is half a meter there."""
    poses = [photo.cam_from_world for photo in alignment.photos]
    offset = offset_of(np.array([-pose[:, :3].T @ pose[:, 3] for pose in poses]).reshape(-1, 3))
    if not offset.any():
        return alignment, offset
    photos = [
        replace(photo, cam_from_world=np.column_stack([pose[:, :3], pose[:, 3] + pose[:, :3] @ offset]))
        for photo, pose in zip(alignment.photos, poses, strict=True)
    ]
    return replace(alignment, photos=photos, xyz=alignment.xyz - offset), offset


def match_photos(alignment: Alignment, photos: Sequence[PhotoEntry]) -> Matched:
    """Match the project's photos by name. UserError if a photo has another aspect ratio than in the project."""
    names = PhotoNames(photos)
    matched: dict[str, PlacedPhoto] = {}
    missing = []
    for number, photo in enumerate(alignment.photos):
        entry = names.find(photo.name)
        if entry is None or entry.name in matched:
            missing.append(photo.name)
        else:
            matched[entry.name] = _placed(photo, number, entry)
    return Matched([matched[name] for name in sorted(matched)], missing)


def _placed(photo: AlignedPhoto, number: int, entry: PhotoEntry) -> PlacedPhoto:
    turn = _turn(photo.lens, entry)
    camera = _camera(photo.lens)
    before = (photo.lens.width, photo.lens.height)
    lens = turn_lens(photo.lens, _parameter_names(camera), turn) if turn is not _NONE else photo.lens
    ratio = (entry.width / lens.width) / (entry.height / lens.height)
    if abs(ratio - 1) > SAME_SHAPE:
        raise UserError(
            f"{photo.name} has {lens.width} x {lens.height} pixels in the project, and {entry.source} has "
            f"{entry.width} x {entry.height}: use the photos that the project was made from.",
            2,
        )
    scaled = _camera(lens)
    if (lens.width, lens.height) != (entry.width, entry.height):
        scaled.rescale(entry.width, entry.height)
    params = tuple(float(value) for value in scaled.params)
    placed = Lens(lens.model, entry.width, entry.height, params, lens.fit_error * entry.width / lens.width)
    return PlacedPhoto(entry, placed, turn_pose(photo.cam_from_world, turn), number, turn, before)


_NONE = np.eye(2)


def _turn(lens: Lens, entry: PhotoEntry) -> np.ndarray:
    """The rotation of a photo from its project to the workspace, where photos are upright. Most programs use photos as
    stored. A project of upright photos is recognized by its sizes; with upside-down photos this is not possible, and
    they are assumed to be as stored."""
    turn = TURNS.get(entry.orientation, _NONE)
    if entry.orientation in (6, 8) and (lens.width < lens.height) == (entry.width < entry.height):
        return _NONE
    return turn


def _camera(lens: Lens) -> Any:
    return pycolmap.Camera(model=lens.model, width=lens.width, height=lens.height, params=list(lens.params))


def _parameter_names(camera: Any) -> list[str]:
    return [name.strip() for name in camera.params_info.split(",")]


def build_model(alignment: Alignment, matched: Matched, image_ids: dict[str, int] | None = None) -> Any:
    """A pycolmap Reconstruction, with the points seen in at least two of the photos.

    image_ids: of the photos in a database, by name; by default in order.
    """
    model = pycolmap.Reconstruction()
    cameras: dict[Lens, int] = {}
    keypoints = _keypoints(alignment, matched)
    order = [placed.number for placed in matched.photos]
    ids = {}
    for place, placed in enumerate(matched.photos):
        if placed.lens not in cameras:
            cameras[placed.lens] = len(cameras) + 1
            camera = _camera(placed.lens)
            camera.camera_id = cameras[placed.lens]
            camera.has_prior_focal_length = True
            model.add_camera_with_trivial_rig(camera)
        name = placed.entry.name
        ids[placed.number] = image_ids[name] if image_ids else place + 1
        image = pycolmap.Image(
            name=name,
            keypoints=keypoints[placed.number][1],
            camera_id=cameras[placed.lens],
            image_id=ids[placed.number],
        )
        model.add_image_with_trivial_frame(image, pycolmap.Rigid3d(placed.cam_from_world))
    tracks = [pycolmap.Track() for _ in alignment.xyz]
    for number in order:
        for keypoint, point in enumerate(keypoints[number][0]):
            tracks[point].add_element(ids[number], keypoint)
    for xyz, color, track in zip(alignment.xyz, alignment.colors, tracks, strict=True):
        if track.length() >= 2:
            model.add_point3D(xyz, track, color)
    model.update_point_3d_errors()
    return model


def _keypoints(alignment: Alignment, matched: Matched) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Points [N] and pixels [N, 2] in the workspace's photo, by the photo's index in the alignment."""
    keypoints = {}
    for placed in matched.photos:
        rows = np.flatnonzero(alignment.photo == placed.number)
        _, first = np.unique(alignment.point[rows], return_index=True)  # a photo sees a point once
        rows = rows[first]
        turned = turn_pixels(alignment.pixel[rows], placed.before, placed.turn)
        before = np.abs(placed.turn) @ np.array(placed.before)
        scale = np.array([placed.lens.width, placed.lens.height]) / before
        pixels = turned * scale
        outside = (pixels < 0).any(axis=1) | (pixels > [placed.lens.width, placed.lens.height]).any(axis=1)
        if len(pixels) and outside.mean() > MAX_OUTSIDE:
            raise UserError(
                f"{outside.mean():.0%} of the points of {placed.entry.source} are outside it: the project was made "
                "from larger photos and does not contain their size. Use photos of that size.",
                2,
            )
        keypoints[placed.number] = alignment.point[rows], pixels
    return keypoints


def typical_error(model: Any) -> float:
    """Median over the observations of the reprojection error, pixels; NaN without points."""
    errors = [point.error for point in model.points3D.values() for _ in range(point.track.length())]
    return float(np.median(errors)) if errors else float("nan")
