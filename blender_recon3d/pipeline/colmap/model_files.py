"""COLMAP's models on disk: before reading, checks that they are complete and name only files in their folder.

COLMAP itself neither reports when a model was truncated on a full disk, nor notices when it reads one: it hangs,
crashes, or continues with what is left. Formats: https://colmap.github.io/format.html.
"""

from __future__ import annotations

import struct
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ..errors import FileFormatError
from ..files.regular import read_regular
from .calls import pycolmap

_COUNT = struct.Struct("<Q")
_PARAMS = {
    number: params for number, params in enumerate((3, 4, 4, 5, 8, 8, 12, 5, 4, 5, 12, 16, 4, 5, 3, 4, 6, 2))
}
_POINT_TRACK = 43  # bytes of a point before its track length
_TWO_INTS, _POINT2D = 8, 24


def read_model(folder: Path) -> Any:
    """pycolmap.Reconstruction of a folder; FileFormatError, naming the file, if `check_model` rejects one."""
    check_model(folder)
    return pycolmap.Reconstruction(folder)


def check_model(folder: Path) -> None:
    """FileFormatError for a binary model that is truncated or missing, or whose photos are outside their folder.

    Text models are left to COLMAP.
    """
    if (folder / "cameras.txt").exists() and not (folder / "cameras.bin").exists():
        return
    walks = {"cameras": _cameras, "images": _images, "points3D": _points, "rigs": _rigs, "frames": _frames}
    for name, walk in walks.items():
        path = folder / f"{name}.bin"
        if name in ("rigs", "frames") and not path.exists():
            continue  # COLMAP has them since 3.12
        try:
            content = read_regular(path)
        except OSError as error:
            raise FileFormatError(path, f"it does not exist ({error.strerror or error})") from error
        try:
            end = walk(content, path)
        except (struct.error, IndexError, ValueError, KeyError) as error:
            raise FileFormatError(path, "it is cut short or damaged") from error
        if end != len(content):
            raise FileFormatError(path, "it is cut short or damaged")


def inside(name: str) -> bool:
    """Whether a photo's name stays inside its folder, on any system."""
    windows = PureWindowsPath(name)
    absolute = PurePosixPath(name).is_absolute() or bool(windows.drive or windows.root)
    return bool(name) and not absolute and ".." not in windows.parts and "\0" not in name


def _cameras(content: bytes, path: Path) -> int:
    (count,) = _COUNT.unpack_from(content)
    at = _COUNT.size
    for _ in range(count):
        _, model = struct.unpack_from("<ii", content, at)
        at += 24 + 8 * _PARAMS[model]
        if at > len(content):
            raise ValueError
    return at


def _images(content: bytes, path: Path) -> int:
    (count,) = _COUNT.unpack_from(content)
    at = _COUNT.size
    for _ in range(count):
        start = at + 64
        end = content.index(b"\0", start)
        name = content[start:end].decode("utf-8", "surrogateescape")
        if not inside(name):
            raise FileFormatError(path, f"it names a photo outside its folder ({name})")
        (points,) = _COUNT.unpack_from(content, end + 1)
        at = end + 1 + _COUNT.size + points * _POINT2D
        if at > len(content):
            raise ValueError
    return at


def _points(content: bytes, path: Path) -> int:
    (count,) = _COUNT.unpack_from(content)
    at = _COUNT.size
    if count * (_POINT_TRACK + _COUNT.size) > len(content):
        raise ValueError
    for _ in range(count):
        (track,) = _COUNT.unpack_from(content, at + _POINT_TRACK)
        at += _POINT_TRACK + _COUNT.size + track * _TWO_INTS
    return at


def _rigs(content: bytes, path: Path) -> int:
    (count,) = _COUNT.unpack_from(content)
    at = _COUNT.size
    for _ in range(count):
        _, sensors = struct.unpack_from("<II", content, at)
        at += 8 + (8 if sensors else 0)
        for _ in range(sensors - 1):
            has_pose = content[at + 8]
            at += 9 + (56 if has_pose else 0)
    return at


def _frames(content: bytes, path: Path) -> int:
    (count,) = _COUNT.unpack_from(content)
    at = _COUNT.size
    for _ in range(count):
        (data,) = struct.unpack_from("<I", content, at + 64)
        at += 68 + data * 16
    return at
