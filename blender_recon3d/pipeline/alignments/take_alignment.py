"""The stage `sfm` with another program's cameras: read them, match them to the photos, and check them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..colmap.calls import pycolmap, run_cancellable
from ..colmap.database import image_ids, open_database
from ..colmap.model_files import check_model
from ..colmap.model_summaries import model_summary, registered
from ..colmap.other_cameras import write_with_cameras
from ..documents.codec import encode
from ..documents.document_files import write_document
from ..documents.photos_json import PhotoEntry
from ..documents.placement_json import PlacementDocument
from ..documents.registration_json import PhotoRegistration, RegistrationDocument, RegistrationState
from ..doubts import Doubt
from ..errors import UserError
from ..events import Progress
from ..files.atomic_files import atomic_folder, scratch_folder
from ..files.far_origin import alignment_note
from ..files.regular import content_hash
from ..files.user_path import recorded_path
from ..photos.extensions import EXTENSIONS
from ..placing.placing_doubts import UP
from ..sfm.mapping import place_main_model
from ..text import named
from ..workspace import Workspace
from .camera_alignment import Alignment
from .map_offset import is_map
from .photo_names import PhotoNames
from .photos_by_points import name_photos
from .project_files import has_tracks
from .read_alignment import read_alignment
from .size_by_points import size_ratio
from .to_model import Matched, build_model, match_photos, near_origin, typical_error

LARGE_ERROR = 2.0  # pixels; the reprojection error of a correctly read project is lower
MIN_PHOTOS = 2


def identity(project: str) -> list[Any]:
    """Values that change with the content of a project's files, not with their time. Pictures beside them count by name
    and size."""
    path = Path(project)
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    if not path.exists():
        raise UserError(f"{path} does not exist: name the project of the other program.", 2)
    return [
        [str(file), file.stat().st_size, "" if file.suffix.lower() in EXTENSIONS else content_hash(file)]
        for file in files
    ]


def take_alignment(workspace: Workspace, project: str, seed: int, progress: Progress) -> dict[str, Any]:
    """Write sparse/0, placement.json and registration.json, and return the summary.

    UserError if the project cannot be read, or if fewer than two of its photos are available.
    """
    photos = workspace.used_photos()
    alignment, offset = near_origin(_read(workspace, Path(project), photos, progress))
    if offset.any():
        progress.warning(alignment_note(offset))
    if alignment.unnamed:
        alignment = name_photos(alignment, photos, workspace.images, progress)
    matched = match_photos(alignment, photos)
    _say(alignment, matched, progress)
    if len(matched.photos) < MIN_PHOTOS:
        raise UserError(
            f"{len(matched.photos)} of the {len(alignment.photos)} photos of {project} are among the given ones (the "
            f"first one is {alignment.photos[0].name}): use the folder with its photos.",
            2,
        )
    if has_tracks(project):
        model = build_model(alignment, matched)
        how = "its points"
    else:
        progress.info(
            "The project has no points with photos that see them: points are triangulated from features."
        )
        model = _triangulated(workspace, alignment, matched, seed, progress)
        how = "points triangulated from features"
    if not model.num_points3D():
        raise UserError(
            f"No point of {project} is seen in two of the photos: check that the photos are those of the project."
        )
    error = typical_error(model)
    summary = f"{alignment.program}: {len(matched.photos)} of {len(alignment.photos)} cameras, {how}: {error:.2f} px"
    with atomic_folder(workspace.sparse) as part:
        (part / "0").mkdir()
        model.write(part / "0")
        check_model(part / "0")
    write_document(
        workspace.registration, _registration(model, [photo.name for photo in photos], alignment.program)
    )
    doubts = [*_doubts(error, project), *_placed(workspace, model, offset, progress)]
    return {
        "message": f"{summary} median reprojection error",
        "models": 1,
        "of": len(photos),
        **encode(model_summary(model)),
        "program": alignment.program,
        "typical_error": round(error, 4),
        "lens_fit_error": round(max(photo.lens.fit_error for photo in matched.photos), 4),
        "missing": len(matched.missing),
        "offset": offset.tolist(),
        "doubts": [doubt.to_json() for doubt in doubts],
    }


def _placed(workspace: Workspace, model: Any, offset: np.ndarray, progress: Progress) -> list[Doubt]:
    """Write placement.json: map coordinates are kept, minus the offset, unless the user has placed the model."""
    doubts = place_main_model(workspace, model, progress)
    if not is_map(offset) or workspace.placed.exists():
        return doubts
    how = "the map coordinates of the project: x east, y north, z up"
    write_document(workspace.placement, PlacementDocument(world_from_model=np.eye(4).tolist(), how=how))
    return [doubt for doubt in doubts if doubt.kind != UP]


def _read(workspace: Workspace, path: Path, photos: Sequence[PhotoEntry], progress: Progress) -> Alignment:
    """The project, with the size of its photos where that is not ours and the file does not say it."""
    names = PhotoNames(photos)
    alignment = read_alignment(path, names.size)
    ratio = size_ratio(alignment, photos, workspace.images) if alignment.assumed_size else 1.0
    if ratio == 1:
        return alignment
    progress.info(f"The project's photos are {ratio:.3f} times as large as these, as its points show.")

    def size(name: str) -> tuple[int, int] | None:
        own = names.size(name)
        return own and (round(own[0] * ratio), round(own[1] * ratio))

    return read_alignment(path, size)


def _say(alignment: Alignment, matched: Matched, progress: Progress) -> None:
    for note in alignment.notes:
        progress.warning(note)
    if matched.missing:
        progress.warning(
            f"{len(matched.missing)} photos of the project are not among the given ones: {named(matched.missing)}."
        )
    fitted = max((photo.lens.fit_error for photo in matched.photos), default=0.0)
    if fitted >= 0.0005:  # 0.000 is nothing to tell
        progress.info(
            f"COLMAP does not have the lens model of {alignment.program}: it was approximated with an error of at "
            f"most {fitted:.3f} px."
        )


def _triangulated(
    workspace: Workspace, alignment: Alignment, matched: Matched, seed: int, progress: Progress
) -> Any:
    """The unchanged cameras, and points from the verified matches."""
    with open_database(workspace.database) as database:
        ids = image_ids(database)
    model = build_model(alignment, matched, ids)
    options = pycolmap.IncrementalPipelineOptions()
    options.num_threads = options.mapper.num_threads = 1
    options.random_seed = options.mapper.random_seed = options.triangulation.random_seed = seed
    camera_of = dict.fromkeys(ids.values(), 1)  # photos without a camera are ignored
    camera_of |= {number: model.image(number).camera_id for number in model.reg_image_ids()}
    with scratch_folder(workspace.mapping) as part:
        database_path, output = part / "database.db", part / "triangulated"
        output.mkdir()
        write_with_cameras(workspace.database, database_path, dict(model.cameras), camera_of)
        return run_cancellable(
            lambda token: pycolmap.triangulate_points(
                model, database_path, workspace.images, output, options=options, cancellation_token=token
            ),
            progress,
        )


def _registration(model: Any, names: Sequence[str], program: str) -> RegistrationDocument:
    photos = {
        name: PhotoRegistration(
            state=RegistrationState.NOT_REGISTERED, reason=f"it has no camera in the project of {program}"
        )
        for name in names
    }
    for name, (points, error) in registered(model).items():
        photos[name] = PhotoRegistration(
            state=RegistrationState.REGISTERED, model=0, points=points, error=error
        )
    return RegistrationDocument(models=[model_summary(model)], photos=photos)


def _doubts(error: float, project: str) -> list[Doubt]:
    if not error > LARGE_ERROR:
        return []
    return [
        Doubt(
            "alignment",
            f"The points have a reprojection error of {error:.1f} px: lens or cameras of "
            f"{recorded_path(project).name} may have been read wrongly, or belong to other photos.",
            "Check that the photos are those the project was made from, not cropped or undistorted since.",
        )
    ]
