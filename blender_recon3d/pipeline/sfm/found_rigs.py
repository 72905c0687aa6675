"""Cameras that turn out to be fixed to each other are mapped again as a rig, whose photos of one shot move together.

photos.json has the rigs that folder names suggest. In a model without rigs each shot gives the pose of one camera to
another; if these agree, they are COLMAP's start for the rig. Photos that alone share too little with others, such as
those of a camera that looks at the floor, are then placed by the others of their shot.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..colmap.other_cameras import write_with_cameras
from ..colmap.rigs import Rigs, Sensors
from ..documents.photos_json import PhotosDocument, RigEntry
from .attempts import WORSE, Attempts

MIN_SHOTS = 3  # in which both cameras are registered
MIN_SHARE = 0.7  # of them that must agree
SAME_TURN = np.radians(2.0)
SAME_PLACE = 0.15  # of the distance between the two cameras
SAME_PLACE_IN_MODEL = 0.02  # of the extent of all cameras: for cameras close together


@dataclass(frozen=True)
class _Shots:
    """camera: of each sensor, by its number in the rig; images: for each shot the image id of each sensor."""

    camera: dict[int, int]
    images: list[dict[int, int]]


def settle_rigs(attempts: Attempts, document: PhotosDocument) -> None:
    """Map again with the rigs of photos.json whose cameras are fixed to each other; the results are in attempts."""
    sensors: list[Sensors] = []
    frames: list[tuple[int, list[int]]] = []
    lines = []
    for rig in document.rigs:
        if all(sensor.cam_from_rig for sensor in rig.sensors):
            continue
        folders = _folders(rig, document)
        shots = _shots(rig, document, attempts)
        rig_sensors = _fixed(attempts.models[0], shots) if shots else {}
        if len(rig_sensors) < 2:
            attempts.progress.info(
                f"{folders} have photos of the same names, but not of cameras that are fixed to each other: they are "
                "not treated as a rig."
            )
            continue
        assert shots is not None
        frames += [
            (len(sensors), sorted(image for sensor, image in images.items() if sensor in rig_sensors))
            for images in shots.images
            if any(sensor in rig_sensors for sensor in images)
        ]
        sensors.append({shots.camera[sensor]: pose for sensor, pose in rig_sensors.items()})
        lines.append(
            f"{len(rig_sensors)} cameras ({folders}) were fired together: they are a rig, and keep their distances."
        )
    if not sensors:
        return
    path = attempts.scratch / f"{attempts.database.stem}_rigs.db"
    model = attempts.models[0]
    cameras = {number: _as_found(camera, model) for number, camera in attempts.cameras.items()}
    write_with_cameras(attempts.database, path, cameras, attempts.camera_of, Rigs(sensors, frames))
    models = attempts.map_again(path)
    if not models or models[0].num_reg_images() < attempts.registered:
        attempts.progress.info("Mapping again with the rig registered fewer photos: it is left out.")
        return
    for sentence in lines:
        attempts.progress.info(sentence)
    attempts.models, attempts.cameras, attempts.database = models, cameras, path


def share_cameras(attempts: Attempts, document: PhotosDocument) -> None:
    """Rounds of one camera in folders with the same names share its intrinsics again, as photos of one camera do."""
    cameras, camera_of = dict(attempts.cameras), dict(attempts.camera_of)
    for rig in document.rigs:
        shots = (
            None if any(sensor.cam_from_rig for sensor in rig.sensors) else _shots(rig, document, attempts)
        )
        if shots is None or len(_fixed(attempts.models[0], shots)) > 1:
            continue
        same: dict[tuple[object, ...], int] = {}
        for photo in document.used:
            if photo.camera not in shots.camera.values():
                continue
            known = (photo.make, photo.model, photo.focal_mm, photo.width, photo.height)
            shared = same.setdefault(known, photo.camera or 0)
            if shared != photo.camera and cameras.pop(photo.camera, None):
                camera_of |= {image: shared for image, own in camera_of.items() if own == photo.camera}
    if len(cameras) < len(attempts.cameras):
        why = "Folders with photos of the same names are not of cameras fixed to each other: they share a camera."
        attempts.try_cameras(cameras, camera_of, why, WORSE)


def _as_found(camera: Any, model: Any) -> Any:
    if not model.exists_camera(camera.camera_id):
        return camera
    fixed = copy(model.camera(camera.camera_id))
    fixed.has_prior_focal_length = True
    return fixed


def _folders(rig: RigEntry, document: PhotosDocument) -> str:
    cameras = [sensor.camera for sensor in rig.sensors]
    names = sorted({photo.sensor.rstrip("/") for photo in document.used if photo.camera in cameras})
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _shots(rig: RigEntry, document: PhotosDocument, attempts: Attempts) -> _Shots | None:
    """None if one of the cameras was split, or two are the same by now."""
    ids = {name: image for image, name in attempts.names.items()}
    number_of = {sensor.camera: number for number, sensor in enumerate(rig.sensors)}
    camera: dict[int, set[int]] = {}
    images: dict[int, dict[int, int]] = {}
    for photo in document.used:
        if photo.camera not in number_of or photo.shot is None or photo.name not in ids:
            continue
        sensor, image = number_of[photo.camera], ids[photo.name]
        camera.setdefault(sensor, set()).add(attempts.camera_of[image])
        images.setdefault(photo.shot, {})[sensor] = image
    used = [next(iter(own)) for own in camera.values() if len(own) == 1]
    if len(used) < len(camera) or len(set(used)) < len(used):
        return None
    return _Shots(dict(zip(camera, used, strict=True)), list(images.values()))


def _fixed(model: Any, shots: _Shots) -> dict[int, Any]:
    """The pose of each sensor from the first, whose own is None; only of those that are fixed to it."""
    poses = {image: model.image(image).cam_from_world() for image in model.reg_image_ids()}
    counts = {sensor: sum(images.get(sensor) in poses for images in shots.images) for sensor in shots.camera}
    first = max(counts, key=lambda sensor: counts[sensor])
    centers = np.array([pose.inverse().translation for pose in poses.values()])
    extent = float(np.linalg.norm(np.ptp(centers, axis=0)))
    sensor_poses: dict[int, Any] = {first: None}
    for sensor in shots.camera:
        steps = [
            poses[images[sensor]] * poses[images[first]].inverse()
            for images in shots.images
            if sensor != first and images.get(sensor) in poses and images.get(first) in poses
        ]
        if (pose := _agreed(steps, extent)) is not None:
            sensor_poses[sensor] = pose
    return sensor_poses


def _agreed(steps: list[Any], extent: float) -> Any:
    """The pose that agrees with the most others; None if too few do."""
    if len(steps) < MIN_SHOTS:
        return None
    turns = np.array([step.rotation.matrix() for step in steps])
    places = np.array([step.translation for step in steps])
    cosine = (np.einsum("aij,bij->ab", turns, turns) - 1) / 2
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    limit = np.maximum(SAME_PLACE * np.linalg.norm(places, axis=1), SAME_PLACE_IN_MODEL * extent)
    agree = (np.arccos(np.clip(cosine, -1, 1)) < SAME_TURN) & (apart < limit[:, None])
    best = int(np.argmax(agree.sum(axis=1)))
    return steps[best] if agree[best].sum() >= max(MIN_SHOTS, MIN_SHARE * len(steps)) else None
