"""RealityScan (RealityCapture): camera parameters as CSV, and XMP files beside the photos.

CSV: "Internal/External camera parameters", with heading, pitch and roll; 0, 0, 0 looks straight down with north at the
top. XMP: Rotation is world to camera, x right, y down, z ahead; Position is the camera's center. Both: focal length for
a 36 mm frame, principal point from the middle in lengths of the longer side (XMP) or in mm of that frame (CSV), radial
k1 to k4, then t1 and t2, which are OpenCV's p2 and p1.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FileFormatError
from ..camera_alignment import AlignedPhoto, Alignment, Lens, Sizes, pose
from ..lenses import brown, undistorting
from .source_files import read_text, read_xml

_NAMESPACE = "{http://www.capturingreality.com/ns/xcr/1.1#}"
_DESCRIPTION = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"
_FRAME = 36.0  # mm
_COUNT = re.compile(r"#\s*cameras\b", re.IGNORECASE)  # "#cameras 28", before the names of the columns
_MISSING = "{} of its photos are not among the given ones and are left out."


def read_csv(path: Path, sizes: Sizes) -> Alignment:
    lines = [line for line in read_text(path).splitlines() if line.strip() and not _COUNT.match(line)]
    rows = csv.DictReader(
        lines, delimiter=";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    )
    names = [(name or "").strip() for name in rows.fieldnames or ()]
    needed = {"x", "y", "alt", "heading", "pitch", "roll", "f"}
    if not names or names[0].lstrip("#").lower() != "name" or not needed <= set(names):
        raise FileFormatError(
            path, "it is not RealityScan's CSV of internal and external camera parameters (name, x, y, alt, heading, "
            "pitch, roll, f, px, py, k1 ...)",
        )  # fmt: skip
    photos, missing = [], 0
    for number, row in enumerate(rows, 2):
        try:
            values = {name: float(row[name]) for name in names[1:] if row.get(name) not in (None, "")}
            center = np.array([values["x"], values["y"], values["alt"]])
            rotation = world_from_camera(values["heading"], values["pitch"], values["roll"]).T
            focal = values["f"] / _FRAME
        except (ValueError, KeyError) as error:
            raise FileFormatError(path, f"line {number} is damaged") from error
        name = row[names[0]]
        size = sizes(name)
        if size is None:
            missing += 1
            continue
        point = (values.get("px", 0.0) / _FRAME, values.get("py", 0.0) / _FRAME)
        terms = [values.get(term, 0.0) for term in ("k1", "k2", "k3", "k4", "t1", "t2")]
        photos.append(AlignedPhoto(name, _lens(size, focal, point, terms, "brown"), pose(rotation, center)))
    return Alignment("RealityScan", photos, notes=(_MISSING.format(missing),) if missing else ())


def world_from_camera(heading: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation [3, 3] to east, north, up from a camera with x right, y down, z ahead; degrees."""
    a, b, c = np.radians([-heading, pitch, roll])
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_y = np.array([[np.cos(c), 0, np.sin(c)], [0, 1, 0], [-np.sin(c), 0, np.cos(c)]])
    return np.asarray(about_z @ about_x @ about_y @ np.diag([1.0, -1.0, -1.0]))


def read_xmp(path: Path, sizes: Sizes) -> Alignment:
    """path: a folder of XMP files, or one of them to read all in its folder."""
    folder = path if path.is_dir() else path.parent
    photos, missing, others = [], 0, 0
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() != ".xmp":
            continue
        values = _values(file)
        if not {"Rotation", "Position", "FocalLength35mm"} <= set(values):
            others += 1
            continue
        name = file.relative_to(folder).with_suffix("").as_posix()
        size = sizes(name)
        if size is None:
            missing += 1
            continue
        photos.append(_photo(file, name, size, values))
    notes = [_MISSING.format(missing)] if missing else []
    if others:
        notes.append(f"{others} XMP files contain no camera position and were skipped.")
    return Alignment("RealityScan", photos, notes=tuple(notes))


def _values(path: Path) -> dict[str, str]:
    """Attributes and elements of RealityScan's in an XMP file."""
    values: dict[str, str] = {}
    for description in read_xml(path).iter(_DESCRIPTION):
        entries = [*description.attrib.items(), *((child.tag, child.text or "") for child in description)]
        values |= {key.removeprefix(_NAMESPACE): text for key, text in entries if key.startswith(_NAMESPACE)}
    return values


def _photo(path: Path, name: str, size: tuple[int, int], values: Mapping[str, str]) -> AlignedPhoto:
    try:
        rotation = np.array([float(word) for word in values["Rotation"].split()]).reshape(3, 3)
        center = np.array([float(word) for word in values["Position"].split()]).reshape(3)
        focal = float(values["FocalLength35mm"]) / _FRAME
        point = (float(values.get("PrincipalPointU", 0)), float(values.get("PrincipalPointV", 0)))
        spelled = values.get("DistortionCoeficients") or values.get("DistortionCoefficients") or ""
        terms = [float(word) for word in spelled.split()]
        aspect = float(values.get("AspectRatio", 1)) or 1.0
        skew = float(values.get("Skew", 0))
    except ValueError as error:
        raise FileFormatError(path, "its numbers are damaged") from error
    model = values.get("DistortionModel", "brown3")
    return AlignedPhoto(name, _lens(size, focal, point, terms, model, aspect, skew), pose(rotation, center))


def _lens(
    size: tuple[int, int],
    focal: float,
    point: tuple[float, float],
    terms: list[Any],
    model: str,
    aspect: float = 1.0,
    skew: float = 0.0,
) -> Lens:
    """focal, point, skew: in lengths of the longer side; aspect: of the focal length of y to that of x."""
    longer = max(size)
    k1, k2, k3, k4, t1, t2 = (*terms, *[0.0] * 6)[:6]
    center = (size[0] / 2 + point[0] * longer, size[1] / 2 + point[1] * longer)
    focals = (focal * longer, focal * longer * aspect)
    if model == "division":
        return undistorting(size, focals, center, lambda r2: 1 / (1 + k1 * r2))
    return brown(size, focals, center, (k1, k2, k3, k4), (t2, t1), skew * longer)
