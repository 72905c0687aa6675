"""Find what to import from a workspace: model, photos, cloud and placement. Never imports bpy."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from ...pipeline.alignments.project_files import projects_in
from ...pipeline.colmap.model_places import MODELS, has_model, photos_of
from ...pipeline.documents.photos_json import read_photos
from ...pipeline.errors import UserError
from ...pipeline.files.user_path import recorded_path
from ...pipeline.placing.placement_file import read_placement
from ...pipeline.results import is_done, problem
from ...pipeline.text import Said, printable
from ...pipeline.workspace import Workspace
from . import colmap_files

# COLMAP's y is down in unaligned models, while Blender's z is up. Used if placement.json is missing.
UPRIGHT = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])

NOT_PLACED = Said("There is no placement.json, so the model's -Y is taken as up.")


@dataclass(frozen=True)
class Source:
    """A workspace's results. cloud: None if there is no dense one. notes: messages for the user."""

    root: Path
    model: Path
    images: Path
    cloud: Path | None
    world_from_model: np.ndarray  # 4x4 similarity
    titles: dict[str, str] = field(default_factory=dict)  # a photo's name in the model -> its original stem
    notes: tuple[str, ...] = ()

    def title(self, name: str) -> str:
        return self.titles.get(name) or printable(PurePosixPath(name.replace("\\", "/")).stem) or "Photo"

    def photo(self, name: str) -> Path | None:
        """The photo's file; None if a name would lead out of the folder."""
        parts = PurePosixPath(name.replace("\\", "/"))
        if not name or parts.is_absolute() or ".." in parts.parts or ":" in name or "\0" in name:
            return None
        path = self.images.joinpath(*parts.parts)
        return path if os.path.isfile(path) else None  # also for a name that is too long for the system


_ADVICE = "run the reconstruction again or choose another folder"
_CLOUDS = ("dense/fusion.ply", "dense/fused.ply", "dense/0/fused.ply", "fusion.ply", "fused.ply")


def holds_model(folder: str | Path) -> bool:
    """Whether the folder has a model; quick, for a button that is disabled without one."""
    root = Workspace(folder).root
    return any(has_model(root / part) for part in MODELS)


def second_model(folder: str | Path) -> Path | None:
    """The model of the photos that form a separate group; None if there is only one model."""
    path = Workspace(folder).root / "sparse" / "1"
    return path if has_model(path) else None


def find_source(folder: str | Path) -> Source:
    """The best result in a workspace, or in any folder with a COLMAP model: dense if it is done, otherwise sparse.

    UserError if there is none.
    """
    workspace = Workspace(folder)
    notes: list[str] = []
    models, clouds = _current(workspace, notes)
    places = [
        place for part in models for place in (workspace.root / part, *_other_numbers(workspace.root, part))
    ]
    model = next((place for place in places if has_model(place)), None)
    if model is not None and not workspace.state_file.is_file():
        model, clouds = _largest(workspace.root, model, clouds, notes)
    if model is None and notes:
        raise UserError(f"{notes[0]}: press Reconstruct to make it again.", 2, "again")
    if model is None:
        raise UserError(_no_model(workspace), 2, "results")
    images = photos_of(model, workspace.root)
    cloud = next((c for c in (workspace.root / part for part in clouds) if c.is_file()), None)
    if cloud is None:
        notes.append(Said("There is no dense cloud yet, so the sparse points are shown."))
    if workspace.placement.is_file():
        world_from_model = read_placement(workspace.placement, _ADVICE)
    else:
        world_from_model = UPRIGHT
        notes.append(NOT_PLACED)
    titles = _titles(workspace.photos) if workspace.photos.is_file() else {}
    return Source(workspace.root, model, images, cloud, world_from_model, titles, tuple(notes))


def _no_model(workspace: Workspace) -> str:
    """The message if there is no model: the folder has other programs' projects, only a cloud, or nothing."""
    root = workspace.root
    read, theirs = projects_in(root)
    if read:
        return (
            f"{root} holds no COLMAP model but {read[0].name}, of another program: take its cameras with Import "
            "Alignment."
        )
    if theirs:
        return (
            f"{root} holds {theirs[0].name}, which only its own program can read: export the cameras from there, and "
            "take them with Import Alignment."
        )
    clouds = sorted(root.glob("*.ply"))
    if clouds:
        return (
            f"{root} holds a cloud or mesh ({clouds[0].name}) and no cameras: import it with File > Import > Stanford "
            "PLY, or choose a folder with a COLMAP model."
        )
    return (
        f"{root} holds no reconstruction (no {workspace.model.relative_to(root)}, nor another COLMAP model): choose a "
        "folder written by Reconstruct or COLMAP, or press Reconstruct first."
    )


def _other_numbers(root: Path, part: str) -> list[Path]:
    """The folders 1, 2 ... beside a folder 0, which may be missing."""
    before, zero, inside = f"/{part}/".partition("/0/")
    folder = root / before.strip("/")
    if not zero or not folder.is_dir():
        return []
    return [path / inside.strip("/") for path in sorted(folder.iterdir()) if path.name.isdigit()]


def _largest(
    root: Path, model: Path, clouds: tuple[str, ...], notes: list[str]
) -> tuple[Path, tuple[str, ...]]:
    """The model with the most photos of those that lie side by side by number, and where its cloud may be: COLMAP
    numbers models in the order in which it began them. notes is added to."""
    numbered = next((part for part in (model, *model.parents) if part != root and part.name.isdigit()), None)
    if numbered is None or not numbered.is_relative_to(root):
        return model, clouds
    inside = model.relative_to(numbered)
    beside = sorted(
        (path for path in numbered.parent.iterdir() if path.name.isdigit()), key=lambda path: int(path.name)
    )
    counts = {path / inside: colmap_files.count_images(path / inside) for path in beside
              if has_model(path / inside)}  # fmt: skip
    if len(counts) < 2:
        return model, clouds
    largest = max(counts, key=lambda path: counts[path])
    others = " and ".join(str(count) for path, count in counts.items() if path != largest)
    values = {"model": largest.relative_to(root), "photos": counts[largest], "others": others}
    notes.append(
        Said("{model} was imported, with {photos} photos; the other model beside it has {others}.", **values)
        if len(counts) == 2
        else Said(
            "{model} was imported, with {photos} photos; the other models beside it have {others}.", **values
        )
    )
    place = largest.parent.relative_to(root).as_posix()
    own = tuple(part.replace("dense/0", place) if place.startswith("dense/") else part for part in clouds)
    return largest, own


def _current(workspace: Workspace, notes: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Where models and clouds may be; for our own workspaces, only finished and intact results. Adds to notes."""
    if not workspace.state_file.is_file():
        return MODELS, _CLOUDS
    models, clouds = [], []
    if not is_done(workspace, "sfm") and has_model(workspace.mapped):
        notes.append(f"{workspace.root} has no finished cameras, only leftovers of an earlier run")
    done = {stage for stage in ("sfm", "refine", "dense") if is_done(workspace, stage)}
    places = {"dense": workspace.dense / "sparse", "refine": workspace.refined, "sfm": workspace.mapped}
    for stage, model in places.items():
        if stage not in done or (stage == "refine" and not workspace.read_files(stage)):  # left out
            continue
        why = problem(workspace, stage, [model])
        if why:
            notes.append(why)
        else:
            models.append(model.relative_to(workspace.root).as_posix())
    if "dense" in done and not (why := problem(workspace, "dense", [workspace.fusion])):
        clouds.append(workspace.fusion.relative_to(workspace.root).as_posix())
    elif "dense" in done:
        notes.append(why)
    if "sfm" in done and (why := problem(workspace, "sfm", [workspace.placement])):
        raise UserError(f"{why}: press Reconstruct to make it again.", 2, "again")
    return tuple(models), tuple(clouds)


def _titles(path: Path) -> dict[str, str]:
    """Original file stems by the photos' names in the model."""
    photos = read_photos(path, _ADVICE).photos
    titles = {
        photo.name: printable(f"{recorded_path(photo.source).stem} {photo.side}".strip()) for photo in photos
    }
    return {name: title for name, title in titles.items() if name and title}
