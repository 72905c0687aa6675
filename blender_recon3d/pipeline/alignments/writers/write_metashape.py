"""Metashape's cameras XML, for File > Import > Import Cameras."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from xml.etree.ElementTree import SubElement

import numpy as np

from ...files.atomic_files import atomic_file
from ..camera_alignment import Alignment, Lens
from .lens_terms import terms_of

VERSION = "1.5.0"  # of the format, which later versions of Metashape read as well


def write(path: Path, alignment: Alignment) -> None:
    """Labels are the photos' names without folders and extensions, as in Metashape."""
    document = ElementTree.Element("document", version=VERSION)
    chunk = SubElement(document, "chunk", label="Recon3D", enabled="true")
    lenses = list(dict.fromkeys(photo.lens for photo in alignment.photos))
    sensors = SubElement(chunk, "sensors", next_id=str(len(lenses)))
    for number, lens in enumerate(lenses):
        _sensor(sensors, number, lens)
    cameras = SubElement(chunk, "cameras", next_id=str(len(alignment.photos)), next_group_id="0")
    for number, photo in enumerate(alignment.photos):
        label = Path(photo.name).stem
        camera = SubElement(
            cameras,
            "camera",
            id=str(number),
            sensor_id=str(lenses.index(photo.lens)),
            label=label,
            enabled="true",
        )
        matrix = np.linalg.inv(np.vstack([photo.cam_from_world, [0, 0, 0, 1]]))
        SubElement(camera, "orientation").text = "1"
        SubElement(camera, "transform").text = " ".join(repr(float(value)) for value in matrix.ravel())
    ElementTree.indent(document)
    with atomic_file(path) as part:
        part.write_bytes(ElementTree.tostring(document, "utf-8", xml_declaration=True) + b"\n")


def _sensor(sensors: ElementTree.Element, number: int, lens: Lens) -> None:
    terms = terms_of(lens, "Metashape")
    size = {"width": str(lens.width), "height": str(lens.height)}
    kind = "fisheye" if terms.fisheye else "frame"
    sensor = SubElement(sensors, "sensor", id=str(number), label=f"camera {number + 1}", type=kind)
    SubElement(sensor, "resolution", size)
    calibration = SubElement(sensor, "calibration", {"type": kind, "class": "adjusted"})
    SubElement(calibration, "resolution", size)
    values = {
        "f": terms.fy, "cx": terms.cx - lens.width / 2, "cy": terms.cy - lens.height / 2, "b1": terms.fx - terms.fy,
        "k1": terms.radial[0], "k2": terms.radial[1], "k3": terms.radial[2], "k4": terms.radial[3],
        "p1": terms.p2, "p2": terms.p1,
    }  # fmt: skip
    for name, value in values.items():
        SubElement(calibration, name).text = repr(float(value))
