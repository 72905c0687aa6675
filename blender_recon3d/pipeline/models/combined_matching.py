"""SIFT on all pairs, and a network where SIFT finds too little.

The network's matches are added to SIFT's and verified together. SIFT's matches are as precise as ever; the network adds
pairs whose baseline is too wide for it. Where a photo has enough pairs of SIFT, most others have no overlap, so only
the most promising get the network. Which pairs exist is decided by retrieval in all but small captures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..colmap.database import image_ids, open_database, read_pairs
from ..colmap.pair_blocks import Plan, blocks
from ..colmap.sift import BLOCK as SIFT_BLOCK
from ..colmap.sift import SiftMatcher
from ..events import PartProgress
from .combined_extraction import sift_keypoints
from .encoded_photos import EncodedPhotos
from .first_look import FirstLook, needed
from .network import MatchingJob, Names
from .network_matching import BLOCK, NetworkMatcher, Verifier, stored, verified, verify, write_matches
from .parallel import prefetch

SIFT_SUFFICES = 100  # matches of SIFT; unrelated pairs have some 20 by chance
MIN_STRONG = 4  # strong pairs that a photo needs for tracks through several photos
MAX_WEAK = 5  # other pairs of a photo that the network tries if the photo has enough strong ones


class CombinedMatcher:
    def __init__(self, sift: SiftMatcher, network: NetworkMatcher) -> None:
        self.sift = sift
        self.network = network
        self._tools: _Tools | None = None

    def plan(self, job: MatchingJob) -> Plan:
        """SIFT's matches of all pairs first: they decide which pairs the network gets."""
        _, matched = stored(job)
        if len(matched) < len(job.pairs):
            return Plan("sift", blocks(job.workspace.pairs, job.pairs, SIFT_BLOCK), set(matched))
        size = BLOCK[self.network.network.device.type]
        return Plan("network", blocks(job.workspace.pairs, job.pairs, size), verified(job))

    def match_block(self, job: MatchingJob) -> None:
        """Pairs that fail the network's first look remain without verification, as in `match`."""
        ids, matched = stored(job)
        if new := [pair for pair in job.pairs if pair not in matched]:
            self.sift.match_unverified(job, new)
            return
        if self._tools is None:
            self._tools = _Tools(self.network, job, ids)
        _, lost, matches = self._tools.match(job.pairs)
        write_matches(job, ids, matches)
        verify(job, [pair for pair in job.pairs if pair not in lost])

    def match(self, job: MatchingJob) -> None:
        """Pairs that fail the network's first look are verified last: until then a resumed run examines them again."""
        first, second = (PartProgress(job.progress, start, 2 * job.total) for start in (0, job.total))
        ids = self._match_sift(replace(job, progress=first))
        job = replace(job, progress=second)
        tools = _Tools(self.network, job, ids)
        size = BLOCK[self.network.network.device.type]
        done, failed = job.total - len(tools.weak.intersection(job.pairs)), []  # the others take no time
        verifier = Verifier(job, len(ids))
        for block, lost, matches in prefetch(tools.match, blocks(job.workspace.pairs, job.pairs, size)):
            write_matches(job, ids, matches)
            failed += lost
            verifier.add([pair for pair in block if pair not in lost])
            done += len(tools.weak.intersection(block)) - len(lost)
            job.progress.update(done, job.total, "matching")
        verifier.finish()
        if not tools.look or not failed:
            return
        again = needed(job.workspace, {pair: tools.look.agreeing[pair] for pair in failed})
        parts = [again[start : start + size] for start in range(0, len(again), size)]
        for block, matches in prefetch(lambda part: (part, tools.added(part)), parts):
            write_matches(job, ids, matches)
            done += len(block)
            job.progress.update(done, job.total, "matching once more")
        verify(job, failed)
        job.progress.update(job.total, job.total, "matching")

    def _match_sift(self, job: MatchingJob) -> dict[str, int]:
        with open_database(job.workspace.database) as database:
            ids = image_ids(database)
            new = [(a, b) for a, b in job.pairs if not database.exists_matches(ids[a], ids[b])]
        if new:
            self.sift.match_unverified(job, new)
        return ids


class _Tools:
    """What the network needs to add to SIFT's matches, which all pairs of the job have."""

    def __init__(self, network: NetworkMatcher, job: MatchingJob, ids: dict[str, int]) -> None:
        self._sift = SiftMatches(job, ids)
        self.weak = self._sift.weak()
        self._photos = EncodedPhotos(network.network, job.workspace)
        self.look: FirstLook | None = network.look(job)

    def added(self, pairs: list[Names]) -> dict[Names, np.ndarray]:
        """SIFT's matches and the network's, of the pairs that have not got the network's yet."""
        new = self._photos.match([pair for pair in pairs if not self._sift.has_more(pair)])
        return {pair: self._sift.joined(pair, matches) for pair, matches in new.items()}

    def match(self, block: list[Names]) -> tuple[list[Names], list[Names], dict[Names, np.ndarray]]:
        """The block, its pairs that fail the first look, and the matches of those that get the network's."""
        tried = [pair for pair in block if pair in self.weak]
        good = self.look.promising(tried) if self.look else tried
        return block, [pair for pair in tried if pair not in good], self.added(good)


class SiftMatches:
    """SIFT's matches of all pairs in the database, which may already include some of the network's."""

    def __init__(self, job: MatchingJob, ids: dict[str, int]) -> None:
        pairs = read_pairs(job.workspace.pairs)
        with open_database(job.workspace.database) as database:
            self._counts = {name: sift_keypoints(database, image) for name, image in ids.items()}
            self._matches = {(a, b): _read(database, ids[a], ids[b]) for a, b in pairs}

    def weak(self) -> set[Names]:
        """The pairs for the network."""
        return weak_pairs({pair: len(self.own(pair)) for pair in self._matches})

    def own(self, pair: Names) -> np.ndarray:
        """SIFT's matches, uint32 [M, 2]."""
        matches = self._matches[pair]
        return matches[matches[:, 0] < self._counts[pair[0]]]

    def has_more(self, pair: Names) -> bool:
        """Whether the network's matches are included already."""
        return len(self.own(pair)) < len(self._matches[pair])

    def joined(self, pair: Names, matches: np.ndarray) -> np.ndarray:
        """SIFT's matches and these of the network, whose keypoints follow SIFT's."""
        offset = np.array([self._counts[name] for name in pair], np.uint32)
        return np.concatenate([self.own(pair), matches + offset]).astype(np.uint32)


def weak_pairs(counts: Mapping[Names, int]) -> set[Names]:
    """The pairs in which SIFT finds too little: all of a photo with too few strong pairs, and of the others those that
    are not strong themselves but have a photo's most matches, which tell of an overlap even where they are few.

    counts: the number of SIFT's matches of every pair.
    """
    links = Counter(name for pair, count in counts.items() if count >= SIFT_SUFFICES for name in pair)
    weak = {pair for pair in counts if min(links[name] for name in pair) < MIN_STRONG}
    tried: Counter[str] = Counter()
    for pair in sorted(counts, key=lambda pair: (-counts[pair], pair)):
        if counts[pair] < SIFT_SUFFICES:
            if min(tried[name] for name in pair) < MAX_WEAK:
                weak.add(pair)
            tried.update(pair)
    return weak


def _read(database: Any, first: int, second: int) -> np.ndarray:
    if not database.exists_matches(first, second):
        return np.zeros((0, 2), np.uint32)
    return np.asarray(database.read_matches(first, second), np.uint32).reshape(-1, 2)
