"""`recon3d pause` and `api.pause`: pauses the run in a workspace, from any process. Standard library only.

The run finishes the photos or pairs it is working on, keeps them, and its processes end, which frees memory and
graphics card. The request is a file that remains until the run is resumed, so that everybody knows it is paused.
"""

from __future__ import annotations

import time

from .claim import is_ours
from .errors import UserError
from .events import read_events
from .wording import OTHER_FOLDER, Sentence
from .workspace import Workspace

LONGEST = 150.0  # seconds: a run ends its item, or itself, within two minutes
_STEP = 0.1  # seconds


def pause(workspace: Workspace, patience: float = LONGEST) -> bool:
    """Pause the run in progress and wait until it has ended; False if it ended by itself before.

    UserError (2) if the folder is not a workspace or no run is in progress there; or if it does not end in time.
    """
    if not workspace.root.is_dir() or not is_ours(workspace):
        raise UserError(Sentence(f"{workspace.root} is not a Recon3D workspace: ", OTHER_FOLDER, "."), 2)
    if workspace.lock_owner() is None:
        raise UserError(Sentence(f"No run is in progress in {workspace.root}: ", OTHER_FOLDER, "."), 2)
    end = time.monotonic() + patience
    while workspace.lock_owner() is not None:
        if time.monotonic() > end:
            raise UserError(
                f"The run in {workspace.root} has not paused within {patience:.0f} s: cancel it; finished work is kept."
            )
        # Again and again: a run that has just begun clears old requests, and may have cleared this one.
        workspace.request_pause()
        time.sleep(_STEP)
    if ended_by_pause(workspace):
        return True
    workspace.clear_pause()  # the run had ended meanwhile
    return False


def ended_by_pause(workspace: Workspace) -> bool:
    """Whether a pause was the end of the last run."""
    events, _ = read_events(workspace.events)
    last = next((event for event in reversed(events) if event.stage == "job"), None)
    return last is not None and last.kind == "error" and last.data.get("paused") is True
