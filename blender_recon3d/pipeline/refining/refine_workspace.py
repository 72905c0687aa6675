"""Refines a workspace's main model: writes refined/, COLMAP's model and its registration.json."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..colmap.model_files import check_model, read_model
from ..colmap.model_summaries import model_summary, registered
from ..documents.codec import encode
from ..documents.document_files import read_document, write_document
from ..documents.photos_json import FocalPrior, panorama_cameras
from ..documents.registration_json import RegistrationDocument
from ..doubts import misplaced
from ..errors import FileFormatError
from ..events import Progress
from ..files.atomic_files import atomic_folder, remove
from ..photos.image_files import read_gray
from ..stage_settings import RefineSettings
from ..wording import run_stage
from ..workspace import Workspace
from .added_photos import refine_added, staying_photos
from .observations import read_views
from .patches import PhotoCache
from .principal_point import PrincipalPoint, free_principal_points
from .refine_model import Kept, Refined, refine
from .saved_rounds import SavedRounds
from .tracks import LEVELS
from .undetermined_focals import undetermined

PHOTO_BYTES = 400 << 20  # of photos kept in memory
NAMED = 3  # cameras named in a sentence
MIN_SHARE = 0.4  # of its observations: a photo that keeps less may be in the wrong place
MIN_SHARE_OF_USUAL = 0.5  # of the photos' median share: it must also keep less than this


def refine_workspace(workspace: Workspace, settings: RefineSettings, progress: Progress) -> dict[str, Any]:
    """Write refined/ and return the summary."""
    if settings.refine == "off":
        return {"message": "left out"}
    model = read_model(workspace.mapped)
    views = read_views(model)
    fixed = _given(workspace)

    def free(adjusted: Any) -> tuple[Any, list[PrincipalPoint]]:
        if settings.principal_point == "fixed" or not adjust:
            return adjusted, []
        return free_principal_points(adjusted, fixed, progress)

    # Undetermined intrinsics would drift; the mapper has held them at the values from EXIF.
    adjust = settings.refine_intrinsics and not undetermined(model, model.cameras)
    if workspace.photos.exists() and panorama_cameras(workspace.read_photos()):
        adjust = False
    photos = PhotoCache(
        lambda number: _photo(workspace.images / views.names[number]), LEVELS, settings.max_size, PHOTO_BYTES
    )
    saved = SavedRounds(workspace.refining)
    stay = staying_photos(workspace, model)
    if len(stay) == len(views.names):
        refined = Refined(model, {}, [], None, True)
    elif stay:
        refined = refine_added(
            model,
            stay,
            lambda part: refine(part, photos, False, lambda cameras: (cameras, []), progress, saved, stay),
        )
    else:
        refined = refine(model, photos, adjust, free, progress, saved)
    with atomic_folder(workspace.refined) as part:
        refined.model.write(part)
        check_model(part)  # COLMAP does not report incomplete writes
        write_document(part / workspace.refined_registration.name, _registration(workspace, refined.model))
    remove(workspace.refining)
    return _report(model, refined, progress, len(views.names) - len(stay) if stay else None)


def _given(workspace: Workspace) -> set[int]:
    """The cameras whose intrinsics were given."""
    if not workspace.photos.exists():
        return set()
    return {camera.id for camera in workspace.read_photos().cameras if camera.prior == FocalPrior.GIVEN}


def _photo(path: Path) -> np.ndarray:
    try:
        return read_gray(path)
    except (OSError, ValueError, SyntaxError) as error:
        raise FileFormatError(path, "it is missing, cut short or damaged") from error


def _registration(workspace: Workspace, model: Any) -> RegistrationDocument:
    """registration.json with the statistics of the refined model instead of the mapper's."""
    document = read_document(RegistrationDocument, workspace.registration, run_stage("sfm"))
    photos = {
        name: replace(document.photos[name], points=points, error=error)
        for name, (points, error) in registered(model).items()
        if name in document.photos
    }
    return replace(
        document, models=[model_summary(model), *document.models[1:]], photos={**document.photos, **photos}
    )


def _report(before: Any, refined: Refined, progress: Progress, added: int | None = None) -> dict[str, Any]:
    """added: how many photos were refined where the others stay."""
    model = refined.model
    freed = [point for point in refined.principal_points if point.freed]
    message = (
        f"reprojection error from {before.compute_mean_reprojection_error():.2f} to "
        f"{model.compute_mean_reprojection_error():.2f} px, {model.num_points3D()} points"
    )
    if freed:
        shifts = ", ".join("({:+.1f}, {:+.1f})".format(*point.shift) for point in freed[:NAMED])
        message += f", principal point found {shifts}{' ...' * (len(freed) > NAMED)} px from the middle"
    if added is not None:
        message = f"{added} added photos refined, {model.num_points3D()} points"
    if not refined.accepted:
        message = "no better than before: the cameras remain unchanged"
        progress.warning(
            "The cameras could not be refined: too few points look alike in the photos, or held-out points fit "
            "no better. They stay as the mapper left them."
        )
    doubtful = suspects(refined.kept)
    doubts = [misplaced(doubtful).to_json()] if doubtful else []
    counts = list(refined.kept.values())
    return {
        "message": message,
        **encode(model_summary(model)),
        "aligned": round(sum(each.after for each in counts) / max(1, sum(each.before for each in counts)), 4),
        "held_out": None if refined.held_out is None else [round(value, 4) for value in refined.held_out],
        "accepted": refined.accepted,
        "principal_points": [asdict(point) for point in refined.principal_points],
        "doubts": doubts,
    }


def suspects(counts: dict[str, Kept]) -> list[str]:
    """Photos that may be in the wrong place, since few of their observations look like the other photos."""
    shares = {name: each.after / each.before for name, each in counts.items() if each.before}
    usual = float(np.median(list(shares.values()))) if shares else 0.0
    return sorted(
        name for name, share in shares.items() if share < min(MIN_SHARE, MIN_SHARE_OF_USUAL * usual)
    )
