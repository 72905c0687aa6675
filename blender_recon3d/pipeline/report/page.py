"""report.html, from the template `page.html` and the style sheet `page.css`. Jinja escapes all text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..documents.registration_json import ModelSummary
from ..documents.report_json import (
    ReportDocument,
    ReportedCamera,
    ReportedPair,
    ReportedPhoto,
    ReportedStage,
    ReportedState,
)
from ..doubts import sentence
from ..text import duration
from .graph import css_class
from .markup import data_url, shown
from .thumbnails import MAX_LARGE_PICTURES

MAX_NAMED = 2000  # photos listed
HERE = Path(__file__).parent
STATE_CLASS = {ReportedState.DONE: "good", ReportedState.NOT_FINISHED: "bad"}

Rows = list[tuple[str, str]]


def page(facts: ReportDocument, pictures: dict[str, Any]) -> str:
    """The whole document. facts: from `facts.collect`. pictures: thumbnails, graph, matches and maps."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, finalize=shown
    )
    pairs = _pairs(facts.pairs)
    photos = facts.photos
    return environment.get_template("page.html").render(
        css=Markup((HERE / "page.css").read_text("utf-8")),
        title=f"Recon3D: {'/'.join(PurePath(facts.source).parts[-2:])}",
        written=facts.written[:16].replace("T", " "),
        reached=_reached(facts.stages),
        source=facts.source,
        tiles=list(_tiles(facts)),
        problems=list(_problems(facts)),
        maps=pictures["maps"],
        stages=_stages(facts.stages),
        pairs=pairs,
        graph=pictures["graph"] if any(pair.inliers for pair in facts.pairs) else None,
        matches=[_match(picture) for picture in pictures["matches"]],
        photos=[_photo(photo, pictures["thumbnails"].get(n)) for n, photo in enumerate(photos[:MAX_NAMED])],
        many_photos=len(photos) > MAX_LARGE_PICTURES,
        photos_left=f"{len(photos) - MAX_NAMED:,}" if len(photos) > MAX_NAMED else "",
        models=[_model(number, model) for number, model in enumerate(facts.models)],
        cameras=[_camera(camera) for camera in facts.cameras],
        general=_settings(facts.settings),
        groups=[
            (name, _settings(values)) for name, values in facts.settings.items() if isinstance(values, dict)
        ],
        versions=_versions(facts),
        fingerprints=[(stage.name, stage.fingerprint or "not run") for stage in facts.stages],
    )


def _reached(stages: list[ReportedStage]) -> str:
    done = [stage.name for stage in stages if stage.state == ReportedState.DONE]
    return f"done up to {done[-1]}" if done else "no stage is done"


def _tiles(facts: ReportDocument) -> Iterator[tuple[str, str]]:
    """The key figures: (value, label)."""
    used = [photo for photo in facts.photos if photo.used]
    summaries = {stage.name: stage.summary for stage in facts.stages}
    if facts.models:
        main = facts.models[0]
        yield f"{main.photos} of {len(used)}", "photos registered"
        yield f"{main.points:,}", "sparse points"
        yield f"{main.error:.2f} px", "mean reprojection error"
    elif facts.photos:
        yield f"{len(used)} of {len(facts.photos)}", "photos used"
    if points := summaries.get("dense", {}).get("points"):
        yield f"{points:,}", "dense points"
    if faces := summaries.get("mesh", {}).get("faces"):
        yield f"{faces:,}", "faces"
    if seconds := [stage.seconds for stage in facts.stages if stage.seconds is not None]:
        yield duration(sum(seconds)), "of work"
    if memory := [stage.peak_memory_mb for stage in facts.stages if stage.peak_memory_mb]:
        yield f"{max(memory) / 1024:.1f} GB", "peak memory"


def _problems(facts: ReportDocument) -> Iterator[dict[str, str]]:
    """Stages that stopped, doubts, then warnings and errors, then advice."""
    for stage in reversed(facts.stages):
        if stage.state == ReportedState.NOT_FINISHED:
            text = "This stage was stopped or failed; running the same command again continues it."
            yield {"kind": "error", "place": stage.name, "text": text}
    for doubt in facts.doubts:
        yield {"kind": "warning", "place": "doubt", "text": sentence(doubt)}
    for problem in facts.problems:
        yield {"kind": problem.kind, "place": problem.stage, "text": problem.message}
    for item in facts.advice:
        yield {"kind": "advice", "place": "advice", "text": item.text}


def _stages(stages: list[ReportedStage]) -> list[dict[str, Any]]:
    longest = max((stage.seconds or 0.0 for stage in stages), default=0.0)
    return [
        {
            "name": stage.name,
            "state": stage.state,
            "class": STATE_CLASS.get(stage.state, "off"),
            "message": stage.summary.get("message", ""),
            "time": duration(stage.seconds) if stage.seconds is not None else "",
            "width": f"{100 * stage.seconds / longest:.1f}" if longest > 0 and stage.seconds else "",
            "memory": f"{stage.peak_memory_mb:,} MB" if stage.peak_memory_mb else "",
        }
        for stage in stages
    ]


def _pairs(pairs: list[ReportedPair]) -> Rows:
    if not pairs:
        return []
    inliers = sorted(pair.inliers for pair in pairs if pair.inliers)
    rows = [("Pairs listed", f"{len(pairs):,}")]
    if any(pair.matches is not None for pair in pairs):
        rows.append(("Verified", f"{len(inliers):,}"))
    if inliers:
        low, median, high = inliers[0], inliers[len(inliers) // 2], inliers[-1]
        rows.append(("Verified matches", f"{sum(inliers):,}"))
        rows.append(("Per pair: min, median, max", f"{low:,}, {median:,}, {high:,}"))
    return rows


def _match(picture: Any) -> dict[str, str]:
    first, second = picture.photos
    drawn = f", {picture.drawn} of them drawn" if picture.drawn < picture.inliers else ""
    return {
        "src": data_url("jpeg", picture.jpeg),
        "alt": f"Matches of {first} and {second}",
        "title": picture.title,
        "text": f"{first} and {second}. {picture.inliers:,} of {picture.matches:,} matches verified{drawn}.",
    }


def _photo(photo: ReportedPhoto, thumbnail: bytes | None) -> dict[str, Any]:
    registration = photo.registration
    state = registration.state if registration else photo.state
    lines = []
    if registration and registration.points:
        error = "" if registration.error is None else f", {registration.error:.2f} px"
        lines.append(f"{registration.points:,} points{error}")
    if reason := (registration.reason if registration else "") or photo.reason:
        lines.append(reason)
    return {
        "name": " ".join(filter(None, [PurePath(photo.source.replace("\\", "/")).name, photo.side])),
        "source": photo.source,
        "state": state,
        "class": css_class(state),
        "lines": lines,
        "src": data_url("jpeg", thumbnail) if thumbnail else "",
    }


def _model(number: int, model: ModelSummary) -> list[str]:
    return [
        f"sparse/{number}",
        f"{model.photos:,}",
        f"{model.points:,}",
        f"{model.error:.3f} px",
        f"{model.track_length:.2f}",
    ]


def _camera(camera: ReportedCamera) -> list[str]:
    return [
        str(camera.id),
        camera.model,
        f"{camera.width} x {camera.height}",
        str(camera.photos),
        camera.prior,
        _numbers(camera.params),
        _numbers(camera.refined or []),
    ]


def _settings(values: dict[str, Any]) -> Rows:
    return [
        (name, _value(value))
        for name, value in values.items()
        if not isinstance(value, dict) and name != "version"
    ]


def _versions(facts: ReportDocument) -> Rows:
    rows = [(name, value or "not installed") for name, value in facts.versions.items()]
    if device := facts.device:
        memory = f", {device.memory_gb} GB" if device.memory_gb else ""
        cards = f", {', '.join(device.cuda)}" if device.cuda else ""
        rows.append(("machine", f"{device.cores} cores, {device.processor}{memory}{cards}"))
    if arithmetic := facts.arithmetic:
        rows.append(("precision of the networks", f"{arithmetic.precision} ({arithmetic.why})"))
    return rows


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value[:20]) + (" …" if len(value) > 20 else "")
    return "-" if value == "" else "yes" if value is True else "no" if value is False else str(value)


def _numbers(values: list[float]) -> str:
    return ", ".join(f"{value:.5g}" for value in values)
