"""A finished job in one sentence: photos, points, faces, minutes, and whether there are doubts."""

from __future__ import annotations

from . import doubts
from .documents.state_json import StateDocument
from .files.json_values import whole
from .text import rough_duration


def job_summary(state: StateDocument) -> str:
    """Of the finished stages; empty if there are no results yet."""

    def figure(stage: str, key: str) -> int:
        record = state.stage(stage)
        return whole(record.summary.get(key), minimum=0) if record.done else 0

    parts = []
    if figure("sfm", "photos"):
        parts.append(f"{figure('sfm', 'photos')} of {figure('sfm', 'of')} photos")
    points = figure("dense", "points") or figure("sfm", "points")
    if points:
        parts.append(f"{points:,} points")
    if figure("mesh", "faces"):
        parts.append(f"{figure('mesh', 'faces'):,} faces")
    if not parts:
        return ""
    seconds = sum(record.seconds or 0.0 for record in state.stages.values() if record.done)
    doubted = " The result may be wrong: see the warnings." if doubts.of_state(state) else ""
    return f"{', '.join(parts)}, in {rough_duration(seconds)}.{doubted}"
