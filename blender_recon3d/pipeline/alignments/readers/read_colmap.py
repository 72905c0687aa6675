"""COLMAP's own models, binary or text, which RealityScan and others write too."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...colmap.model_files import read_model
from ...colmap.model_places import UNDISTORTED, has_model
from ...colmap.text_models import BLANK, write_tidy
from ...errors import FileFormatError
from ..camera_alignment import AlignedPhoto, Alignment, Lens, Sizes, with_points

PLACES = ("", "sparse/0", "sparse", "0", "colmap/sparse/0", *UNDISTORTED)  # the given photos' own model first


def read(path: Path, sizes: Sizes) -> Alignment:
    """path: the model's folder, one that holds it as sparse/0 or the like, or a file in it. Of several models that lie
    side by side by number the one with the most photos is taken, which a note says."""
    model, folder, others = _largest(model_folder(path), path)
    alignment = from_model(model)
    if others:
        counts = " and ".join(map(str, others))
        note = (
            f"{folder.parent.name}/{folder.name} was taken, with {model.num_reg_images()} photos; the other "
            f"model{'s' * (len(others) > 1)} beside it {'have' if len(others) > 1 else 'has'} {counts}."
        )
        alignment = replace(alignment, notes=(*alignment.notes, note))
    return alignment


def model_folder(path: Path) -> Path:
    """The first folder below `path` that holds a model."""
    base = path if path.is_dir() else path.parent
    for place in PLACES:
        folder = base / place
        if has_model(folder):
            return folder
        if place.endswith("0") and folder.parent.is_dir():  # models may begin at another number
            beside = [model for model in _numbered(folder.parent) if has_model(model)]
            if beside:
                return beside[0]
    raise FileFormatError(path, "there is no COLMAP model (cameras.bin or cameras.txt) in it")


def _largest(folder: Path, chosen: Path) -> tuple[Any, Path, list[int]]:
    """The model with the most photos of this folder and, unless the folder itself was chosen, those beside it,
    where it is, and how many photos the others have. COLMAP numbers models in the order in which it began them."""
    folders = [folder]
    if folder.name.isdigit() and folder != chosen:
        folders += [other for other in _numbered(folder.parent) if other != folder and has_model(other)]
    models = [_read(folders[0])]
    for other in folders[1:]:
        with contextlib.suppress(FileFormatError):  # a damaged model does not stop the import
            models.append(_read(other))
    sizes = [model.num_reg_images() for model in models]
    best = int(np.argmax(sizes))
    return models[best], folders[best], sizes[:best] + sizes[best + 1 :]


def _read(folder: Path) -> Any:
    try:
        if (folder / "cameras.bin").is_file():
            return read_model(folder)
        with tempfile.TemporaryDirectory(prefix="recon3d-") as scratch:
            write_tidy(folder, Path(scratch))
            model = read_model(Path(scratch))
        for image in model.images.values():
            image.name = image.name.replace(BLANK, " ")
        return model
    except (RuntimeError, ValueError, IndexError, OSError) as error:
        raise FileFormatError(folder, "COLMAP cannot read the model") from error


def _numbered(folder: Path) -> list[Path]:
    return sorted((path for path in folder.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))


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
