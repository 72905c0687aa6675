"""COLMAP's SIFT and its matcher behind the interfaces of networks: each handles all photos or pairs in one call."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from .calls import pycolmap, run_cancellable
from .database import image_ids, import_photos, open_database, write_pairs
from .pair_blocks import Plan, blocks
from .row_counter import RowCounter

if TYPE_CHECKING:
    from ..models.network import ExtractionJob, MatchingJob, Names
    from ..workspace import Workspace

BLOCK = 32  # pairs of an item of work


class SiftExtractor:
    """device: "auto" and "cuda" use a GPU if this COLMAP can; max_size: longest side of the images it uses, pixels."""

    def __init__(self, device: str, max_keypoints: int, max_size: int) -> None:
        self.options = pycolmap.FeatureExtractionOptions()
        self.options.use_gpu = pycolmap.has_cuda and device in ("auto", "cuda")
        self.options.max_image_size = max_size
        self.options.sift.max_num_features = max_keypoints

    def remove_torn(self, job: ExtractionJob) -> bool:
        return False  # all its results are in the database

    def prepare(self, job: ExtractionJob) -> None:
        pass  # a photo's keypoints do not depend on the other photos

    def done(self, job: ExtractionJob) -> set[str]:
        with open_database(job.workspace.database) as database:
            return {name for name, image in image_ids(database).items() if database.exists_descriptors(image)}

    def extract_some(self, job: ExtractionJob, into: Workspace) -> None:
        """In a database on a local disk: SQLite and network drives do not go together."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / into.database.name
            import_photos(job.workspace, job.workspace.read_photos(), path, job.names)
            self._extract(job, path, lambda: None)
            shutil.copyfile(path, into.database)

    def extract(self, job: ExtractionJob) -> None:
        """COLMAP skips photos that are done."""
        database, total = job.workspace.database, len(job.names)
        with RowCounter(database, "keypoints") as counter:
            self._extract(job, database, lambda: job.progress.report(counter.rows, total, "finding features"))

    def _extract(self, job: ExtractionJob, path: Path, poll: Callable[[], None]) -> None:
        workspace, progress = job.workspace, job.progress
        reader = pycolmap.ImageReaderOptions()
        if workspace.masks.is_dir():
            reader.mask_path = workspace.masks
        run_cancellable(
            lambda token: pycolmap.extract_features(
                path,
                workspace.images,
                job.names,
                pycolmap.CameraMode.AUTO,
                reader,
                self.options,
                cancellation_token=token,
            ),
            progress,
            poll,
        )


class SiftMatcher:
    """device: as for the extractor."""

    def __init__(self, device: str) -> None:
        self.options = pycolmap.FeatureMatchingOptions()
        self.options.use_gpu = pycolmap.has_cuda and device in ("auto", "cuda")
        if not self.options.use_gpu:
            # When indexes of several photos are built concurrently, one occasionally is wrong and loses most matches.
            self.options.num_threads = 1

    def match(self, job: MatchingJob) -> None:
        """COLMAP matches and verifies in one call, keeping an index of each photo's descriptors meanwhile."""
        self._match(job, job.pairs, "two_view_geometries")

    def plan(self, job: MatchingJob) -> Plan:
        with open_database(job.workspace.database) as database:
            ids = image_ids(database)
            done = {(a, b) for a, b in job.pairs if database.exists_two_view_geometry(ids[a], ids[b])}
        return Plan("matches", blocks(job.workspace.pairs, job.pairs, BLOCK), done)

    def match_block(self, job: MatchingJob) -> None:
        self.match(job)

    def match_unverified(self, job: MatchingJob, pairs: list[Names]) -> None:
        """Match these pairs without verification."""
        self.options.skip_geometric_verification = True
        self._match(job, pairs, "matches")

    def _match(self, job: MatchingJob, pairs: list[Names], table: str) -> None:
        """table: where COLMAP writes a row for each pair."""
        listed = pycolmap.ImportedPairingOptions()
        listed.match_list_path = job.block_list
        write_pairs(job.block_list, pairs)
        database = job.workspace.database
        with RowCounter(database, table) as counter:
            run_cancellable(
                lambda token: pycolmap.match_image_pairs(
                    database, self.options, listed, job.verification, cancellation_token=token
                ),
                job.progress,
                lambda: job.progress.report(counter.rows, job.total, "matching"),
            )
