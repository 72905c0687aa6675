"""Matches listed pairs into a database and verifies them, without the matches of a stationary background."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..colmap.database import image_ids, open_database
from ..events import Progress
from ..files.atomic_files import remove
from ..matching.still_background import NOTE, stands_still, verify_what_moves
from ..workspace import Workspace
from .network import Matcher, MatchingJob, Names


def match_listed(
    workspace: Workspace,
    pairs: list[Names],
    matcher: Matcher,
    verification: Any,
    block_list: Path,
    progress: Progress,
) -> bool:
    """Returns whether the background is stationary. verification: COLMAP's TwoViewGeometryOptions; block_list: a
    temporary file. Pairs that an earlier run has finished are skipped."""
    todo = _unverified(workspace.database, pairs)
    progress.update(len(pairs) - len(todo), len(pairs), "matching")
    try:
        if todo:
            matcher.match(MatchingJob(workspace, todo, len(pairs), block_list, verification, progress))
        if still := stands_still(workspace.database):
            progress.info(NOTE)
            verify_what_moves(workspace.database, pairs, block_list, verification, progress)
    finally:
        remove(block_list)
    return still


def _unverified(path: Path, pairs: list[Names]) -> list[Names]:
    with open_database(path) as database:
        ids = image_ids(database)
        return [(a, b) for a, b in pairs if not database.exists_two_view_geometry(ids[a], ids[b])]
