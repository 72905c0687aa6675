"""`recon3d weights list|fetch`: which weights there are, under which license, and getting them."""

from __future__ import annotations

import json
import sys

from ..errors import UserError
from ..events import Progress
from ..models.fetch import fetch
from ..models.registry import list_weights
from ..text import printable
from .console import Console

HEAD = ("name", "set", "commercial use", "license", "where")


def main(action: str, name: str | None, accept_license: bool, as_json: bool) -> int:
    """Carry out the command; 0 when done. Raises UserError, with exit code 2 for an unaccepted license."""
    if action == "list":
        if name:
            raise UserError(f"recon3d weights list takes no name ({name}): leave it out.", 2)
        return _list(as_json)
    if not name:
        known = ", ".join(row["name"] for row in list_weights() if row["url"])
        raise UserError(f"No weights are named: recon3d weights fetch NAME, with one of {known}.", 2)
    progress = Progress(Console(sys.stderr), stage="weights")
    path = fetch(name, accept_license, progress)
    answer = json.dumps({"name": name, "path": str(path)}) if as_json else printable(f"{name} is in {path}.")
    sys.stdout.write(answer + "\n")
    return 0


def _list(as_json: bool) -> int:
    rows = list_weights()
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return 0
    cells = [HEAD] + [
        (
            row["name"],
            row["set"],
            "yes" if row["commercial"] else "NO",
            row["licence"],
            row["where"] or ("not here: recon3d weights fetch " + row["name"] if row["url"] else "not here"),
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    for line in cells:
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write(printable(text.rstrip()) + "\n")
    return 0
