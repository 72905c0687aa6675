"""The source of a folder for training: the model and photos of a workspace, or of any COLMAP folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..colmap.model_files import inside, read_model
from ..colmap.model_places import MODELS, UNDISTORTED, has_model, photos_of
from ..errors import UserError
from ..results import require, require_model
from ..workspace import Workspace

_PINHOLES = ("SIMPLE_PINHOLE", "PINHOLE")


@dataclass(frozen=True, eq=False)
class TrainingSource:
    """model: a pycolmap Reconstruction, read from `folder`. masks: named NAME.png after a photo's full name."""

    folder: Path
    model: Any
    images: Path
    masks: Path

    @property
    def names(self) -> list[str]:
        return sorted(self.model.image(number).name for number in self.model.reg_image_ids())

    @property
    def undistorted(self) -> bool:
        """Whether the photos are already free of lens distortion."""
        return all(camera.model_name in _PINHOLES for camera in self.model.cameras.values())


def training_source(workspace: Workspace, size: str) -> TrainingSource:
    """size: of export_options.SIZES. UserError if there are no cameras or points, or if a photo is missing."""
    root = workspace.root
    if not workspace.state_file.is_file():
        source = _of_colmap(root, size)
    elif size == "depth":
        require(workspace, "dense", [workspace.dense / "sparse"])
        source = _source(workspace.dense / "sparse", workspace.dense / "images")
    else:
        require_model(workspace)
        source = _source(workspace.model, workspace.images)
    if not source.model.num_points3D():
        raise UserError(f"{source.folder} has no points to initialize the splats from: reconstruct again.")
    missing = [name for name in source.names if not inside(name) or not os.path.isfile(source.images / name)]
    if missing:
        raise UserError(
            f"{len(missing)} of the model's photos ({missing[0]}) are missing in {source.images}: put them there, or "
            "run the reconstruction again."
        )
    return source


def _of_colmap(root: Path, size: str) -> TrainingSource:
    """The first model with its photos; for "full" one with the original photos, if there is one."""
    order = MODELS if size == "depth" else sorted(MODELS, key=lambda part: part in UNDISTORTED)
    models = [root / part for part in order if has_model(root / part)]
    if not models:
        raise UserError(f"{root} has no COLMAP model: use a results folder or a COLMAP folder.", 2)
    folder = next((model for model in models if photos_of(model, root).is_dir()), models[0])
    return _source(folder, photos_of(folder, root))


def _source(folder: Path, images: Path) -> TrainingSource:
    return TrainingSource(folder, read_model(folder), images, images.parent / "masks")
