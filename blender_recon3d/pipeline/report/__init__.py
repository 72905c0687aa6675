"""report.json and report.html: what was done, the results, and what went wrong.

`facts` collects the workspace's data, `thumbnails`, `graph`, `match_pictures` and `top_and_front` draw it, `page` puts
it together. Every part handles stages that have not run. A part that fails is reported on the page without affecting
the others, since a report must never make a run fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from ..documents.document_files import write_document
from ..documents.report_json import ReportDocument
from ..errors import Cancelled
from ..events import Progress
from ..files.atomic_files import atomic_file
from ..settings import JobSettings
from ..wording import RESUME, Sentence
from ..workspace import Workspace

Result = TypeVar("Result")


def write_report(workspace: Workspace, settings: JobSettings, progress: Progress) -> None:
    """Write both files atomically. Raises only Cancelled: failures become warnings."""
    failures: list[str] = []

    def attempt(what: str, make: Callable[[], Result], otherwise: Result) -> Result:
        try:
            return make()
        except Cancelled:
            raise
        except (
            Exception
        ) as error:  # with damaged files libraries may raise anything; the rest is still useful
            failures.append(f"{what}: {type(error).__name__}: {error}")
            return otherwise

    from .facts import collect

    progress.emit("progress", "writing the report")
    facts = collect(workspace, settings, attempt)
    content = attempt("The page", lambda: _page(workspace, facts, attempt), "")
    facts = replace(facts, report_failures=failures)
    if failures:
        progress.warning(f"The report is incomplete ({failures[0]}). The reconstruction itself is fine.")
    try:
        write_document(workspace.report_json, facts)
        if content:
            with atomic_file(workspace.report_html) as part:
                part.write_bytes(content.encode("utf-8", "replace"))
    except OSError as error:
        progress.warning(
            Sentence(
                f"The report {error.filename or workspace.root} could not be written "
                f"({error.strerror or error}): free some space and ",
                RESUME,
                "; finished work is kept.",
            )
        )
        return
    progress.emit("done", "written")


def _page(workspace: Workspace, facts: ReportDocument, attempt: Callable[..., Any]) -> str:
    from .graph import pair_graph
    from .match_pictures import match_pictures
    from .page import page
    from .thumbnails import thumbnails
    from .top_and_front import maps

    pictures = {
        "thumbnails": attempt("Thumbnails", lambda: thumbnails(workspace, facts.photos), {}),
        "graph": attempt("The pair graph", lambda: pair_graph(facts.photos, facts.pairs), None),
        "matches": attempt("Pictures of matches", lambda: match_pictures(workspace, facts.pairs), []),
        "maps": attempt("The maps", lambda: maps(workspace, facts), []),
    }
    return page(facts, pictures)
