"""Metashape: the cameras as XML (File > Export > Export Cameras, Agisoft XML).

Camera model: Metashape Pro's manual, appendix C; `transform` is camera to chunk, x right, y down, z ahead. The file has
no tie points. Its P1 and P2 are OpenCV's p2 and p1.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from ...errors import FileFormatError
from ..camera_alignment import AlignedPhoto, Alignment, Lens, Sizes
from ..lenses import brown, fisheye
from .source_files import read_xml

_KINDS = {"frame": brown, "fisheye": fisheye}


def read(path: Path, sizes: Sizes) -> Alignment:
    root = read_xml(path)
    chunk = root if root.tag == "chunk" else root.find("chunk")
    if root.tag not in ("document", "chunk") or chunk is None:
        raise FileFormatError(path, "it is not a file of Metashape's Export Cameras (no <chunk>)")
    sensors: dict[str, Lens | str] = {
        sensor.get("id", ""): _lens(sensor) for sensor in chunk.findall("sensors/sensor")
    }
    cameras = [camera for camera in chunk.iter("camera") if camera.find("transform") is not None]
    components = Counter(camera.get("component_id", "") for camera in cameras)
    main = components.most_common(1)[0][0] if components else ""
    notes = []
    if len(components) > 1:
        notes.append(f"The project has {len(components)} components: the largest is taken.")
    photos, refused = [], Counter[str]()
    for camera in cameras:
        if camera.get("component_id", "") != main:
            continue
        lens = sensors.get(camera.get("sensor_id", ""), "its sensor is missing")
        if isinstance(lens, str):
            refused[lens] += 1
            continue
        photos.append(AlignedPhoto(camera.get("label", ""), lens, _pose(camera, path)))
    notes += [f"{count} cameras are left out: {why}." for why, count in refused.items()]
    return Alignment("Metashape", photos, notes=tuple(notes))


def _lens(sensor: Element) -> Lens | str:
    """The adjusted calibration; else why there is none."""
    kind = sensor.get("type", "frame")
    if kind not in _KINDS:
        return f"their sensor is of the type {kind}"
    found = sensor.findall("calibration")
    calibration = next(
        (each for each in found if each.get("class") == "adjusted"), found[0] if found else None
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
    if kind == "fisheye":
        return fisheye((width, height), focal, center, radial, tangential)
    return brown((width, height), focal, center, radial, tangential, skew)


def _pose(camera: Element, path: Path) -> np.ndarray:
    try:
        values = [float(word) for word in (camera.findtext("transform") or "").split()]
        world_from_cam = np.array(values).reshape(4, 4)
        return np.linalg.inv(world_from_cam)[:3]
    except (ValueError, np.linalg.LinAlgError) as error:
        raise FileFormatError(path, f"the transform of {camera.get('label')} is damaged") from error
