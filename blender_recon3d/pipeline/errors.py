"""Errors that the user can act on, and cancellation. Standard library only."""

from __future__ import annotations

from pathlib import Path

from .text import printable

# Run again; choose photos, or the results folder; run again at preview quality; show the log; set up the engine;
# add the network for masks to it.
REMEDIES = ("again", "photos", "results", "preview", "log", "engine", "mask network")


class Cancelled(Exception):
    """The user asked to stop; the workspace stays resumable."""


class Paused(Cancelled):
    """The user asked to pause: items in progress were finished first."""


class UserError(Exception):
    """A failure that the user can act on: one sentence with what failed, on which file, and what to do next.

    sentence: the same, a `wording.Sentence` if it names a setting or an action, so that the panel can reword it.
    exit_code: 1 when the work failed, 2 when the usage or the input is wrong. remedy: what a button beside the sentence
    should do, one of REMEDIES; empty for the default: choose other input after 2, try again after 1.
    """

    def __init__(self, message: str, exit_code: int = 1, remedy: str = "") -> None:
        super().__init__(message)
        self.sentence = message
        self.exit_code = exit_code
        self.remedy = remedy or ("photos" if exit_code == 2 else "again")
        self.reported = False  # whether it is in the event stream


class FileFormatError(UserError):
    """A file that is truncated, damaged or of another format than its name says. `path` is the file."""

    def __init__(self, path: Path, what: str) -> None:
        # Names in a damaged file may hold anything, including line breaks.
        super().__init__(printable(f"{path} cannot be read: {what}; make it again, or choose another file."))
        self.path = path
