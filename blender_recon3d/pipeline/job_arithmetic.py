"""One arithmetic for all the networks of a job, kept in state.json: a resumed job goes on as it began.

fp32 and bf16 find slightly different keypoints and matches, so that features and matches of one job must not mix
them, whatever machine the job is resumed on. It is chosen when the features begin (`models.arithmetic` has the
table), stands in state.json as `arithmetic`, and enters the fingerprints of features and matches as the settings'
`precision`. A machine without fast bf16 can still go on in it, only slower.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .errors import UserError
from .files.whole_files import write_json
from .models import front_ends
from .settings import JobSettings
from .workspace import Workspace

KEY = "arithmetic"


def of_job(
    workspace: Workspace, settings: JobSettings, begins: Callable[[JobSettings], bool]
) -> tuple[JobSettings, dict[str, str] | None]:
    """The job with its precision settled, and `{"precision", "why"}`; None for a front-end that has no
    choice, such as SIFT.

    begins: whether the features of these settings would begin anew here, so that nothing binds the choice.
    Raises UserError where there is no such device, there are no weights, or the front-end has no such precision.
    """
    name = settings.features.front_end
    offered = front_ends.precisions(name)
    if not offered:
        return with_precision(settings, "auto"), None
    asked = settings.features.precision
    if asked not in ("auto", *offered):
        raise UserError(
            f"--features {name} has no --precision {asked}: use {' or '.join(offered)}, or auto.", 2
        )
    if asked != "auto":
        return with_precision(settings, asked), {"precision": asked, "why": "asked for"}
    kept = recorded(workspace)
    if kept is not None and not begins(found := with_precision(settings, kept["precision"])):
        return found, kept
    from .models.precision import choose_for  # loads torch

    networks = (front_ends.extractor_of(name), front_ends.matcher_of(name))
    chosen = choose_for(networks, settings.features.weights, settings.features.device)
    return with_precision(settings, chosen.precision), {"precision": chosen.precision, "why": chosen.why}


def with_precision(settings: JobSettings, precision: str) -> JobSettings:
    """The same job with the features and the matches in that precision."""
    features = replace(settings.features, precision=precision)
    return replace(settings, features=features, matches=replace(settings.matches, precision=precision))


def recorded(workspace: Workspace) -> dict[str, str] | None:
    """What state.json says that the job computes in; None where it does not, or holds something else."""
    value: Any = workspace.read_state().get(KEY)
    if not isinstance(value, dict) or value.get("precision") not in ("fp32", "bf16"):
        return None
    return {"precision": value["precision"], "why": str(value.get("why", ""))}


def record(workspace: Workspace, value: dict[str, str] | None) -> None:
    """Write it into state.json, or remove it."""
    if recorded(workspace) == value:
        return
    state = workspace.read_state()
    state.pop(KEY, None)
    if value is not None:
        state[KEY] = value
    write_json(workspace.state_file, state)
