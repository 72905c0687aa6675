"""Everything machine-readable about a run: the content of report.json."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from typing import Any

from .. import doubts, job_arithmetic
from ..events import read_events
from ..files import json_values
from ..files.photo_documents import clean_registration
from ..files.whole_files import read_json
from ..settings import STAGES, JobSettings
from ..system.cpu import cores, processor
from ..system.memory import memory_gb
from ..system.versions import versions
from ..workspace import Workspace
from .advice import Links, advise

VERSION = 1
MOST_PROBLEMS = 200


def collect(workspace: Workspace, settings: JobSettings, attempt: Callable[..., Any]) -> dict[str, Any]:
    """The report's facts. attempt(what, make, otherwise) shields each part from the others' failures.

    A stage that is not in state.json has no facts, even where files of an earlier run still lie there.
    """
    state = workspace.read_state()["stages"]
    document = attempt("photos.json", lambda: _photos_json(workspace), {}) if "photos" in state else {}
    found = attempt("registration.json", lambda: _registration(workspace), {}) if "sfm" in state else {}
    pairs = attempt("The pairs", lambda: _pairs(workspace, state), [])
    return {
        "version": VERSION,
        "written": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "workspace": str(workspace.root),
        "source": str(document.get("source") or ", ".join(settings.photos.sources)),
        "versions": attempt("Versions", versions, {}),
        "device": attempt("The device", lambda: device(settings), {}),
        "arithmetic": job_arithmetic.recorded(workspace),
        "settings": settings.to_json(),
        "stages": [_stage(name, state.get(name)) for name in STAGES],
        "photos": attempt("The photos", lambda: _photos(document, found), []),
        "cameras": attempt("The cameras", lambda: _cameras(workspace, document, "sfm" in state), []),
        "models": found.get("models", []),
        "pairs": pairs,
        "advice": attempt("The advice", lambda: advise(document, found, _links(pairs)), []),
        "doubts": attempt("The doubts", lambda: doubts.of_state(state), []),
        "problems": attempt("The problems", lambda: problems(workspace, state), []),
    }


def device(settings: JobSettings) -> dict[str, Any]:
    """Where it ran. Names graphics cards only where torch is loaded anyway: loading it takes seconds."""
    cards: list[str] = []
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        cards = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    total, _ = memory_gb()
    return {
        "asked_for": settings.dense.device,
        "cores": cores(),
        "processor": processor().name or platform.machine(),
        "memory_gb": round(total, 1),
        "cuda": cards,
    }


def problems(workspace: Workspace, state: dict[str, Any]) -> list[dict[str, str]]:
    """Warnings of each stage's last run, and the error that ended the job, from events.jsonl.

    A stage that was kept has the warnings of the run that made it. Errors come first.
    """
    events = [*read_events(workspace.old_events)[0], *read_events(workspace.events)[0]]
    warnings: dict[str, list[dict[str, str]]] = {}
    last_errors: list[dict[str, str]] = []
    for event in events:
        if event.kind == "info" and event.stage == "job" and event.message == "started":
            last_errors = []
            warnings.pop("report", None)
        elif event.kind == "progress" and event.message == "started":
            warnings.pop(event.stage, None)
        elif event.kind == "warning":
            warnings.setdefault(event.stage, []).append(_problem(event.stage, "warning", event.message))
        elif event.kind == "error":
            last_errors.append(_problem(event.stage, "error", event.message))
    found = [problem for name in STAGES if name in state for problem in warnings.get(name, [])]
    unique = list({tuple(problem.values()): problem for problem in last_errors + found}.values())
    return unique[:MOST_PROBLEMS]


def _problem(stage: str, kind: str, message: str) -> dict[str, str]:
    return {"stage": stage, "kind": kind, "message": message}


def _photos_json(workspace: Workspace) -> dict[str, Any]:
    return workspace.read_photos() if workspace.photos.exists() else {}


def _registration(workspace: Workspace) -> dict[str, Any]:
    if not workspace.registration.exists():
        return {}
    return clean_registration(read_json(workspace.registration, "run recon3d sfm again"))


def _stage(name: str, entry: dict[str, Any] | None) -> dict[str, Any]:
    entry = json_values.mapping(entry)
    seconds, memory = entry.get("seconds"), entry.get("peak_memory_mb")
    summary = json_values.mapping(entry.get("summary"))
    for key in ("points", "faces"):  # which the page writes as numbers
        if key in summary:
            summary = {**summary, key: json_values.whole(summary[key], least=0)}
    # "started" in the state of a run that has ended means that it was stopped or failed there.
    state = {"done": "done", "started": "not finished"}.get(str(entry.get("state")), "not run")
    return {
        "name": name,
        "state": state,
        "fingerprint": entry.get("fingerprint"),
        "seconds": None if seconds is None else json_values.number(seconds),
        "peak_memory_mb": None if memory is None else json_values.whole(memory, least=0),
        "summary": summary,
    }


def _photos(document: dict[str, Any], found: dict[str, Any]) -> list[dict[str, Any]]:
    """photos.json's entries; those in use with what became of them in `registration`."""
    registered = found.get("photos", {})
    return [
        {**photo, "registration": registered.get(photo["name"])} if photo["state"] == "used" else photo
        for photo in document.get("photos", [])
    ]


def _cameras(workspace: Workspace, document: dict[str, Any], placed: bool) -> list[dict[str, Any]]:
    """photos.json's cameras, with the parameters that the main model ended with as `refined`."""
    cameras = [dict(camera) for camera in document.get("cameras", [])]
    if placed and (workspace.model / "cameras.bin").exists():
        from ..colmap.model_files import read_model

        refined = read_model(workspace.model).cameras
        for camera in cameras:
            if camera["id"] in refined:
                camera["refined"] = [float(value) for value in refined[camera["id"]].params]
                camera["parameter_names"] = refined[camera["id"]].params_info
        cameras += [
            _found_camera(refined[number]) for number in sorted(set(refined) - {c["id"] for c in cameras})
        ]
    return cameras


def _found_camera(camera: Any) -> dict[str, Any]:
    """A camera that structure from motion has split off."""
    params = [float(value) for value in camera.params]
    return {
        "id": camera.camera_id,
        "model": camera.model.name,
        "width": camera.width,
        "height": camera.height,
        "params": params,
        "prior": "fit",
        "photos": None,
        "refined": params,
        "parameter_names": camera.params_info,
    }


def _pairs(workspace: Workspace, state: dict[str, Any]) -> list[dict[str, Any]]:
    """Every listed pair with its numbers of matches and of verified matches (None before they are known)."""
    from ..colmap.database import image_ids, open_database, pair_counts, read_pairs

    if "pairs" not in state or not workspace.pairs.exists():
        return []
    listed = read_pairs(workspace.pairs)
    counts: dict[tuple[int, int], tuple[int, int]] = {}
    ids: dict[str, int] = {}
    if "matches" in state and workspace.database.exists():
        with open_database(workspace.database) as database:
            ids, counts = image_ids(database), pair_counts(database)
    pairs = []
    for first, second in listed:
        a, b = sorted((ids.get(first, -1), ids.get(second, -1)))
        matches, inliers = counts.get((a, b), (None, None))
        pairs.append({"photos": [first, second], "matches": matches, "inliers": inliers})
    return pairs


def _links(pairs: list[dict[str, Any]]) -> Links:
    """What `advise` wants to know of the pairs: verified matches first, since they count."""
    return {
        (pair["photos"][0], pair["photos"][1]): (pair["inliers"] or 0, pair["matches"] or 0) for pair in pairs
    }
