"""A folder that 3D Gaussian Splatting starts from: images/ and sparse/0, COLMAP's undistorted model. Never imports bpy.

The layout of Kerbl et al., "3D Gaussian Splatting for Real-Time Radiance Field Rendering", 2023, which gsplat,
nerfstudio and Brush read too. Nothing is linked to the workspace: programs that change the folder's files change no
results of ours.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from ...pipeline.errors import UserError
from ...pipeline.files.atomic_files import clone_or_copy, scratch_folder
from ...pipeline.files.own_files import check_target, replace_own
from ..importing import colmap_files
from ..importing.find_source import Source, find_source

_PARTS = ("cameras", "images", "points3D", "rigs", "frames")


def write_splat_folder(workspace: Path, target: Path) -> str:
    """Write the folder `target`, or what an earlier export has written there, and nothing else; a sentence.

    UserError when the photos are not undistorted, or missing, or there are no points to start from, or the folder holds
    other things or cannot be written.
    """
    source = find_source(workspace)
    model = colmap_files.read_model(source.model)
    if not all(camera.is_pinhole for camera in model.cameras.values()):
        raise UserError("The photos are not undistorted yet: run the reconstruction up to dense first.")
    points = len(colmap_files.read_points(source.model).xyz)
    if points == 0:
        raise UserError(f"{source.model} has no points to initialize the splats from: reconstruct again.")
    photos = _photos(source, model.images)
    check_target(target, workspace)
    try:
        with scratch_folder(target) as part:
            for name, path in photos.items():
                place = part.joinpath("images", *name.replace("\\", "/").split("/"))
                place.parent.mkdir(parents=True, exist_ok=True)
                clone_or_copy(path, place)
            (part / "sparse" / "0").mkdir(parents=True)
            for path in sorted(source.model.iterdir()):
                if path.suffix in (".bin", ".txt") and path.stem in _PARTS:
                    shutil.copyfile(path, part / "sparse" / "0" / path.name)
            replace_own(target, part, {"version": 2, "workspace": str(workspace)})
    except OSError as error:
        raise UserError(f"{target} cannot be written ({error.strerror}): choose another folder.") from error
    return f"Wrote {len(photos)} photos and {points:,} points to {target}."


def _photos(source: Source, images: Sequence[colmap_files.Image]) -> dict[str, Path]:
    """The photos' files by their names in the model; UserError when one is missing."""
    found = {image.name: source.photo(image.name) for image in images}
    photos = {name: path for name, path in found.items() if path is not None}
    missing = [name for name in found if name not in photos]
    if missing or not photos:
        raise UserError(
            f"{source.images} lacks {len(missing) or 'all'} of the model's photos "
            f"({missing[0] if missing else 'it has none'}): run the reconstruction up to dense again."
        )
    return photos
