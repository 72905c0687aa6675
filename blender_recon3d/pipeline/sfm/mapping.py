"""The `sfm` stage: the cameras and sparse points in sparse/, placement.json and registration.json."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from ..colmap.model_files import check_model, read_model
from ..documents.codec import encode
from ..documents.document_files import read_document, write_document
from ..documents.photos_json import FocalPrior
from ..documents.placed_json import PlacedDocument
from ..documents.placement_json import PlacementDocument
from ..documents.registration_json import RegistrationDocument
from ..doubts import Doubt, few_registered
from ..errors import UserError
from ..events import Progress
from ..files.atomic_files import atomic_folder, remove, remove_with_part, scratch_folder
from ..files.json_values import numbers
from ..masking.round_masks import unmasked
from ..matching.still_background import ADVICE as STILL_ADVICE
from ..matching.still_background import stands_still
from ..placing.by_gps import placed_by_clear_gps
from ..placing.gps import at_zero, places_by_name
from ..placing.kept_placement import old_from_new, poses_of
from ..placing.placement_file import check_placement
from ..placing.placing_doubts import UP, contradicted_by_gps, placing_doubts
from ..placing.upright import felt_by_name, place_model
from ..stage_settings import SfmSettings
from ..text import named
from ..wording import Sentence, option, place_again
from ..workspace import Workspace
from .attempts import Attempts, keep_database, settle_cameras
from .fisheye import fisheye_doubts, try_fisheye
from .found_rigs import settle_rigs, share_cameras
from .growing import grow
from .held_focals import settle_undetermined_focals
from .joining import join_models
from .mappers import Mapper, incremental
from .pure_rotation import ADVICE as ONE_PLACE_ADVICE
from .pure_rotation import from_one_place, one_place_doubt
from .registration import registration
from .rounds import first_round, rounds_of, turned_over
from .sift_instead import try_sift
from .turning_spots import spot_sentence, spots_of
from .unfolding import unfold

MAX_LEFT_OUT = 0.5  # of the photos: if more are not registered, the model is doubtful


def find_cameras(workspace: Workspace, settings: SfmSettings, progress: Progress) -> dict[str, Any]:
    with scratch_folder(workspace.mapping) as part:
        try:
            grown = grow(workspace, part, partial(_add_photos, workspace, settings, progress), progress)
            if grown:
                attempts, used = grown.attempts, "incremental"
            else:
                mapper = Mapper(workspace, settings, part, progress)
                attempts = _map(workspace, settings, mapper, progress)
                used = mapper.used
            models, doubts = attempts.models, attempts.doubts
            document = registration(workspace, models, attempts.database)
            if models and attempts.database != workspace.database:
                keep_database(workspace, attempts)
            if models and from_one_place(attempts.database):
                doubts.append(one_place_doubt())
        finally:
            remove_with_part(workspace.live)
    write_document(workspace.registration, document)
    if not models:
        raise UserError(_no_model(document, workspace), remedy="photos")
    with atomic_folder(workspace.sparse) as part:
        for number, model in enumerate(models):
            (part / str(number)).mkdir()
            model.write(part / str(number))
            check_model(part / str(number))  # COLMAP does not report incomplete writes
    unregistered = sorted(name for name, entry in document.photos.items() if not entry.registered)
    if len(unregistered) > MAX_LEFT_OUT * len(document.photos):
        doubts.append(
            few_registered(len(document.photos) - len(unregistered), list(document.photos), unregistered)
        )
    for spot in spots_of(models[0]):
        progress.warning(spot_sentence(spot), photos=spot)
    doubts += fisheye_doubts(models[0], workspace.images)
    doubts += place_main_model(workspace, models[0], progress, bool(grown))
    report = _report(workspace, document, progress) | {"mapper": used}
    if used == "global":
        report["message"] += ", by the global mapper"
    if attempts.rounds:
        report["rounds"] = attempts.rounds
    if grown:
        report |= {"message": grown.message + report["message"], "added": len(grown.added)}
    return {**report, "doubts": [doubt.to_json() for doubt in doubts]}


def _map(workspace: Workspace, settings: SfmSettings, mapper: Mapper, progress: Progress) -> Attempts:
    """The models, largest first, doubts about their cameras, and their database."""
    models = mapper(workspace.database)
    attempts = Attempts(workspace.database, mapper.scratch, mapper, progress, models, [])
    known = [camera.prior for camera in workspace.read_photos().cameras]
    settle = settings.refine_intrinsics and FocalPrior.GIVEN not in known
    if settle:
        settle_cameras(attempts)
    gps = places_by_name(workspace.used_photos())
    attempts = try_sift(
        workspace, attempts, lambda model: contradicted_by_gps(model, gps), settle, settings.seed
    )
    if settle:
        try_fisheye(attempts, workspace.images, settings.seed)
        settle_undetermined_focals(attempts, lambda database: mapper(database, held=True))
    if attempts.models:
        share_cameras(attempts, workspace.read_photos())
        taken = [photo.name for photo in workspace.used_photos()]
        if unmasked(workspace) and (rounds := rounds_of(attempts.models, taken)):
            attempts.rounds = rounds
            attempts.doubts.append(turned_over(rounds))
            return attempts
        join_models(attempts, settings.seed)
        unfold(attempts, taken, settings.seed)
        settle_rigs(attempts, workspace.read_photos())
    return attempts


def _add_photos(
    workspace: Workspace, settings: SfmSettings, progress: Progress, database: Path, start: Path
) -> list[Any]:
    """The model in `start` with the other photos of the database; its own poses and cameras stay."""
    output = start.with_name("grown")
    output.mkdir()
    model = read_model(start)

    def fix(options: Any) -> None:
        options.multiple_models = False
        options.fix_existing_frames = options.mapper.fix_existing_frames = True
        options.constant_cameras = options.mapper.constant_cameras = set(model.cameras)

    incremental(workspace, settings, database, output, progress, False, start, model.num_reg_images(), fix)
    return [read_model(output)]  # COLMAP writes a model that it continues here, without a number


def place_main_model(
    workspace: Workspace, model: Any, progress: Progress, same_frame: bool = False
) -> list[Doubt]:
    """Write placement.json; returns doubts about it. same_frame: the earlier model's, whose placement then stays."""
    photos = workspace.used_photos()
    gps = places_by_name(photos)
    if lost := [photo.name for photo in photos if at_zero(photo)]:
        progress.warning(f"The GPS of {named(lost)} says 0, 0, which is not a real position: it is ignored.")
    transform, how, up = place_model(
        model, gps, felt_by_name(photos), first_round(model, [photo.name for photo in photos])
    )
    content = PlacementDocument(world_from_model=transform.tolist(), how=how)
    if placed := placed_by_clear_gps(model, gps, transform):
        matrix, source, origin = placed
        content = PlacementDocument(world_from_model=matrix.tolist(), how=f"{how}; {source}", gps=origin)
    earlier = (_earlier_placement(workspace) if same_frame else None) or _as_placed(
        workspace, model, progress
    )
    write_document(workspace.placement, earlier or content)
    return [doubt for doubt in placing_doubts(model, gps, up) if not (earlier and doubt.kind == UP)]


def _earlier_placement(workspace: Workspace) -> PlacementDocument | None:
    try:
        return read_document(PlacementDocument, Workspace(workspace.earlier).placement, "")
    except UserError:
        return None


def _as_placed(workspace: Workspace, model: Any, progress: Progress) -> PlacementDocument | None:
    """The placement the user gave an earlier model, transferred to this one."""
    if not workspace.placed.exists():
        return None
    try:
        placed = read_document(PlacedDocument, workspace.placed, "")
        world = check_placement(placed.world_from_model)
        old = {name: numbers(pose, 3, 4) for name, pose in placed.cameras.items()}
    except (UserError, ValueError):
        remove(workspace.placed)
        return None
    moved = old_from_new(old, poses_of(model))
    if moved is None:
        progress.warning(
            Sentence(
                f"The model is not the one that was placed before ({placed.how}), so its scale and place no longer "
                "apply: ",
                place_again(workspace.root),
                ".",
            )
        )
        remove(workspace.placed)
        return None
    progress.info(f"The scale and place set before are kept: {placed.how}.")
    return PlacementDocument(world_from_model=(world @ moved).tolist(), how=placed.how, gps=placed.gps)


def _no_model(document: RegistrationDocument, workspace: Workspace) -> str:
    if stands_still(workspace.database):
        return Sentence("No cameras could be placed: ", STILL_ADVICE)
    if from_one_place(workspace.database):
        return f"No cameras could be placed: {ONE_PLACE_ADVICE}"
    reasons = [f"{name}: {entry.reason}" for name, entry in list(document.photos.items())[:3]]
    return (
        f"No cameras could be placed ({'; '.join(reasons)}): take more photos with about two thirds "
        "overlap, from different positions, of a textured subject."
    )


def _report(workspace: Workspace, document: RegistrationDocument, progress: Progress) -> dict[str, Any]:
    main = document.models[0]
    for name, entry in document.photos.items():
        if not entry.registered:
            progress.warning(f"{name} is not registered: {entry.reason}.", photo=name)
    if len(document.models) > 1:
        sizes = " and ".join(str(model.photos) for model in document.models)
        progress.warning(
            Sentence(
                f"The photos form {len(document.models)} separate groups of {sizes} photos: the largest is "
                "used. Take photos between the groups to join them, or run them separately. If the subject was "
                "turned over between them, only it may be matched: choose masks that leave out the rest (",
                option("masks"),
                ").",
            )
        )
    total = len(document.photos)
    message = (
        f"{main.photos} of {total} photos registered, {main.points} points, "
        f"{main.error:.2f} px reprojection error"
    )
    return {"message": message, "models": len(document.models), "of": total, **encode(main)}
