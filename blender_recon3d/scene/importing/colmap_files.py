"""Readers of COLMAP's models: cameras, images and points3D, binary or text. numpy only.

The formats are COLMAP's (https://colmap.github.io/format.html). Files are untrusted: every count is checked against the
file's size before memory is allocated, and errors raise FileFormatError.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...pipeline.colmap.model_places import ENDINGS
from ...pipeline.colmap.text_models import image_lines, text_lines
from ...pipeline.errors import FileFormatError
from ...pipeline.files.regular import read_regular

# Name, number of parameters, of which the first are focal lengths, by COLMAP's model number.
CAMERA_MODELS: dict[int, tuple[str, int, int]] = {
    0: ("SIMPLE_PINHOLE", 3, 1),
    1: ("PINHOLE", 4, 2),
    2: ("SIMPLE_RADIAL", 4, 1),
    3: ("RADIAL", 5, 1),
    4: ("OPENCV", 8, 2),
    5: ("OPENCV_FISHEYE", 8, 2),
    6: ("FULL_OPENCV", 12, 2),
    7: ("FOV", 5, 2),
    8: ("SIMPLE_RADIAL_FISHEYE", 4, 1),
    9: ("RADIAL_FISHEYE", 5, 1),
    10: ("THIN_PRISM_FISHEYE", 12, 2),
    11: ("RAD_TAN_THIN_PRISM_FISHEYE", 16, 2),
    12: ("SIMPLE_DIVISION", 4, 1),
    13: ("DIVISION", 5, 2),
    14: ("SIMPLE_FISHEYE", 3, 1),
    15: ("FISHEYE", 4, 2),
    16: ("EUCM", 6, 2),
    17: ("EQUIRECTANGULAR", 2, 0),
}
_MODELS_BY_NAME = {name: (number, focal) for name, number, focal in CAMERA_MODELS.values()}
PINHOLES = ("SIMPLE_PINHOLE", "PINHOLE")

_COUNT = struct.Struct("<Q")
_CAMERA = struct.Struct("<iiQQ")
_IMAGE = struct.Struct("<I7dI")
_POINT = np.dtype([("id", "<u8"), ("xyz", "<f8", 3), ("rgb", "u1", 3), ("error", "<f8"), ("track", "<u8")])
_POINT2D_BYTES = 24
_TRACK_BYTES = 8


@dataclass(frozen=True)
class Camera:
    """Intrinsics. params: in COLMAP's order for `model`, pixels; the first pixel's center is at (0.5, 0.5)."""

    camera_id: int
    model: str
    width: int
    height: int
    params: tuple[float, ...]

    @property
    def is_pinhole(self) -> bool:
        return self.model in PINHOLES

    def intrinsics(self) -> tuple[float, float, float, float] | None:
        """fx, fy, cx, cy without distortion; None for a model without a focal length."""
        focals = _MODELS_BY_NAME[self.model][1]
        if focals == 0:
            return None
        cx, cy = self.params[focals : focals + 2]
        return self.params[0], self.params[focals - 1], cx, cy


@dataclass(frozen=True)
class Image:
    """A registered photo. qvec (w, x, y, z) and tvec: cam_from_world, x_cam = R(qvec) x_world + tvec."""

    image_id: int
    name: str
    camera_id: int
    qvec: tuple[float, float, float, float]
    tvec: tuple[float, float, float]


@dataclass(frozen=True)
class SparsePoints:
    """xyz: float64 [n, 3]. rgb: uint8 [n, 3]. error: float64 [n], pixels. views: int32 [n], track lengths."""

    xyz: np.ndarray
    rgb: np.ndarray
    error: np.ndarray
    views: np.ndarray


@dataclass(frozen=True)
class Model:
    """A COLMAP model: cameras by id, and the registered photos by name."""

    folder: Path
    cameras: dict[int, Camera]
    images: tuple[Image, ...]


def count_images(folder: Path) -> int:
    """Number of registered photos of a model; 0 if its images cannot be read."""
    try:
        return len(read_images(_find(folder, "images")))
    except FileFormatError:
        return 0


def read_model(folder: Path) -> Model:
    """Cameras and images of a model; FileFormatError if they are missing, damaged or inconsistent."""
    cameras = read_cameras(_find(folder, "cameras"))
    path = _find(folder, "images")
    images = tuple(sorted(read_images(path), key=lambda image: image.name))
    for image in images:
        if image.camera_id not in cameras:
            raise FileFormatError(
                path, f"{image.name!r} names camera {image.camera_id}, which does not exist"
            )
    return Model(folder, cameras, images)


def read_points(folder: Path) -> SparsePoints:
    """The sparse points of the model in the folder."""
    path = _find(folder, "points3D")
    if path.suffix == ".txt":
        return _points_from_text(path)
    return _points_from_binary(path)


def read_cameras(path: Path) -> dict[int, Camera]:
    cameras = _cameras_from_text(path) if path.suffix == ".txt" else _cameras_from_binary(path)
    return {camera.camera_id: camera for camera in cameras}


def read_images(path: Path) -> list[Image]:
    return list(_images_from_text(path) if path.suffix == ".txt" else _images_from_binary(path))


# -- both formats -----------------------------------------------------------------------------------


def _find(folder: Path, stem: str) -> Path:
    for end in ENDINGS:
        if (folder / (stem + end)).is_file():
            return folder / (stem + end)
    raise FileFormatError(folder, f"it has no {stem}.bin or {stem}.txt")


def _read(path: Path) -> bytes:
    try:
        # Not memory-mapped: if another process truncated the file, Blender would crash.
        return read_regular(path)
    except OSError as error:
        raise FileFormatError(path, f"it cannot be read ({error.strerror})") from error


def _camera(path: Path, camera_id: int, model: str, width: int, height: int, params: list[float]) -> Camera:
    if not (0 < width <= 1_000_000 and 0 < height <= 1_000_000):
        raise FileFormatError(path, f"camera {camera_id} is {width} x {height} pixels large")
    if not all(map(math.isfinite, params)):
        raise FileFormatError(path, f"camera {camera_id} has a parameter that is not a finite number")
    return Camera(camera_id, model, width, height, tuple(params))


def _image(path: Path, image_id: int, pose: list[float], camera_id: int, name: str) -> Image:
    length = math.sqrt(sum(q * q for q in pose[:4])) if all(map(math.isfinite, pose)) else 0.0
    if not 1e-6 < length < 1e6:
        raise FileFormatError(path, f"the pose of {name!r} is not a rotation and a translation")
    w, x, y, z = (q / length for q in pose[:4])
    return Image(image_id, name, camera_id, (w, x, y, z), (pose[4], pose[5], pose[6]))


# -- binary -----------------------------------------------------------------------------------------


class _Cursor:
    """Reads records from a block of bytes; FileFormatError if it ends too early."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = _read(path)
        self.at = 0

    def cut_short(self) -> FileFormatError:
        return FileFormatError(self.path, f"it ends early, after {len(self.data)} bytes")

    def take(self, record: struct.Struct) -> tuple[Any, ...]:
        try:
            values = record.unpack_from(self.data, self.at)
        except struct.error as error:
            raise self.cut_short() from error
        self.at += record.size
        return values

    def count(self, min_bytes: int) -> int:
        """A count of records of at least `min_bytes` each, which must fit into the rest of the file."""
        (count,) = self.take(_COUNT)
        if count * min_bytes > len(self.data) - self.at:
            raise self.cut_short()
        return count

    def text(self) -> str:
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise self.cut_short()
        text = self.data[self.at : end].decode("utf-8", "surrogateescape")
        self.at = end + 1
        return text


def _cameras_from_binary(path: Path) -> Iterator[Camera]:
    cursor = _Cursor(path)
    for _ in range(cursor.count(_CAMERA.size)):
        camera_id, number, width, height = cursor.take(_CAMERA)
        if number not in CAMERA_MODELS:
            raise FileFormatError(path, f"camera {camera_id} is of an unknown model ({number})")
        model, parameters, _ = CAMERA_MODELS[number]
        params = cursor.take(struct.Struct(f"<{parameters}d"))
        yield _camera(path, camera_id, model, width, height, list(params))


def _images_from_binary(path: Path) -> Iterator[Image]:
    cursor = _Cursor(path)
    for _ in range(cursor.count(_IMAGE.size + 1 + _COUNT.size)):
        image_id, *pose, camera_id = cursor.take(_IMAGE)
        name = cursor.text()
        points = cursor.count(_POINT2D_BYTES)
        cursor.at += points * _POINT2D_BYTES
        yield _image(path, image_id, pose, camera_id, name)


def _points_from_binary(path: Path) -> SparsePoints:
    cursor = _Cursor(path)
    count = cursor.count(_POINT.itemsize)
    starts = np.empty(count, np.int64)
    data, at, unpack = cursor.data, cursor.at, _COUNT.unpack_from
    before_track = _POINT.itemsize - _COUNT.size
    try:
        # Records vary in length, so each must be read to find the next: 1 million take 0.3 s.
        for i in range(count):
            starts[i] = at
            at += _POINT.itemsize + _TRACK_BYTES * unpack(data, at + before_track)[0]
    except (struct.error, OverflowError) as problem:
        raise cursor.cut_short() from problem
    if at > len(data):
        raise cursor.cut_short()
    block = np.frombuffer(data, np.uint8)
    points = block[starts[:, None] + np.arange(_POINT.itemsize)].view(_POINT)[:, 0]
    return SparsePoints(points["xyz"], points["rgb"], points["error"], points["track"].astype(np.int32))


# -- text -------------------------------------------------------------------------------------------


def _lines(path: Path) -> list[str]:
    return text_lines(_read(path))


def _cameras_from_text(path: Path) -> Iterator[Camera]:
    for line in _lines(path):
        words = line.split()
        if not words:
            continue
        try:
            camera_id, model, width, height = int(words[0]), words[1], int(words[2]), int(words[3])
            params = [float(word) for word in words[4:]]
            expected = _MODELS_BY_NAME[model][0]
        except (ValueError, IndexError, KeyError) as error:
            raise FileFormatError(path, f"it has no camera in the line {line[:60]!r}") from error
        if len(params) != expected:
            raise FileFormatError(path, f"camera {camera_id} ({model}) does not have {expected} parameters")
        yield _camera(path, camera_id, model, width, height, params)


def _images_from_text(path: Path) -> Iterator[Image]:
    for line, _ in image_lines(_lines(path)):
        words = line.split(maxsplit=9)
        try:
            image_id, pose, camera_id = int(words[0]), [float(word) for word in words[1:8]], int(words[8])
            name = words[9].strip()
        except (ValueError, IndexError) as error:
            raise FileFormatError(path, f"it has no image in the line {line[:60]!r}") from error
        yield _image(path, image_id, pose, camera_id, name)


def _points_from_text(path: Path) -> SparsePoints:
    xyz, rgb, error, views = [], [], [], []
    for line in _lines(path):
        words = line.split()
        if not words:
            continue
        try:
            xyz.append([float(word) for word in words[1:4]])
            rgb.append([min(max(int(word), 0), 255) for word in words[4:7]])
            error.append(float(words[7]))
        except (ValueError, IndexError) as problem:
            raise FileFormatError(path, f"it has no point in the line {line[:60]!r}") from problem
        views.append((len(words) - 8) // 2)
    return SparsePoints(
        np.array(xyz, float).reshape(-1, 3),
        np.array(rgb, np.uint8).reshape(-1, 3),
        np.array(error, float),
        np.array(views, np.int32),
    )
