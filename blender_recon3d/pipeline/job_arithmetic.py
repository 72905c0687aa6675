"""One arithmetic for all networks of a job, kept in state.json: a resumed job continues with the one it began with.

fp32 and bf16 find slightly different keypoints and matches, so the features and matches of one job must not mix them,
whatever machine the job is resumed on. It is chosen when the features begin (see the table in `models.arithmetic`),
recorded in state.json as `arithmetic`, and enters the fingerprints of features and matches as the setting
`precision`. A machine without fast bf16 can still continue such a job, only slower.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from .documents.state_json import Arithmetic, NetworkPrecision
from .errors import UserError
from .models import front_ends
from .stage_settings import FeaturesSettings, MatchesSettings
from .wording import Sentence, option
from .workspace import Workspace

if TYPE_CHECKING:
    from .settings import JobSettings


def of_job(
    workspace: Workspace, settings: JobSettings, begins: Callable[[JobSettings], bool]
) -> tuple[JobSettings, Arithmetic | None]:
    """The job with its precision decided, and that decision; None for a front-end that has no choice, such as SIFT.

    begins: whether features with these settings would start from scratch, so that the choice is free.
    Raises UserError if there is no such device, weights are missing, or the front-end does not offer the precision.
    """
    name = settings.of(FeaturesSettings).front_end
    offered = front_ends.precisions(name)
    if not offered:
        return with_precision(settings, "auto"), None
    asked = settings.of(FeaturesSettings).precision
    if asked not in ("auto", *offered):
        raise UserError(
            Sentence(
                option("features"),
                f" {name} has no ",
                option("precision"),
                f" {asked}: use {' or '.join(offered)}, or auto.",
            ),
            2,
        )
    if asked != "auto":
        return with_precision(settings, asked), Arithmetic(precision=NetworkPrecision(asked), why="asked for")
    earlier = recorded(workspace)
    if earlier is not None and not begins(same := with_precision(settings, earlier.precision.value)):
        return same, earlier
    from .models.precision import choose_for  # loads torch

    networks = (front_ends.extractor_of(name), front_ends.matcher_of(name))
    chosen = choose_for(networks, settings.of(FeaturesSettings).weights, settings.of(FeaturesSettings).device)
    arithmetic = Arithmetic(precision=NetworkPrecision(chosen.precision), why=chosen.why)
    return with_precision(settings, chosen.precision), arithmetic


def with_precision(settings: JobSettings, precision: str) -> JobSettings:
    """The same job with the features and the matches in that precision."""
    return settings.having(
        replace(settings.of(FeaturesSettings), precision=precision),
        replace(settings.of(MatchesSettings), precision=precision),
    )


def recorded(workspace: Workspace) -> Arithmetic | None:
    """The arithmetic that state.json records for the job; None if it records none or holds something else."""
    return workspace.read_state().arithmetic


def record(workspace: Workspace, value: Arithmetic | None) -> None:
    """Write it into state.json, or remove it."""
    state = workspace.read_state()
    if state.arithmetic != value:
        workspace.write_state(replace(state, arithmetic=value))
