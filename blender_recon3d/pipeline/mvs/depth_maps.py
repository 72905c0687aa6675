"""COLMAP's depth and normal maps on disk: `W&H&C&`, then float32 values plane by plane, little endian."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import UserError
from ..files.atomic_files import atomic_file
from ..files.regular import open_regular, read_regular


def map_paths(dense: Path, name: str) -> tuple[Path, Path]:
    """The paths of a photo's depth and normal map in a COLMAP workspace."""
    stereo = dense / "stereo"
    return (
        stereo / "depth_maps" / f"{name}.geometric.bin",
        stereo / "normal_maps" / f"{name}.geometric.bin",
    )


def photometric_path(dense: Path, name: str) -> Path:
    """The path of a photo's depth map before it is compared with its neighbors'."""
    return dense / "stereo" / "depth_maps" / f"{name}.photometric.bin"


def write_maps(dense: Path, name: str, depth: np.ndarray, normal: np.ndarray) -> None:
    """depth [H, W]: the camera's z at the pixel's upper left corner, 0 is none; normal [H, W, 3]: unit, in the
    camera's frame, facing it.

    The depth map is written last: if it exists, so does the other.
    """
    depth_path, normal_path = map_paths(dense, name)
    write_map(normal_path, normal)
    write_map(depth_path, depth[..., None])


def write_map(path: Path, values: np.ndarray) -> None:
    """values [H, W, C]. pycolmap's own NormalMap writes interleaved values, which fusion misreads."""
    height, width, channels = values.shape
    planes = np.ascontiguousarray(np.moveaxis(values, 2, 0), "<f4")
    with atomic_file(path) as part, open(part, "wb") as file:
        file.write(f"{width}&{height}&{channels}&".encode())
        file.write(planes.tobytes())


def is_whole_map(path: Path) -> bool:
    """Whether a map has the length that its header says."""
    try:
        with open_regular(path) as file:
            start, width, height, channels = _header(file.read(64))
        return path.stat().st_size == start + 4 * width * height * channels
    except (OSError, ValueError):
        return False


def _header(content: bytes) -> tuple[int, int, int, int]:
    """The offset of the values, width, height and channels; ValueError."""
    head = content[:64].split(b"&", 3)
    width, height, channels = (int(part) for part in head[:3])
    if min(width, height, channels) < 1:
        raise ValueError("no size")
    return sum(len(part) + 1 for part in head[:3]), width, height, channels


def read_map(path: Path) -> np.ndarray:
    """float32 [H, W, C]; UserError if the file is truncated or not a map."""
    try:
        content = read_regular(path)
        start, width, height, channels = _header(content)
        if width * height * channels * 4 != len(content) - start:
            raise ValueError("its size does not match its header")
        values = np.frombuffer(content, "<f4", offset=start).reshape(channels, height, width)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a COLMAP depth or normal map: delete it and run again.") from error
    return np.moveaxis(values, 0, 2)
