"""Features and matches in items of work (`..work_items`): batches of photos, and blocks of pairs."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..colmap.database import read_pairs
from ..colmap.item_rows import take_pairs
from ..events import Progress
from ..workspace import Workspace
from .network import ExtractionJob, Extractor, Matcher, MatchingJob
from .network_extraction import BATCH


class FeatureItems:
    """A batch of photos is an item. job: of all photos."""

    step, message = "features", "finding features"

    def __init__(self, job: ExtractionJob, extractor: Extractor) -> None:
        self._job, self._extractor = job, extractor
        self._done = extractor.done(job)
        self._batches = [job.names[start : start + BATCH] for start in range(0, len(job.names), BATCH)]
        self.count = len(self._batches)

    def has(self, item: int) -> bool:
        return self._done.issuperset(self._batches[item])

    def do(self, item: int, into: Workspace, progress: Progress) -> None:
        job = replace(self._job, names=self._batches[item], progress=progress.within_item())
        self._extractor.extract_some(job, into)


class MatchItems:
    """A block of pairs is an item. It is matched in a copy of the database on a local disk: SQLite is not made for
    several machines. verification: COLMAP's TwoViewGeometryOptions."""

    message = "matching"

    def __init__(
        self, workspace: Workspace, open_matcher: Callable[[], Matcher], verification: Any, progress: Progress
    ) -> None:
        self._folder = TemporaryDirectory(prefix="recon3d-", ignore_cleanup_errors=True)
        local = Path(self._folder.name)
        self._view = copy.copy(workspace)
        self._view.database = local / workspace.database.name
        shutil.copyfile(workspace.database, self._view.database)
        self._block_list, self._verification = local / "pairs.txt", verification
        self._pairs = read_pairs(workspace.pairs)
        self._matcher = open_matcher()
        self._plan = self._matcher.plan(self._job(self._pairs, progress))
        self.step, self.count = self._plan.step, len(self._plan.blocks)

    def _job(self, pairs: list[tuple[str, str]], progress: Progress) -> MatchingJob:
        return MatchingJob(
            self._view, pairs, len(self._pairs), self._block_list, self._verification, progress
        )

    def has(self, item: int) -> bool:
        return self._plan.done.issuperset(self._plan.blocks[item])

    def do(self, item: int, into: Workspace, progress: Progress) -> None:
        remaining = [pair for pair in self._plan.blocks[item] if pair not in self._plan.done]
        self._matcher.match_block(self._job(remaining, progress.within_item()))
        take_pairs(self._view.database, remaining, into)
