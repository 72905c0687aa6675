"""Masks that the workspace holds besides the finished ones: painted by hand, or drawn from a first model.

They outlast the stage `photos`, which makes the masks that all other stages read, masks/NAME.png. Standard library
only.
"""

from __future__ import annotations

from pathlib import Path

from ..documents.document_files import read_document
from ..documents.masks_json import MasksDocument
from ..errors import UserError
from ..results import described
from ..workspace import Workspace


def own_masks(workspace: Workspace, masks: str) -> dict[str, Path]:
    """The painted and drawn masks that the setting `masks` uses, by the photo's name; painted ones come first."""
    mask_files: dict[str, Path] = {}
    folders = [workspace.round_masks] if masks in ("auto", "model") else []
    folders += [workspace.model_masks] if masks == "model" else []
    for folder in folders + ([workspace.painted_masks] if masks != "off" else []):
        for path in sorted(folder.glob("*.png")) if folder.is_dir() else ():
            mask_files[path.name.removesuffix(".png")] = path
    return mask_files


def identity(workspace: Workspace, masks: str) -> dict[str, str]:
    """Their sizes and checksums, by their paths in the workspace."""
    paths = own_masks(workspace, masks).values()
    return {path.relative_to(workspace.root).as_posix(): described(path) for path in paths}


def are_unchanged(workspace: Workspace, masks: str) -> bool:
    """Whether the finished masks were made with the painted and drawn ones that there are now."""
    return identity(workspace, masks) == read_masks(workspace).own


def read_masks(workspace: Workspace) -> MasksDocument:
    """masks.json; empty if there is none, or it is damaged."""
    try:
        return read_document(MasksDocument, workspace.masks_json, "")
    except UserError:
        return MasksDocument()
