"""COLMAP's rigs in a database: several cameras that move together, and the frames of photos that they take at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..documents.photos_json import PhotosDocument
from .calls import pycolmap

Sensors = dict[int, Any]  # pycolmap.Rigid3d, or None for the first and for unknown ones, by camera id


@dataclass(frozen=True)
class Rigs:
    """Rigs of two or more cameras. sensors: of each; frames: index of the rig, and image ids, of each frame."""

    sensors: list[Sensors]
    frames: list[tuple[int, list[int]]]

    def suit(self, camera_of: Mapping[int, int]) -> bool:
        """Whether these cameras by image id are still those of the rigs."""
        return all(
            camera_of.get(image) in self.sensors[rig] for rig, images in self.frames for image in images
        )


def rigs_in(database: Any) -> Rigs:
    """The rigs of two or more cameras in a database."""
    sensors: list[Sensors] = []
    index = {}
    for rig in sorted(database.read_all_rigs(), key=lambda rig: rig.rig_id):
        if rig.num_sensors() < 2:
            continue
        index[rig.rig_id] = len(sensors)
        others = {sensor.id: pose for sensor, pose in rig.non_ref_sensors.items()}
        sensors.append({rig.ref_sensor_id.id: None, **dict(sorted(others.items()))})
    frames = [
        (index[frame.rig_id], sorted(data.id for data in frame.image_ids))
        for frame in sorted(database.read_all_frames(), key=lambda frame: frame.frame_id)
        if frame.rig_id in index
    ]
    return Rigs(sensors, frames)


def rigs_of(document: PhotosDocument, ids: Mapping[str, int]) -> Rigs:
    """The rigs of photos.json whose poses are known. ids: image ids by photo name."""
    known = [rig for rig in document.rigs if all(sensor.cam_from_rig for sensor in rig.sensors)]
    index = {sensor.camera: number for number, rig in enumerate(known) for sensor in rig.sensors}
    sensors: list[Sensors] = [
        {
            sensor.camera: rigid(np.array(sensor.cam_from_rig)) if place else None
            for place, sensor in enumerate(rig.sensors)
        }
        for rig in known
    ]
    shots: dict[tuple[int, int], list[int]] = {}
    for photo in document.used:
        if photo.shot is not None and photo.camera in index:
            shots.setdefault((index[photo.camera], photo.shot), []).append(ids[photo.name])
    return Rigs(sensors, [(rig, images) for (rig, _), images in shots.items()])


def rigid(pose: np.ndarray) -> Any:
    """A pycolmap.Rigid3d from [3, 4]."""
    return pycolmap.Rigid3d(pycolmap.Rotation3d(pose[:, :3]), pose[:, 3])


def write_rigs(database: Any, rigs: Rigs, images: Mapping[int, Any], cameras: Iterable[int]) -> None:
    """Write rigs and frames into a database that has the cameras and images; photos outside them get their own.

    images: pycolmap.Image by id; cameras: ids.
    """
    used = {camera for sensors in rigs.sensors for camera in sensors}
    own = {}
    for number in sorted(set(cameras) - used):
        rig = pycolmap.Rig(rig_id=number)
        rig.add_ref_sensor(_sensor(number))
        own[number] = database.write_rig(rig, use_rig_id=True)
    shared = []
    for sensors in rigs.sensors:
        (first, _), *others = sensors.items()
        rig = pycolmap.Rig(rig_id=first)
        rig.add_ref_sensor(_sensor(first))
        for number, pose in others:
            rig.add_sensor(_sensor(number), pose)
        shared.append(database.write_rig(rig, use_rig_id=True))
    frames = [(shared[rig], members) for rig, members in rigs.frames]
    inside = {image for _, members in frames for image in members}
    frames += [(own[images[number].camera_id], [number]) for number in images if number not in inside]
    for rig_id, members in sorted(frames, key=lambda frame: min(frame[1])):
        frame = pycolmap.Frame(frame_id=min(members), rig_id=rig_id)
        for number in sorted(members):
            frame.add_data_id(images[number].data_id)
        database.write_frame(frame, use_frame_id=True)


def _sensor(number: int) -> Any:
    """COLMAP's id of a camera among sensors."""
    return pycolmap.sensor_t(pycolmap.SensorType.CAMERA, number)
