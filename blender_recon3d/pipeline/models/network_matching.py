"""What every network that matches is used by: blocks of pairs, which COLMAP verifies, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import torch

from ..colmap.calls import pycolmap, run_cancellable
from ..colmap.database import image_ids, open_database, read_pairs, write_pairs
from .arithmetic import slow_remark
from .feature_files import feature_path, load_features
from .frontend import Features
from .network import MatchingJob, Names
from .parallel import in_parallel, prefetch

BLOCK = {"cpu": 8, "cuda": 32, "mps": 8}  # pairs at once; two such blocks are what a kill can cost
CACHED_PHOTOS = 48  # of 2 MB each; more than two tiles
TILE = 16  # photos


class MatchingNetwork(Protocol):
    """`matcher.Matcher` is one."""

    device: torch.device

    def encode(self, features: Features) -> Any:
        """What is computed once a photo, for all its pairs."""

    def match(self, pairs: Sequence[tuple[Any, Any]]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Of encoded photos: indices of matching keypoints, uint32 [M, 2], and their scores, float32 [M]."""


class NetworkMatcher:
    """precision: the setting, for a remark where it is slow here."""

    def __init__(self, network: MatchingNetwork, precision: str = "auto") -> None:
        self.network = network
        self.precision = precision

    def match(self, job: MatchingJob) -> None:
        """The network on a block of pairs while COLMAP verifies the block before, just written in one transaction."""
        path, device = job.workspace.database, self.network.device
        if remark := slow_remark(self.precision, device):
            job.progress.info(remark)
        with open_database(path) as database:
            ids = image_ids(database)
            matched = {(a, b) for a, b in job.pairs if database.exists_matches(ids[a], ids[b])}

        @lru_cache(maxsize=CACHED_PHOTOS)
        def encoded(name: str) -> Any:
            return self.network.encode(load_features(feature_path(job.workspace, name)))

        def match(block: list[Names]) -> tuple[list[Names], dict[Names, np.ndarray]]:
            if all(pair in matched for pair in block):
                return block, {}
            in_parallel(encoded, sorted({name for pair in block for name in pair}), device)
            found = self.network.match([(encoded(a), encoded(b)) for a, b in block])
            results = {pair: matches for pair, (matches, _) in zip(block, found, strict=True)}
            return block, {pair: matches for pair, matches in results.items() if pair not in matched}

        done = job.total - len(job.pairs)
        for block, found in prefetch(match, blocks(job, BLOCK[device.type])):
            with open_database(path) as database, pycolmap.DatabaseTransaction(database):
                for (a, b), matches in found.items():
                    database.write_matches(ids[a], ids[b], matches)
            write_pairs(job.block_list, block)
            run_cancellable(
                lambda token: pycolmap.verify_matches(
                    path, job.block_list, job.verification, cancellation_token=token
                ),
                job.progress,
            )
            done += len(block)
            job.progress.update(done, job.total, "matching")


def blocks(job: MatchingJob, size: int) -> list[list[Names]]:
    """What is left of each block of `size` pairs. They are cut from all pairs, so that a resumed run has the same."""
    left = set(job.pairs)
    pairs = by_tiles(read_pairs(job.workspace.pairs))
    cut = [pairs[start : start + size] for start in range(0, len(pairs), size)]
    return [block for whole in cut if (block := [pair for pair in whole if pair in left])]


def by_tiles(pairs: list[Names]) -> list[Names]:
    """The pairs in an order in which a photo that is met is soon met again, however many photos there are."""
    number = {name: index for index, name in enumerate(sorted({name for pair in pairs for name in pair}))}

    def key(pair: Names) -> tuple[int, ...]:
        first, second = number[pair[0]], number[pair[1]]
        return first // TILE, second // TILE, first, second

    return sorted(pairs, key=key)
