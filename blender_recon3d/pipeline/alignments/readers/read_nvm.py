"""VisualSFM's .nvm (version 3), which Metashape writes too. http://ccwu.me/vsfm/doc.html#nvm

Quaternion world to camera and the camera's center; pixels are counted from the middle, by some programs from the
corner. The radial term maps what was measured to what a pinhole would see: ideal = measured (1 + r |measured|^2), in
focal lengths.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...errors import FileFormatError
from ..camera_alignment import AlignedPhoto, Alignment, PointFields, Sizes, pose, rotation_of, with_points
from ..lenses import undistorting
from .source_files import read_text

MIN_SEEN = 20  # points in a photo needed to estimate its center
STEPS = 20  # of a fixed-point iteration that gains a digit with each
SAME = 0.02  # sizes that differ by less are the same


def read(path: Path, sizes: Sizes) -> Alignment:
    lines = iter(line for line in read_text(path).splitlines() if line.strip() and not line.startswith("#"))
    head = next(lines, "").split()
    if not head or head[0] != "NVM_V3":
        raise FileFormatError(path, "it is not an NVM file of version 3")
    try:
        fixed = [float(word) for word in head[2:7]] if head[1:2] == ["FixedK"] else []
        models = list(_models(lines))
        if not models:
            raise ValueError
        cameras, points = max(models, key=lambda model: (len(model[1]) > 0, len(model[0])))
        alignment = _read(cameras, points, sizes, fixed)
    except (StopIteration, ValueError, IndexError, RuntimeError) as error:
        raise FileFormatError(path, "it is truncated or damaged") from error
    if sum(1 for _, there in models if there) < 2:  # photos without a place follow as a model without points
        return alignment
    return replace(alignment, notes=(f"The project has {len(models)} separate models: the largest is used.",))


def _models(lines: Iterator[str]) -> Iterator[tuple[list[str], list[str]]]:
    """The lines of cameras and of points of each model; a model of 0 cameras, or the file's end, is the last."""
    for line in lines:
        count = int(line)
        if not count:
            return
        cameras = [next(lines) for _ in range(count)]
        yield cameras, [next(lines) for _ in range(int(next(lines, "0")))]


def _read(lines: list[str], point_lines: list[str], sizes: Sizes, fixed: list[float]) -> Alignment:
    """fixed: fx, cx, fy, cy and the radial term of all cameras, if they are calibrated."""
    cameras: list[tuple[str, list[float], tuple[int, int]]] = []
    place: dict[int, int] = {}
    for number, line in enumerate(lines):
        *words, _ = line.strip().rsplit(None, 10)
        name = words[0].strip('"')
        size = sizes(name)
        if size is not None and float(words[1]) > 0:  # one that was not placed has no focal length
            place[number] = len(cameras)
            cameras.append((name, [float(word) for word in words[1:]], size))
    xyz, colors, seen = [], [], []
    for point, line in enumerate(point_lines):
        words = line.split()
        xyz.append([float(word) for word in words[:3]])
        colors.append([int(float(word)) for word in words[3:6]])
        for start in range(7, 7 + 4 * int(words[6]), 4):
            camera = int(words[start])
            if camera in place:
                x, y = (float(word) for word in words[start + 2 : start + 4])
                seen.append((point, place[camera], x, y))
    points = with_points(xyz, colors, seen)
    corner = len(seen) > 0 and bool((points["pixel"] >= 0).all())
    photos = [_photo(number, camera, points, corner) for number, camera in enumerate(cameras)]
    if len(fixed) == 5:
        photos = [_calibrated(photo, fixed) for photo in photos]
    if not corner and photos:
        middle = np.array([[photo.lens.width / 2, photo.lens.height / 2] for photo in photos])
        points["pixel"] = points["pixel"] + middle[points["photo"]]
    return Alignment("VisualSFM", photos, **points, assumed_size=not corner and not fixed)


def _photo(
    number: int,
    camera: tuple[str, list[float], tuple[int, int]],
    points: PointFields,
    corner: bool,
) -> AlignedPhoto:
    """corner: whether pixels are counted from the corner, so that the photo's center is estimated from the points."""
    name, values, size = camera
    focal, term = values[0], values[8]
    where = pose(rotation_of(*values[1:5]), np.array(values[5:8]))
    rows = np.flatnonzero(points["photo"] == number)
    if corner and len(rows) >= MIN_SEEN:
        local = points["xyz"][points["point"][rows]] @ where[:, :3].T + where[:, 3]
        ideal = local[:, :2] / local[:, 2:]
        measured = ideal
        for _ in range(STEPS):
            measured = ideal / (1 + term * (measured**2).sum(axis=1))[:, None]
        middle = np.median(points["pixel"][rows] - focal * measured, axis=0)
        scale = 2 * middle[0] / size[0]
        if abs(scale - 1) > SAME:  # the photos are smaller than the project's, or larger
            size = round(size[0] * scale), round(size[1] * scale)

    def ideal_by_measured(r2: np.ndarray) -> np.ndarray:
        return 1 + term * r2

    return AlignedPhoto(
        name, undistorting(size, (focal, focal), (size[0] / 2, size[1] / 2), ideal_by_measured), where
    )


def _calibrated(photo: AlignedPhoto, fixed: list[float]) -> AlignedPhoto:
    """The photo with the calibration common to all photos."""
    fx, cx, fy, cy, term = fixed
    size = photo.lens.width, photo.lens.height
    lens = undistorting(size, (fx, fy), (cx, cy), lambda r2: 1 + term * r2)
    return replace(photo, lens=lens)
