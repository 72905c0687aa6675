"""Settings in a file: what `recon3d run --settings FILE.json` takes, what the panel writes, and a workspace's job.json.

    {"version": 1, "quality": "high", "until": "mesh", "pairs": {"strategy": "sequential", "window": 5}}

By stage, each setting under its name or an earlier one; what is not there is as the quality says, or a default.
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
    """What a file, or a command line, says. values: by stage; quality, until: empty where it says nothing of them."""

    values: Values = field(default_factory=dict)
    quality: str = ""
    until: str = ""


def read_settings(path: Path) -> Given:
    """The settings in a file, checked one by one.

    UserError (2), one sentence naming the file and the setting, for an unknown setting or a value that will not do.
    """
    try:
        raw = read_json(path, CHECK_SETTINGS_FILE)
    except UserError as error:
        raise UserError(error.sentence, 2) from error
    found = _given(raw, str(path), strict=True)
    for declared in all_settings():
        value = found.values.get(declared.stage, {}).get(declared.name)
        if declared.path and value:
            found.values[declared.stage][declared.name] = _beside(path, value)
    share_front_end(found.values, f"{path}: ")
    _forget_sizes(found)
    return found


def _forget_sizes(given: Given) -> None:
    """Take out the sizes that the quality stands for: a whole job names them, and they follow another quality."""
    for declared in all_settings():
        values = given.values.get(declared.stage, {})
        if given.quality and declared.by_quality.get(given.quality) == values.get(declared.name, ""):
            del values[declared.name]


def job_of(raw: Mapping[str, Any], path: Path) -> JobSettings:
    """The job of `job.json`, also of earlier versions; what a later version has added is passed over.

    UserError naming `path` when it holds something else.
    """
    try:
        found = _given(raw, str(path), strict=False)
        if not found.quality or not found.until:
            raise UserError("it names no quality or no last stage")
        if "refine" not in raw:  # a job of 0.1.0, which had neither: it continues as it began
            found.values["refine"] = {"refine": "off"}
            found.values.setdefault("mesh", {}).setdefault("mesh_refinement", "off")
        return JobSettings.from_values(found.values, found.quality, found.until)
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
    found: dict[str, dict[str, Any]] = {}
    for section in known:
        content = raw if not section else raw.get(section, {})
        if not isinstance(content, Mapping):
            raise UserError(f"{where}: {section} must be an object of settings and their values.", 2)
        found[section] = _section(section, content, known[section], where, strict)
    job = found.pop("")
    return Given(found, job.get("quality", ""), job.get("until", ""))


def _section(
    section: str, content: Mapping[str, Any], known: Mapping[str, Setting], where: str, strict: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in content.items():
        declared = known.get(name)
        if declared is None:
            beside = () if section else ("version", *STAGES)
            if strict and name not in beside:
                raise UserError(_unknown(section, name, (*known, *beside), where), 2)
        elif value is not None:
            found[declared.name] = declared.typed(value)
            check(declared, found[declared.name], where)
    return found


def _unknown(section: str, name: str, known: Iterable[str], where: str) -> Sentence:
    close = difflib.get_close_matches(name, list(known), 1)
    prefix = f"{section}." if section else ""
    advice = f"did you mean {prefix}{close[0]}" if close else LIST_SETTINGS
    return Sentence(f"{where}: there is no setting {prefix}{name[:80]}: ", advice, ".")


def _beside(file: Path, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """Paths relative to the file as absolute ones; a text that names none there stays."""
    if isinstance(value, tuple):
        return tuple(str(file.absolute().parent / user_path(entry)) for entry in value)
    path = file.absolute().parent / user_path(value)
    return str(path) if path.exists() else value
