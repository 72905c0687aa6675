"""VisualSFM's .nvm (version 3), which Metashape writes too. http://ccwu.me/vsfm/doc.html#nvm

Quaternion world to camera and the camera's center; pixels are counted from the middle, by some programs from the
corner. The radial term maps what was measured to what a pinhole would see: ideal = measured (1 + r |measured|^2), in
focal lengths.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...errors import FileFormatError
from ..camera_alignment import AlignedPhoto, Alignment, PointFields, Sizes, pose, rotation_of, with_points
from ..lenses import undistorting
from .source_files import read_text

MIN_SEEN = 20  # points in a photo that tell where its middle was
STEPS = 20  # of a fixed point that gains a digit with each
SAME = 0.02  # sizes that differ by less are the same


def read(path: Path, sizes: Sizes) -> Alignment:
    lines = iter(line for line in read_text(path).splitlines() if line.strip() and not line.startswith("#"))
    if not next(lines, "").startswith("NVM_V3"):
        raise FileFormatError(path, "it is not an NVM file of version 3")
    try:
        return _read(lines, sizes)
    except (StopIteration, ValueError, IndexError, RuntimeError) as error:
        raise FileFormatError(path, "it is cut short or damaged") from error


def _read(lines: Iterator[str], sizes: Sizes) -> Alignment:
    """The first model, which is the one that counts in VisualSFM."""
    cameras: list[tuple[str, list[float], tuple[int, int]]] = []
    place: dict[int, int] = {}
    for number in range(int(next(lines))):
        *words, _ = next(lines).strip().rsplit(None, 10)
        name = words[0].strip('"')
        size = sizes(name)
        if size is not None:
            place[number] = len(cameras)
            cameras.append((name, [float(word) for word in words[1:]], size))
    xyz, colors, seen = [], [], []
    for point in range(int(next(lines))):
        words = next(lines).split()
        xyz.append([float(word) for word in words[:3]])
        colors.append([int(word) for word in words[3:6]])
        for start in range(7, 7 + 4 * int(words[6]), 4):
            camera = int(words[start])
            if camera in place:
                x, y = (float(word) for word in words[start + 2 : start + 4])
                seen.append((point, place[camera], x, y))
    points = with_points(xyz, colors, seen)
    corner = len(seen) > 0 and bool((points["pixel"] >= 0).all())
    photos = [_photo(number, camera, points, corner) for number, camera in enumerate(cameras)]
    if not corner and photos:
        middle = np.array([[photo.lens.width / 2, photo.lens.height / 2] for photo in photos])
        points["pixel"] = points["pixel"] + middle[points["photo"]]
    return Alignment("VisualSFM", photos, **points)


def _photo(
    number: int,
    camera: tuple[str, list[float], tuple[int, int]],
    points: PointFields,
    corner: bool,
) -> AlignedPhoto:
    """corner: pixels are counted from there, so that the points say where the middle of the photo was."""
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

    return AlignedPhoto(name, undistorting(size, focal, (size[0] / 2, size[1] / 2), ideal_by_measured), where)
