"""COLMAP's own models, binary or text, which RealityScan and others write too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...colmap.model_files import read_model
from ...errors import FileFormatError
from ..camera_alignment import AlignedPhoto, Alignment, Lens, Sizes, with_points


def read(path: Path, sizes: Sizes) -> Alignment:
    """path: the model's folder, one that holds it as sparse/0 or sparse, or a file in it."""
    folder = model_folder(path)
    try:
        return from_model(read_model(folder))
    except (RuntimeError, ValueError) as error:
        raise FileFormatError(folder, "COLMAP cannot read the model") from error


def model_folder(path: Path) -> Path:
    base = path if path.is_dir() else path.parent
    for folder in (base, base / "sparse" / "0", base / "sparse", base / "0"):
        if any((folder / f"cameras{ending}").is_file() for ending in (".bin", ".txt")):
            return folder
    raise FileFormatError(path, "there is no COLMAP model (cameras.bin or cameras.txt) in it")


def from_model(model: Any, program: str = "COLMAP") -> Alignment:
    """A pycolmap Reconstruction."""
    lenses = {
        number: Lens(camera.model_name, camera.width, camera.height, tuple(float(v) for v in camera.params))
        for number, camera in model.cameras.items()
    }
    photos: list[AlignedPhoto] = []
    place: dict[int, int] = {}
    pixels: dict[int, np.ndarray] = {}
    for number in sorted(model.reg_image_ids()):
        image = model.image(number)
        place[number] = len(photos)
        photos.append(
            AlignedPhoto(
                image.name, lenses[image.camera_id], np.array(image.cam_from_world().matrix(), np.float64)
            )
        )
        pixels[number] = np.array([point.xy for point in image.points2D], np.float64).reshape(-1, 2)
    xyz: list[list[float]] = []
    colors: list[list[int]] = []
    seen: list[tuple[int, int, float, float]] = []
    for number in sorted(model.point3D_ids()):
        point = model.point3D(number)
        for element in point.track.elements:
            x, y = pixels[element.image_id][element.point2D_idx]
            seen.append((len(xyz), place[element.image_id], float(x), float(y)))
        xyz.append([float(value) for value in point.xyz])
        colors.append([int(value) for value in point.color])
    return Alignment(program, photos, **with_points(xyz, colors, seen))
