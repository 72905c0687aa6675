"""Settings in a file: for `recon3d run --settings FILE.json`, as written by the panel, and as a workspace's job.json.

    {"version": 1, "quality": "high", "until": "mesh", "pairs": {"strategy": "sequential", "window": 5}}

By stage, each setting under its name or an earlier one; missing settings follow the quality, or are defaults.
Relative paths are relative to the file. Standard library only.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import UserError
from .files.atomic_files import read_json
from .files.user_path import user_path
from .setting_field import Setting, check
from .settings import VERSION, JobSettings, Values, all_settings, share_front_end
from .stage import STAGES
from .wording import CHECK_SETTINGS_FILE, LIST_SETTINGS, NEW_JOB, Sentence


@dataclass(frozen=True)
class Given:
    """Settings from a file or a command line. values: by stage; quality, until: empty if not specified."""

    values: Values = field(default_factory=dict)
    quality: str = ""
    until: str = ""


def read_settings(path: Path) -> Given:
    """The settings in a file, checked one by one.

    UserError (2), one sentence naming the file and the setting, for an unknown setting or an invalid value.
    """
    try:
        raw = read_json(path, CHECK_SETTINGS_FILE)
    except UserError as error:
        raise UserError(error.sentence, 2) from error
    settings = _given(raw, str(path), strict=True)
    for declared in all_settings():
        value = settings.values.get(declared.stage, {}).get(declared.name)
        if declared.path and value:
            settings.values[declared.stage][declared.name] = _beside(path, value)
    share_front_end(settings.values, f"{path}: ")
    _forget_sizes(settings)
    return settings


def _forget_sizes(given: Given) -> None:
    """Remove values that equal the quality's: a whole job lists them all, but they should follow a change of
    quality."""
    for declared in all_settings():
        values = given.values.get(declared.stage, {})
        if given.quality and declared.by_quality.get(given.quality) == values.get(declared.name, ""):
            del values[declared.name]


def job_of(raw: Mapping[str, Any], path: Path) -> JobSettings:
    """The job in `job.json`, also of earlier versions; unknown settings of later versions are ignored.

    UserError naming `path` if it holds something else.
    """
    try:
        settings = _given(raw, str(path), strict=False)
        if not settings.quality or not settings.until:
            raise UserError("it names no quality or no last stage")
        if "refine" not in raw:  # a job of 0.1.0, which had neither: continue it without them
            settings.values["refine"] = {"refine": "off"}
            settings.values.setdefault("mesh", {}).setdefault("mesh_refinement", "off")
        return JobSettings.from_values(settings.values, settings.quality, settings.until)
    except UserError as error:
        raise UserError(Sentence(f"{path} is not a job ({error}): ", NEW_JOB, "."), 2) from error


def _given(raw: Mapping[str, Any], where: str, strict: bool) -> Given:
    version = raw.get("version", VERSION)
    if not isinstance(version, int) or isinstance(version, bool) or (strict and version > VERSION):
        raise UserError(
            f"{where} is of version {str(version)[:20]}, and this Recon3D reads {VERSION}: update it.", 2
        )
    known: dict[str, dict[str, Setting]] = {stage: {} for stage in ("", *STAGES)}
    for declared in all_settings():
        known[declared.stage].update(dict.fromkeys(declared.names, declared))
    values: dict[str, dict[str, Any]] = {}
    for section in known:
        content = raw if not section else raw.get(section, {})
        if not isinstance(content, Mapping):
            raise UserError(f"{where}: {section} must be an object of settings and their values.", 2)
        values[section] = _section(section, content, known[section], where, strict)
    job = values.pop("")
    return Given(values, job.get("quality", ""), job.get("until", ""))


def _section(
    section: str, content: Mapping[str, Any], known: Mapping[str, Setting], where: str, strict: bool
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in content.items():
        declared = known.get(name)
        if declared is None:
            beside = () if section else ("version", *STAGES)
            if strict and name not in beside:
                raise UserError(_unknown(section, name, (*known, *beside), where), 2)
        elif value is not None and (typed := declared.typed(value)) is not None:
            check(declared, typed, where)
            values[declared.name] = typed
    return values


def _unknown(section: str, name: str, known: Iterable[str], where: str) -> Sentence:
    close = difflib.get_close_matches(name, list(known), 1)
    prefix = f"{section}." if section else ""
    advice = f"did you mean {prefix}{close[0]}" if close else LIST_SETTINGS
    return Sentence(f"{where}: there is no setting {prefix}{name[:80]}: ", advice, ".")


def _beside(file: Path, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """Relative paths made absolute, from the file's folder; a text that is not an existing path there stays
    as it is."""
    if isinstance(value, tuple):
        return tuple(str(file.absolute().parent / user_path(entry)) for entry in value)
    path = file.absolute().parent / user_path(value)
    return str(path) if path.exists() else value
