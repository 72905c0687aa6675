"""A folder for Gaussian splatting and NeRF: undistorted photos, a COLMAP model, transforms.json, masks.

The layout is that of Kerbl et al., "3D Gaussian Splatting for Real-Time Radiance Field Rendering", 2023, which gsplat,
nerfstudio and Brush read too, with the smaller copies that they use by default. Nothing in it is linked to the
workspace unless requested, so that it can be copied to another machine and modified.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2

from ..alignments.readers.read_colmap import from_model
from ..alignments.writers import write_transforms
from ..colmap.calls import pycolmap, run_cancellable
from ..colmap.model_files import read_model
from ..errors import UserError
from ..events import Progress
from ..files.atomic_files import clone_or_copy, link_or_copy, scratch_folder
from ..files.own_files import check_target, replace_own
from ..files.pictures import read_picture
from ..mvs.dense_cloud import undistort_masks
from ..workspace import Workspace
from .export_options import TrainingOptions
from .training_readme import README, readme
from .training_source import TrainingSource, training_source

JPEG_QUALITY = 95


def write_training_folder(
    workspace: Workspace, target: Path, options: TrainingOptions, progress: Progress
) -> str:
    """Write the folder `target`, replacing only what an earlier export wrote there; returns a message.

    workspace: ours, or any folder with a COLMAP model and its photos. UserError if there are no cameras or points, no
    undistorted photos of the size "depth", or if the folder contains other files or cannot be written.
    """
    target = target.absolute()
    source = training_source(workspace, options.size)
    check_target(target, workspace.root)
    try:
        with scratch_folder(target) as part:
            _put_photos(source, part, options, progress)
            for factor in options.factors:
                _put_smaller(part, "images", source.names, factor, progress)
            masks = _mask_names(part)
            for factor in options.factors if masks else ():
                _put_smaller(part, "masks", sorted(masks.values()), factor, progress)
            points = _put_transforms(part, masks)
            text = readme(target.name, options.factors, bool(masks))
            (part / README).write_text(text, "utf-8", "surrogateescape")
            about = {"version": 3, "workspace": str(workspace.root), "size": options.size}
            replace_own(target, part, about)
    except OSError as error:
        raise UserError(f"{target} cannot be written ({error.strerror}): choose another folder.") from error
    return f"Wrote {len(source.names)} photos and {points:,} points to {target}."


def _put_photos(source: TrainingSource, part: Path, options: TrainingOptions, progress: Progress) -> None:
    """images, masks and sparse/0."""
    model = part / "sparse" / "0"
    if source.undistorted:
        model.mkdir(parents=True)
        source.model.write(model)
        put = link_or_copy if options.link and options.size == "depth" else clone_or_copy
        for name in source.names:
            put(source.images / name, part / "images" / name)
            if (mask := source.masks / f"{name}.png").is_file():
                put(mask, part / "masks" / f"{name}.png")
        return
    pycolmap.logging.minloglevel = pycolmap.logging.WARNING.value  # it would print a line per photo
    undistorting = pycolmap.UndistortCameraOptions()
    work = part / "work"
    work.mkdir()
    run_cancellable(
        lambda token: pycolmap.undistort_images(
            work, source.folder, source.images, undistort_options=undistorting, jpeg_quality=JPEG_QUALITY,
            cancellation_token=token,
        ),
        progress,
        lambda: progress.report(
            sum(1 for path in (work / "images").rglob("*") if path.is_file()), len(source.names), "undistorting"
        ),
    )  # fmt: skip
    (work / "images").rename(part / "images")
    model.parent.mkdir()
    (work / "sparse").rename(model)
    shutil.rmtree(work)
    if source.masks.is_dir():
        undistort_masks(source.model, source.masks, undistorting, part / "masks", progress)


def _mask_names(part: Path) -> dict[str, str]:
    """Rename masks to what nerfstudio expects, NAME.png instead of NAME.jpg.png; returns them by photo name."""
    names = {}
    masks = part / "masks"
    for path in sorted(masks.rglob("*.png")):
        photo = path.relative_to(masks).as_posix().removesuffix(".png")
        named = path.with_name(f"{Path(photo).stem}.png")
        if not named.exists() or named == path:
            path.rename(named)
            names[photo] = named.relative_to(masks).as_posix()
    return names


def _put_smaller(part: Path, kind: str, names: Sequence[str], factor: int, progress: Progress) -> None:
    """Sides are rounded down, as nerfstudio expects."""
    folder = part / f"{kind}_{factor}"
    for number, name in enumerate(names):
        progress.update(number, len(names), f"{kind}_{factor}")
        picture = read_picture(part / kind / name, cv2.IMREAD_UNCHANGED)
        size = max(1, picture.shape[1] // factor), max(1, picture.shape[0] // factor)
        way = cv2.INTER_NEAREST if kind == "masks" else cv2.INTER_AREA
        quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        done, data = cv2.imencode(Path(name).suffix, cv2.resize(picture, size, interpolation=way), quality)
        if not done:
            raise UserError(f"{name} cannot be downscaled: check the photo.")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data.tobytes())


def _put_transforms(part: Path, masks: dict[str, str]) -> int:
    """Write transforms.json and its points; returns their number."""
    model: Any = read_model(part / "sparse" / "0")
    alignment = from_model(model)
    photos = [replace(photo, name=f"images/{photo.name}") for photo in alignment.photos]
    beside = {f"images/{photo}": f"masks/{mask}" for photo, mask in masks.items()}
    write_transforms.write(part / "transforms.json", replace(alignment, photos=photos), beside)
    return len(alignment.xyz)
