"""Everything machine-readable about a run: the content of report.json."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .. import doubts
from ..documents.document_files import read_document
from ..documents.event import Event
from ..documents.photos_json import FocalPrior, PhotosDocument
from ..documents.registration_json import RegistrationDocument
from ..documents.report_json import (
    Device,
    Problem,
    ReportDocument,
    ReportedCamera,
    ReportedPair,
    ReportedPhoto,
    ReportedStage,
    ReportedState,
)
from ..documents.state_json import StageRecord, StageState, StateDocument
from ..events import read_events
from ..files import json_values
from ..results import is_done
from ..settings import JobSettings
from ..stage import STAGES
from ..stage_settings import DenseSettings, PhotosSettings
from ..system.cpu import cores, processor
from ..system.memory import memory_gb
from ..system.versions import versions
from ..wording import run_stage
from ..workspace import Workspace
from .advice import Links, advise

MAX_PROBLEMS = 200


def collect(workspace: Workspace, settings: JobSettings, attempt: Callable[..., Any]) -> ReportDocument:
    """The report's facts. attempt(what, make, otherwise) shields each part from the others' failures.

    A stage that is not in state.json has no facts, even where files of an earlier run still lie there.
    """
    state = workspace.read_state()
    document, registration = PhotosDocument(photos=[]), RegistrationDocument()
    if "photos" in state.stages and workspace.photos.exists():
        document = attempt("photos.json", workspace.read_photos, document)
    if "sfm" in state.stages and workspace.registration.exists():
        registration = attempt("registration.json", lambda: _registration(workspace), registration)
    pairs = attempt("The pairs", lambda: _pairs(workspace, state), [])
    placed = "sfm" in state.stages
    return ReportDocument(
        written=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        workspace=str(workspace.root),
        source=document.source or ", ".join(settings.of(PhotosSettings).sources),
        versions=attempt("Versions", versions, {}),
        device=attempt("The device", lambda: device(settings), None),
        arithmetic=state.arithmetic,
        settings=settings.to_json(),
        stages=[_stage(name, state.stage(name)) for name in STAGES],
        photos=attempt("The photos", lambda: _photos(document, registration), []),
        cameras=attempt("The cameras", lambda: _cameras(workspace, document, placed), []),
        models=registration.models,
        pairs=pairs,
        advice=attempt("The advice", lambda: advise(document, registration, _links(pairs)), []),
        doubts=attempt("The doubts", lambda: doubts.of_state(state), []),
        problems=attempt("The problems", lambda: problems(workspace, state), []),
    )


def device(settings: JobSettings) -> Device:
    """The machine it ran on. Lists graphics cards only if torch is already loaded, since loading it takes seconds."""
    cards: list[str] = []
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        cards = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    total, _ = memory_gb()
    return Device(
        asked_for=settings.of(DenseSettings).device,
        cores=cores(),
        processor=processor().name or platform.machine(),
        memory_gb=round(total, 1),
        cuda=cards,
    )


def problems(workspace: Workspace, state: StateDocument) -> list[Problem]:
    """Warnings of each stage's last run, and the error that ended the job, from events.jsonl.

    A skipped stage has the warnings of the run that computed it. Errors come first.
    """
    events = [*read_events(workspace.old_events)[0], *read_events(workspace.events)[0]]
    warnings: dict[str, list[Problem]] = {}
    last_errors: list[Problem] = []
    for event in events:
        if event.kind == "info" and event.stage == "job" and event.message == "started":
            last_errors = []
            warnings.pop("report", None)
        elif event.kind == "progress" and event.message == "started":
            warnings.pop(event.stage, None)
        elif event.kind == "warning":
            warnings.setdefault(event.stage, []).append(_problem(event))
        elif event.kind == "error":
            last_errors.append(_problem(event))
    from_stages = [problem for name in STAGES if name in state.stages for problem in warnings.get(name, [])]
    return list(dict.fromkeys(last_errors + from_stages))[:MAX_PROBLEMS]


def _problem(event: Event) -> Problem:
    return Problem(stage=event.stage, kind=event.kind.value, message=event.message)


def _registration(workspace: Workspace) -> RegistrationDocument:
    """The registration, with the figures of the refined model if there is one."""
    if is_done(workspace, "refine") and workspace.refined_registration.exists():
        return read_document(RegistrationDocument, workspace.refined_registration, run_stage("refine"))
    return read_document(RegistrationDocument, workspace.registration, run_stage("sfm"))


def _stage(name: str, record: StageRecord) -> ReportedStage:
    summary = record.summary
    for key in ("points", "faces"):  # which the page writes as numbers
        if key in summary:
            summary = {**summary, key: json_values.whole(summary[key], minimum=0)}
    # "started" in the state of an ended run means that it was stopped or failed there.
    state = {
        StageState.DONE: ReportedState.DONE,
        StageState.STARTED: ReportedState.NOT_FINISHED,
    }.get(record.state, ReportedState.NOT_RUN)
    return ReportedStage(
        name=name,
        state=state,
        fingerprint=record.fingerprint or None,
        seconds=record.seconds,
        peak_memory_mb=record.peak_memory_mb,
        summary=summary,
    )


def _photos(document: PhotosDocument, registration: RegistrationDocument) -> list[ReportedPhoto]:
    """photos.json's entries; used ones with their outcome in `registration`."""
    return [
        ReportedPhoto(**vars(photo), registration=registration.photos.get(photo.name) if photo.used else None)
        for photo in document.photos
    ]


def _cameras(workspace: Workspace, document: PhotosDocument, placed: bool) -> list[ReportedCamera]:
    """photos.json's cameras, with the main model's final parameters as `refined`."""
    cameras = [ReportedCamera(**vars(camera)) for camera in document.cameras]
    if placed and (workspace.model / "cameras.bin").exists():
        from ..colmap.model_files import read_model

        refined = read_model(workspace.model).cameras
        cameras = [
            replace(
                camera,
                refined=[float(value) for value in refined[camera.id].params],
                parameter_names=refined[camera.id].params_info,
            )
            if camera.id in refined
            else camera
            for camera in cameras
        ]
        cameras += [
            _found_camera(refined[number]) for number in sorted(set(refined) - {c.id for c in cameras})
        ]
    return cameras


def _found_camera(camera: Any) -> ReportedCamera:
    """A camera that structure from motion split off."""
    params = [float(value) for value in camera.params]
    return ReportedCamera(
        id=camera.camera_id,
        model=camera.model.name,
        width=camera.width,
        height=camera.height,
        params=params,
        prior=FocalPrior.FIT,
        photos=None,
        refined=params,
        parameter_names=camera.params_info,
    )


def _pairs(workspace: Workspace, state: StateDocument) -> list[ReportedPair]:
    """Every listed pair with its numbers of matches and verified matches (None until known)."""
    from ..colmap.database import image_ids, open_database, pair_counts, read_pairs

    if "pairs" not in state.stages or not workspace.pairs.exists():
        return []
    listed = read_pairs(workspace.pairs)
    counts: dict[tuple[int, int], tuple[int, int]] = {}
    ids: dict[str, int] = {}
    if "matches" in state.stages and workspace.mapped_database.exists():
        with open_database(workspace.mapped_database) as database:
            ids, counts = image_ids(database), pair_counts(database)
    pairs = []
    for first, second in listed:
        a, b = sorted((ids.get(first, -1), ids.get(second, -1)))
        matches, inliers = counts.get((a, b), (None, None))
        pairs.append(ReportedPair(photos=(first, second), matches=matches, inliers=inliers))
    return pairs


def _links(pairs: list[ReportedPair]) -> Links:
    """The pairs' numbers for `advise`: verified matches first, since they are compared first."""
    return {pair.photos: (pair.inliers or 0, pair.matches or 0) for pair in pairs}
