"""`recon3d weights list|fetch`: list available weights with their licenses, and download them."""

from __future__ import annotations

import shutil
import sys
from typing import Any

from ..documents.answers_json import FetchedAnswer, WeightsAnswer
from ..errors import UserError
from ..events import Progress
from ..models.fetch import fetch
from ..models.registry import list_weights
from ..text import printable
from .answers import print_answer
from .console import Console

UNFOLDED = 10_000  # columns if the output is a file or a pipe
HEAD = ("name", "set", "commercial use", "license", "where")


def main(action: str, name: str | None, accept_license: bool, as_json: bool) -> int:
    """Run the command; returns 0. Raises UserError, with exit code 2 if the license was not accepted."""
    if action == "list":
        if name:
            raise UserError(f"recon3d weights list takes no name: remove {name}.", 2)
        return _list(as_json)
    if not name:
        known = ", ".join(row["name"] for row in list_weights() if row["url"])
        raise UserError(f"Name the weights to fetch: recon3d weights fetch NAME, with one of {known}.", 2)
    progress = Progress(Console(sys.stderr), stage="weights")
    path = fetch(name, accept_license, progress)
    if as_json:
        print_answer(FetchedAnswer(name=name, path=str(path)))
    else:
        sys.stdout.write(printable(f"{name} is in {path}.") + "\n")
    return 0


def _list(as_json: bool) -> int:
    rows = list_weights()
    if as_json:
        print_answer(WeightsAnswer(weights=[_american(row) for row in rows]))
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
    sys.stdout.write("".join(f"{line}\n" for line in _lines(cells)))
    return 0


def _american(row: dict[str, Any]) -> dict[str, Any]:
    return {"license" if name == "licence" else name: value for name, value in row.items()}


def _lines(cells: list[tuple[str, ...]]) -> list[str]:
    """A table if it fits the terminal, otherwise an entry with a line for each column."""
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    columns = shutil.get_terminal_size((UNFOLDED, 24)).columns
    if sum(widths) + 2 * len(widths) <= columns:
        texts = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells
        ]
        return [printable(text.rstrip()) for text in texts]
    lines = []
    for line in cells[1:]:
        lines.append(printable(line[0]))
        lines += [printable(f"  {name}: {cell}") for name, cell in zip(HEAD[1:], line[1:], strict=True)]
    return lines
