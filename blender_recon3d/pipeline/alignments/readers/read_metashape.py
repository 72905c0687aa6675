"""Metashape: the cameras as XML (File > Export > Export Cameras, Agisoft XML).

Camera model: Metashape Pro's manual, appendix C; `transform` is camera to chunk, x right, y down, z ahead. The file has
no tie points. Its P1 and P2 are OpenCV's p2 and p1. A chunk that is scaled or placed on the earth has a transform of
its own, from chunk to world: it is applied, so that lengths are meters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from ...errors import FileFormatError
from ..camera_alignment import AlignedPhoto, Alignment, Lens, Sizes, pose
from ..lenses import brown, equisolid, fisheye
from .source_files import read_xml

_KINDS = {"frame": brown, "fisheye": fisheye, "equidistant_fisheye": fisheye, "equisolid_fisheye": equisolid}
_NEAR_EARTH = (6.2e6, 6.6e6)  # meters from its center: coordinates of somewhere on it


def read(path: Path, sizes: Sizes) -> Alignment:
    root = read_xml(path)
    chunks = [root] if root.tag == "chunk" else root.findall("chunk")
    if root.tag not in ("document", "chunk") or not chunks:
        raise FileFormatError(path, "it is not a file of Metashape's Export Cameras (no <chunk>)")
    chunk = max(chunks, key=lambda each: sum(1 for _ in _aligned(each)))
    notes = []
    if len(chunks) > 1:
        notes.append(f"The project has {len(chunks)} chunks: the one with the most cameras is used.")
    cameras = [(name, camera) for name, camera in _aligned(chunk) if not _is_off(camera)]
    if off := sum(1 for _, camera in _aligned(chunk) if _is_off(camera)):
        notes.append(f"{off} disabled cameras are left out.")
    components = Counter(camera.get("component_id", "") for _, camera in cameras)
    main = components.most_common(1)[0][0] if components else ""
    if len(components) > 1:
        notes.append(f"The project has {len(components)} components: the largest is used.")
    sensors: dict[str, Lens | str] = {
        sensor.get("id", ""): _lens(sensor) for sensor in chunk.findall("sensors/sensor")
    }
    photos, refused = [], Counter[str]()
    world_from_chunk = _placement(chunk, main, path)
    for name, camera in cameras:
        if camera.get("component_id", "") != main:
            continue
        lens = sensors.get(camera.get("sensor_id", ""), "its sensor is missing")
        if isinstance(lens, str):
            refused[lens] += 1
            continue
        photos.append(AlignedPhoto(name, lens, _pose(camera, world_from_chunk, path)))
    notes += [f"{count} cameras are left out: {why}." for why, count in refused.items()]
    return Alignment("Metashape", _level(photos), notes=tuple(notes))


def _aligned(chunk: Element) -> Iterator[tuple[str, Element]]:
    """The cameras with a pose, and their names: labels, after the group, if any, as photos in a folder."""
    cameras = chunk.find("cameras")
    for parent in () if cameras is None else (cameras, *cameras.iter("group")):
        folder = parent.get("label", "") if parent.tag == "group" else ""
        for camera in parent.findall("camera"):
            if camera.find("transform") is not None:
                label = camera.get("label", "")
                yield (f"{folder}/{label}" if folder else label), camera


def _is_off(camera: Element) -> bool:
    return camera.get("enabled", "true").lower() in ("false", "0")


def _placement(chunk: Element, component: str, path: Path) -> np.ndarray:
    """The similarity [4, 4] from chunk to world; the identity if there is none."""
    parts = [each for each in chunk.findall("components/component") if each.get("id", "") in (component, "")]
    transform = next((t for each in (*parts, chunk) if (t := each.find("transform")) is not None), None)
    matrix = np.eye(4)
    if transform is None:
        return matrix
    try:
        if len(words := (transform.text or "").split()) == 16:
            return np.array([float(word) for word in words]).reshape(4, 4)
        rotation, translation = (transform.findtext(name) for name in ("rotation", "translation"))
        if rotation:
            matrix[:3, :3] = np.array([float(word) for word in rotation.split()]).reshape(3, 3)
        matrix[:3, :3] *= float(transform.findtext("scale") or 1.0)
        if translation:
            matrix[:3, 3] = [float(word) for word in translation.split()]
    except ValueError as error:
        raise FileFormatError(path, "the transform of its chunk is damaged") from error
    return matrix


def _pose(camera: Element, world_from_chunk: np.ndarray, path: Path) -> np.ndarray:
    """cam_from_world [3, 4], of a rotation without scale."""
    try:
        values = [float(word) for word in (camera.findtext("transform") or "").split()]
        matrix = world_from_chunk @ np.array(values).reshape(4, 4)
        axes = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
        if not np.allclose(axes @ axes.T, np.eye(3), atol=1e-4):
            raise ValueError
        return pose(axes.T, matrix[:3, 3])
    except ValueError as error:
        raise FileFormatError(path, f"the transform of {camera.get('label')} is damaged") from error


def _level(photos: list[AlignedPhoto]) -> list[AlignedPhoto]:
    """Convert cameras in geocentric coordinates to east, north and up about their center."""
    centers = np.array([-photo.cam_from_world[:, :3].T @ photo.cam_from_world[:, 3] for photo in photos])
    if not len(centers):
        return photos
    middle = centers.mean(axis=0)
    if not _NEAR_EARTH[0] < np.linalg.norm(middle) < _NEAR_EARTH[1]:
        return photos
    up = middle * [1.0, 1.0, 1.0067395]  # normal to WGS 84: z by the squared ratio of its axes
    up = up / np.linalg.norm(up)
    east = np.cross([0.0, 0.0, 1.0], up)
    east = east / max(float(np.linalg.norm(east)), 1e-12)
    turn = np.stack([east, np.cross(up, east), up])
    return [
        AlignedPhoto(
            photo.name, photo.lens, pose(photo.cam_from_world[:, :3] @ turn.T, turn @ (center - middle))
        )
        for photo, center in zip(photos, centers, strict=True)
    ]


def _lens(sensor: Element) -> Lens | str:
    """The adjusted calibration, or why there is none."""
    kind = sensor.get("type", "frame")
    if kind not in _KINDS:
        return f"their sensor is of the type {kind}"
    calibrations = sensor.findall("calibration")
    calibration = next(
        (each for each in calibrations if each.get("class") == "adjusted"),
        calibrations[0] if calibrations else None,
    )
    if calibration is None:
        return "their sensor has no calibration"
    resolution = calibration.find("resolution")
    if resolution is None:
        resolution = sensor.find("resolution")
    if resolution is None:
        return "their sensor has no resolution"

    def value(name: str) -> float:
        return float(calibration.findtext(name) or 0.0)

    try:
        width, height = int(resolution.get("width", "")), int(resolution.get("height", ""))
        # Versions before 1.3 have fx, fy, cx and cy from the corner.
        old = calibration.find("fx") is not None
        focal = (value("fx"), value("fy")) if old else (value("f") + value("b1"), value("f"))
        center = (value("cx"), value("cy")) if old else (width / 2 + value("cx"), height / 2 + value("cy"))
        radial = [value(name) for name in ("k1", "k2", "k3", "k4")]
        tangential = (value("p2"), value("p1"))
        skew = value("skew") if old else value("b2")
    except ValueError:
        return "their sensor's calibration is damaged"
    if focal[1] <= 0:
        return "their sensor has no focal length"
    if kind == "frame":
        return brown((width, height), focal, center, radial, tangential, skew)
    return _KINDS[kind]((width, height), focal, center, radial, tangential)
