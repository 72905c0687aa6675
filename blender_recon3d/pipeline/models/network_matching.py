"""The common part of networks that match: blocks of pairs, verified by COLMAP, in the database."""

from __future__ import annotations

import numpy as np

from ..colmap.calls import pycolmap, run_cancellable
from ..colmap.database import image_ids, open_database, pair_counts, write_pairs
from ..colmap.pair_blocks import Plan, blocks
from .arithmetic import slow_remark
from .encoded_photos import EncodedPhotos, MatchingNetwork
from .first_look import FirstLook, needed
from .network import MatchingJob, Names
from .parallel import prefetch

BLOCK = {"cpu": 8, "cuda": 32, "mps": 8}  # pairs at once; a kill can cost two such blocks
PHOTOS_PER_PAIR = (
    20  # of the capture, for each pair verified at once: reading their list then takes 0.5 ms a pair
)
NO_MATCHES = np.zeros((0, 2), np.uint32)  # of a pair that failed the first look

Found = tuple[list[Names], dict[Names, np.ndarray]]  # a block, and the matches of its new pairs


class NetworkMatcher:
    """precision: the setting, for a remark if it is slow here. first_keypoints: how many of the strongest decide
    whether a pair is matched with all of them; first_look: how many of their matches must agree. All pairs are matched
    with all keypoints if either is 0."""

    def __init__(
        self,
        network: MatchingNetwork,
        precision: str = "auto",
        first_keypoints: int = 0,
        first_look: int = 0,
    ) -> None:
        self.network = network
        self.precision = precision
        self.first_keypoints = first_keypoints
        self.first_look = first_look
        self._tools: tuple[EncodedPhotos, FirstLook | None] | None = None

    def plan(self, job: MatchingJob) -> Plan:
        _, matched = stored(job)
        done = verified(job)
        if self.first_keypoints and self.first_look:
            done |= {pair for pair, count in matched.items() if not count}  # failed the first look
        return Plan("matches", blocks(job.workspace.pairs, job.pairs, BLOCK[self.network.device.type]), done)

    def match_block(self, job: MatchingJob) -> None:
        """Pairs that fail the first look remain without verification, as in `match`."""
        ids, matched = stored(job)
        if self._tools is None:
            self._tools = EncodedPhotos(self.network, job.workspace), self.look(job)
        matches = _matched([pair for pair in job.pairs if pair not in matched], *self._tools)
        write_matches(job, ids, matches)
        verify(job, [pair for pair in job.pairs if matches.get(pair) is not NO_MATCHES])

    def match(self, job: MatchingJob) -> None:
        """Match a block of pairs while COLMAP verifies the previous block, which was written in one transaction.

        Pairs that fail the first look are written without matches, and verified last: until then, a resumed run
        recognizes them by that.
        """
        if remark := slow_remark(self.precision, self.network.device):
            job.progress.info(remark)
        ids, matched = stored(job)
        photos = EncodedPhotos(self.network, job.workspace)
        look = self.look(job)

        def match(block: list[Names]) -> Found:
            return block, _matched([pair for pair in block if pair not in matched], photos, look)

        done = job.total - len(job.pairs)
        size = BLOCK[self.network.device.type]
        failed = [pair for pair, count in matched.items() if not count] if look else []
        verifier = Verifier(job, len(ids))
        for block, matches in prefetch(
            match, blocks(job.workspace.pairs, set(job.pairs).difference(failed), size)
        ):
            write_matches(job, ids, matches)
            passed = [pair for pair in block if matches.get(pair) is not NO_MATCHES]
            failed += [pair for pair in block if pair not in passed]
            verifier.add(passed)
            done += len(passed)
            job.progress.update(done, job.total, "matching")
        verifier.finish()
        if look and failed:
            self._match_again(job, photos, ids, failed, look)

    def look(self, job: MatchingJob) -> FirstLook | None:
        """The first look at a job's pairs, if enabled."""
        if not self.first_keypoints or not self.first_look:
            return None
        return FirstLook(self.network, job.workspace, self.first_keypoints, self.first_look, job.verification)

    def _match_again(
        self,
        job: MatchingJob,
        photos: EncodedPhotos,
        ids: dict[str, int],
        failed: list[Names],
        look: FirstLook,
    ) -> None:
        """Match those pairs with all keypoints that the photos need although they failed the first look."""
        size = BLOCK[self.network.device.type]
        unknown = [pair for pair in failed if pair not in look.agreeing]  # from an earlier run
        for start in range(0, len(unknown), size):
            look.promising(unknown[start : start + size])
        again = needed(job.workspace, {pair: look.agreeing.get(pair, 0) for pair in failed})
        done = job.total - len(failed)
        parts = [again[start : start + size] for start in range(0, len(again), size)]
        for block, matches in prefetch(lambda block: (block, photos.match(block)), parts):
            write_matches(job, ids, matches)
            done += len(block)
            job.progress.update(done, job.total, "matching once more")
        verify(job, failed)
        job.progress.update(job.total, job.total, "matching")


def _matched(new: list[Names], photos: EncodedPhotos, look: FirstLook | None) -> dict[Names, np.ndarray]:
    """The matches of these pairs; NO_MATCHES of those that fail the first look."""
    return {**dict.fromkeys(new, NO_MATCHES), **photos.match(look.promising(new) if look else new)}


def verified(job: MatchingJob) -> set[Names]:
    """The job's pairs that have been verified."""
    with open_database(job.workspace.database) as database:
        ids = image_ids(database)
        return {(a, b) for a, b in job.pairs if database.exists_two_view_geometry(ids[a], ids[b])}


def stored(job: MatchingJob) -> tuple[dict[str, int], dict[Names, int]]:
    """The images' ids, and the number of matches of the job's pairs that have an entry in the database."""
    with open_database(job.workspace.database) as database:
        ids = image_ids(database)
        counts = {
            pair: number for pair, (number, _) in pair_counts(database).items()
        }  # of pairs with matches
        existing = [(a, b) for a, b in job.pairs if database.exists_matches(ids[a], ids[b])]
    return ids, {(a, b): counts.get((min(ids[a], ids[b]), max(ids[a], ids[b])), 0) for a, b in existing}


def write_matches(job: MatchingJob, ids: dict[str, int], matches_of: dict[Names, np.ndarray]) -> None:
    """Write matches in one transaction; existing ones of a pair are replaced."""
    with open_database(job.workspace.database) as database, pycolmap.DatabaseTransaction(database):
        for (a, b), matches in matches_of.items():
            if database.exists_matches(ids[a], ids[b]):
                database.delete_matches(ids[a], ids[b])
            database.write_matches(ids[a], ids[b], matches)


def verify(job: MatchingJob, pairs: list[Names]) -> None:
    """Verify pairs by COLMAP, which writes the results."""
    if not pairs:
        return
    write_pairs(job.block_list, pairs)
    run_cancellable(
        lambda token: pycolmap.verify_matches(
            job.workspace.database, job.block_list, job.verification, cancellation_token=token
        ),
        job.progress,
    )


class Verifier:
    """Verifies pairs by COLMAP, several blocks at a time where there are many photos: it reads their list each time.

    photos: their number. After a kill, the matches of pairs that were not verified are still there.
    """

    def __init__(self, job: MatchingJob, photos: int) -> None:
        self._job = job
        self._at_once = max(1, photos // PHOTOS_PER_PAIR)
        self._waiting: list[Names] = []

    def add(self, pairs: list[Names]) -> None:
        self._waiting += pairs
        if len(self._waiting) >= self._at_once:
            self.finish()

    def finish(self) -> None:
        """Verify the pairs that wait."""
        if self._waiting:
            verify(self._job, self._waiting)
        self._waiting = []
