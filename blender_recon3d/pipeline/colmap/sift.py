"""COLMAP's SIFT and its matcher behind the interfaces of networks: each handles all photos or pairs in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .calls import pycolmap, run_cancellable
from .database import write_pairs
from .row_counter import RowCounter

if TYPE_CHECKING:
    from ..models.network import ExtractionJob, MatchingJob, Names


class SiftExtractor:
    """device: "auto" and "cuda" use a GPU if this COLMAP can; max_size: longest side of the images it uses, pixels."""

    def __init__(self, device: str, max_keypoints: int, max_size: int) -> None:
        self.options = pycolmap.FeatureExtractionOptions()
        self.options.use_gpu = pycolmap.has_cuda and device in ("auto", "cuda")
        self.options.max_image_size = max_size
        self.options.sift.max_num_features = max_keypoints

    def remove_torn(self, job: ExtractionJob) -> bool:
        return False  # all its results are in the database

    def extract(self, job: ExtractionJob) -> None:
        """COLMAP skips photos that are done."""
        workspace, progress = job.workspace, job.progress
        reader = pycolmap.ImageReaderOptions()
        if workspace.masks.is_dir():
            reader.mask_path = workspace.masks
        with RowCounter(workspace.database, "keypoints") as counter:
            run_cancellable(
                lambda token: pycolmap.extract_features(
                    workspace.database,
                    workspace.images,
                    job.names,
                    pycolmap.CameraMode.AUTO,
                    reader,
                    self.options,
                    cancellation_token=token,
                ),
                progress,
                lambda: progress.report(counter.rows, len(job.names), "finding features"),
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
