"""Fingerprints of stages: what their results depend on. A stage runs again when its fingerprint changes."""

from __future__ import annotations

import hashlib
import json

from .events import Progress
from .setting_field import Settings
from .settings import JobSettings
from .stage import Stage, up_to
from .stage import stage as stage_of
from .workspace import Workspace

_NO_VALUE = object()


def fingerprint(stage: Stage, workspace: Workspace, settings: Settings, before: list[str]) -> str:
    """SHA-256 of the stage, its version, settings and inputs, and the fingerprints of the stages it needs."""
    values = {
        key: value
        for key, value in settings.recorded().items()
        if key not in stage.not_in_fingerprint and value != stage.not_in_fingerprint_as.get(key, _NO_VALUE)
    }
    content = [stage.name, stage.version, values, stage.inputs(workspace, settings), before]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def fingerprints(
    workspace: Workspace, settings: JobSettings, names: tuple[str, ...], recorded: dict[str, str]
) -> dict[str, str]:
    """Each stage's fingerprint by name; recorded: those that are known already."""
    prints: dict[str, str] = {}
    passed_on: dict[str, str] = {}  # a skipped stage passes on the fingerprint it was given
    for name in names:
        before = [passed_on[need] for need in stage_of(name).needs]
        prints[name] = recorded.get(name) or fingerprint(
            stage_of(name), workspace, settings.stages[name], before
        )
        passed_on[name] = before[0] if stage_of(name).left_out(settings.stages[name]) else prints[name]
    return prints


def still_valid(
    workspace: Workspace, settings: JobSettings, names: tuple[str, ...], progress: Progress
) -> dict[str, str]:
    """The fingerprints of finished stages whose results are still valid although their inputs look changed."""
    recorded = {}
    for stage in map(stage_of, names):
        record = workspace.read_state().stage(stage.name)
        if not stage.still_valid or not record.done or not record.fingerprint:
            continue
        if stage.still_valid(workspace, settings, progress.for_stage(stage.name)):
            recorded[stage.name] = record.fingerprint
    return recorded


def begins(workspace: Workspace, settings: JobSettings, name: str, recorded: dict[str, str]) -> bool:
    """Whether the stage would start from scratch with these settings, neither kept nor resumed."""
    record = workspace.read_state().stage(name)
    return bool(record.fingerprint != fingerprints(workspace, settings, up_to(name), recorded)[name])
