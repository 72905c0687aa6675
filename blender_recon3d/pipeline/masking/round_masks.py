"""Masks of a subject that was turned over between two rounds of photos, from a first model of each round.

The stage `sfm` finds the rounds. Of each, a small cloud is computed from its photos alone; what stands on its ground is
the subject, which is drawn into the photos and cut out along its outline. With these masks, which are kept in
round_masks/, everything is computed again: then only the subject is matched, and both rounds are one model.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from ..colmap.model_files import read_model
from ..documents.document_files import read_document, write_document
from ..documents.masks_json import MaskOrigin
from ..documents.rounds_json import RoundsDocument
from ..errors import UserError
from ..events import Progress
from ..files.atomic_files import atomic_folder, link_or_copy, remove, scratch_folder
from ..files.regular import content_hash
from ..meshing.point_cloud import read_cloud
from ..meshing.region import in_subject
from ..placing.ground_removal import off_ground
from ..placing.upright import place_model
from ..settings import JobSettings
from ..stage_settings import DenseSettings, PhotosSettings
from ..workspace import Workspace
from .mask_pixels import is_sensible, small_picture, write_mask
from .model_masks import MAX_POINTS, SIZE, spacing_of
from .own_masks import read_masks
from .silhouette import cut_out, silhouette

DEPTH_SIZE = 480  # pixels, of the longest side
CELLS = 64  # along the ball around the subject
MIN_JOINED = 0.8  # of the rounds' photos that must then be in one model
BY_ITSELF = ("auto", "model")  # choices of `masks` that may add masks

TURNED = "The subject was turned over between {} rounds of photos: {} masks of it are drawn from a first model of each."
NOT_JOINED = "The masks did not join the rounds of photos, and are left out again."


def unmasked(workspace: Workspace) -> bool:
    """Whether most photos have no mask of their subject."""
    masks = read_masks(workspace).masks.values()
    return 2 * sum(entry.origin != MaskOrigin.LAID_OVER for entry in masks) < len(workspace.used_photos())


def settle_rounds(workspace: Workspace, settings: JobSettings, progress: Progress) -> bool:
    """After the stage `sfm`: whether masks were drawn, or removed again, so that all has to be computed again."""
    if settings.of(PhotosSettings).masks not in BY_ITSELF:
        return False
    known = read_rounds(workspace)
    summary = workspace.read_state().stage("sfm").summary
    if known and known.joined and _worse(known, summary):
        remove(workspace.round_masks)
        write_document(workspace.rounds, dataclasses.replace(known, joined=False))
        progress.warning(NOT_JOINED)
        return True
    rounds = summary.get("rounds") or []
    if not rounds or (known and set(known.photos) >= {name for names in rounds for name in names}):
        return False
    made = _draw(workspace, rounds, settings.of(DenseSettings), progress)
    if made:
        progress.info(TURNED.format(len(rounds), made))
    return made > 0


def read_rounds(workspace: Workspace) -> RoundsDocument | None:
    """round_masks/rounds.json; None if there is none, or it is damaged."""
    try:
        return read_document(RoundsDocument, workspace.rounds, "")
    except UserError:
        return None


def _worse(known: RoundsDocument, summary: dict[str, Any]) -> bool:
    count = sum(map(len, known.rounds))
    return bool(summary.get("of", 0) >= count and summary.get("photos", 0) < MIN_JOINED * count)


def _draw(workspace: Workspace, rounds: list[list[str]], settings: DenseSettings, progress: Progress) -> int:
    """Draw the masks of all rounds; returns how many. None are kept if a round's subject cannot be told."""
    hashes = {name: content_hash(workspace.images / name) for names in rounds for name in names}
    made = 0
    with atomic_folder(workspace.round_masks) as part:
        for names in rounds:
            drawn = _draw_round(workspace, names, settings, part, progress)
            if 2 * drawn < len(names):
                for path in part.glob("*.png"):
                    remove(path)
                made = 0
                break
            made += drawn
        document = RoundsDocument(photos=hashes, rounds=rounds, joined=made > 0)
        write_document(part / workspace.rounds.name, document)
    return made


def _draw_round(
    workspace: Workspace, names: list[str], settings: DenseSettings, into: Path, progress: Progress
) -> int:
    with scratch_folder(workspace.root / "round") as scratch:
        own = Workspace(scratch)
        _write_model(workspace, names, own)
        try:
            points = _subject(own, settings, progress)
        except UserError:  # no depth, or too few points: there is nothing to draw
            return 0
        model, spacing, made = read_model(own.model), spacing_of(points), 0
        images = {image.name: image for image in model.images.values() if image.has_pose}
        for number, name in enumerate(names):
            progress.update(number, len(names), "masking")
            camera = model.camera(images[name].camera_id)
            picture = small_picture(own.images / name, SIZE, (camera.width, camera.height))
            kept = cut_out(picture, silhouette(points, spacing, images[name], camera, picture.shape[1::-1]))
            if is_sensible(kept):
                write_mask(into / f"{name}.png", kept)
                made += 1
    return made


def _write_model(workspace: Workspace, names: list[str], own: Workspace) -> None:
    """A workspace of these photos alone, and what they show of their model."""
    wanted = set(names)
    for folder in sorted(workspace.sparse.iterdir()):
        model = read_model(folder)
        images = [model.image(number) for number in model.reg_image_ids()]
        if wanted <= {image.name for image in images}:
            break
    for image in images:
        if image.name not in wanted:
            model.deregister_frame(image.frame_id)
    own.mapped.mkdir(parents=True)
    model.write(own.mapped)
    own.images.mkdir()
    for name in names:
        link_or_copy(workspace.images / name, own.images / name)


def _subject(own: Workspace, settings: DenseSettings, progress: Progress) -> np.ndarray:
    """Points [N, 3] of what stands on the ground, in the model's frame."""
    from ..mvs.dense_cloud import dense_cloud

    dense_cloud(own, dataclasses.replace(settings, max_size=min(DEPTH_SIZE, settings.max_size)), progress)
    xyz = read_cloud(own.fusion).in_model.astype(np.float64)
    xyz = xyz[in_subject(xyz, own.model)]
    standing = off_ground(xyz, own.model, place_model(read_model(own.model))[2].direction, disc=False)
    if standing is not None:
        xyz = xyz[standing]
    xyz = _largest_part(xyz)
    return xyz[:: max(1, len(xyz) // MAX_POINTS)]


def _largest_part(xyz: np.ndarray) -> np.ndarray:
    """The largest group of connected points among points [N, 3]."""
    from scipy.ndimage import label

    if not len(xyz):
        return xyz
    low, high = xyz.min(axis=0), xyz.max(axis=0)
    cells = np.minimum(((xyz - low) / max(1e-12, (high - low).max()) * CELLS).astype(int), CELLS - 1)
    taken = np.zeros((CELLS,) * 3, bool)
    taken[tuple(cells.T)] = True
    parts = label(taken, np.ones((3, 3, 3)))[0][tuple(cells.T)]
    return np.asarray(xyz[parts == np.bincount(parts).argmax()])
