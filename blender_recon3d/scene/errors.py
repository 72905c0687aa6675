"""The error of a file whose content is not what it should be."""

from __future__ import annotations

from pathlib import Path

from ..pipeline.events import UserError


class FileFormatError(UserError):
    """A file that is cut short, damaged, or something else than its name says. `path` is the file."""

    def __init__(self, path: Path, what: str) -> None:
        sentence = f"{path} cannot be imported: {what}; run the reconstruction again or choose another."
        # Names out of a damaged file may hold anything, line ends among it.
        super().__init__("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in sentence))
        self.path = path
