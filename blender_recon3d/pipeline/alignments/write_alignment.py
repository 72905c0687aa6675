"""The cameras of a workspace for another program: recon3d export OUT --cameras FORMAT FILE."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..colmap.calls import pycolmap
from ..colmap.model_files import read_model
from ..errors import UserError
from ..files.user_path import recorded_path
from ..results import require_model
from ..wording import Sentence, run_stage
from ..workspace import Workspace
from .camera_alignment import Alignment
from .camera_writers import WRITERS
from .map_offset import map_offset
from .readers.read_colmap import from_model


def write_alignment(workspace: Workspace, path: Path, kind: str, undistorted: bool = False) -> str:
    """Write the cameras in one of project_files.CAMERA_FORMATS; returns a message.

    path: the file; a folder for realityscan and colmap. undistorted: cameras of the undistorted photos in dense/images;
    otherwise of the original photos, by their own names. UserError (2) if the format cannot represent them.
    """
    folder = workspace.dense / "sparse" if undistorted else workspace.model
    if undistorted and not folder.exists():
        raise UserError(
            Sentence(
                f"{workspace.root} has no undistorted photos yet: ", run_stage("dense", workspace.root), "."
            ),
            2,
        )
    require_model(workspace)
    if workspace.root.resolve() in path.absolute().resolve().parents:
        raise UserError(
            f"{path} is inside the workspace, which manages its own files: choose another folder.", 2
        )
    model = read_model(folder)
    if (offset := map_offset(workspace)).any():
        model.transform(pycolmap.Sim3d(1.0, pycolmap.Rotation3d(), offset))
    try:
        if kind == "colmap":
            path.mkdir(parents=True, exist_ok=True)
            model.write_text(path)
            return f"Exported {model.num_reg_images()} cameras to {path}."
        alignment = from_model(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        WRITERS[kind](path, alignment if undistorted else _by_own_names(alignment, workspace))
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): choose another folder.") from error
    return f"Exported {len(alignment.photos)} cameras and {len(alignment.xyz):,} points to {path}."


def _by_own_names(alignment: Alignment, workspace: Workspace) -> Alignment:
    """The alignment with the photos' original file names, if they are known and unique."""
    own = {
        photo.name: photo.name if photo.side else recorded_path(photo.source).name
        for photo in workspace.used_photos()
    }
    if len(set(own.values())) < len(own):
        return alignment
    photos = [replace(photo, name=own.get(photo.name, photo.name)) for photo in alignment.photos]
    return replace(alignment, photos=photos)
