"""Matches of the listed pairs, geometrically verified, in database.db."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..colmap.calls import pycolmap, run_cancellable
from ..colmap.database import image_ids, open_database, pair_counts, read_pairs, write_pairs
from ..colmap.row_counter import RowCounter
from ..events import Progress
from ..files.whole_files import remove
from ..settings import MatchesSettings
from ..workspace import Workspace, remove_database

Names = tuple[str, str]


@dataclass(frozen=True)
class Work:
    """pairs: those still to match, of `total`; block_list: a file that COLMAP reads pairs from."""

    workspace: Workspace
    settings: MatchesSettings
    pairs: list[Names]
    total: int
    block_list: Path
    verification: pycolmap.TwoViewGeometryOptions
    progress: Progress


BLOCK = {"cpu": 8, "cuda": 32, "mps": 8}  # pairs at once; two such blocks are what a kill can cost
# SuperGlue answers for photos that share nothing too: of its hundreds of wrong matches some 20 fit an epipolar
# geometry by chance, where SIFT's few do not reach 15.
LEAST_INLIERS = {"sift": 15, "learned": 30}
CACHED_PHOTOS = 48  # of 2 MB each; more than two tiles
TILE = 16  # photos


def inputs(workspace: Workspace, settings: MatchesSettings) -> Any:
    if settings.features == "sift":
        return ""
    from ..models.registry import identity

    return identity("superglue", settings.weights)


def reset(workspace: Workspace) -> None:
    if not workspace.database.exists():
        return
    try:
        with open_database(workspace.database) as database:
            database.clear_matches()
            database.clear_two_view_geometries()
    except (
        RuntimeError,
        ValueError,
    ):  # too damaged to be opened: the features are found missing, and made again
        remove_database(workspace.database)


def run(workspace: Workspace, settings: MatchesSettings, progress: Progress) -> dict[str, Any]:
    pairs = read_pairs(workspace.pairs)
    verification = pycolmap.TwoViewGeometryOptions()
    verification.min_num_inliers = settings.min_inliers or LEAST_INLIERS[settings.features]
    verification.ransac.max_error = settings.max_error
    # Seeded for each pair, so that neither the number of threads nor a resumed run changes the result.
    verification.ransac.random_seed = settings.seed
    todo = _unverified(workspace, pairs)
    block_list = workspace.pairs.with_name("pairs.block.txt")
    progress.update(len(pairs) - len(todo), len(pairs), "matching")
    try:
        if todo:
            work = Work(workspace, settings, todo, len(pairs), block_list, verification, progress)
            _sift(work) if settings.features == "sift" else _learned(work)
    finally:
        remove(block_list)
    return _summary(workspace, len(pairs), progress)


def _unverified(workspace: Workspace, pairs: list[Names]) -> list[Names]:
    """Those that no run before this one has finished."""
    with open_database(workspace.database) as database:
        ids = image_ids(database)
        return [(a, b) for a, b in pairs if not database.exists_two_view_geometry(ids[a], ids[b])]


def _summary(workspace: Workspace, pairs: int, progress: Progress) -> dict[str, Any]:
    with open_database(workspace.database) as database:
        counts = pair_counts(database)
    verified = sum(1 for _, inliers in counts.values() if inliers)
    total = sum(inliers for _, inliers in counts.values())
    if not verified:
        progress.warning(
            "No two photos have enough matches: take photos that overlap by two thirds, of a subject with texture."
        )
    message = f"{verified} of {pairs} pairs verified, {total} matches"
    return {"message": message, "pairs": pairs, "verified": verified, "matches": total}


def _sift(work: Work) -> None:
    """COLMAP matches and verifies in one call, with an index of each photo's descriptors for as long."""
    options = pycolmap.FeatureMatchingOptions()
    options.use_gpu = pycolmap.has_cuda and work.settings.device in ("auto", "cuda")
    listed = pycolmap.ImportedPairingOptions()
    listed.match_list_path = work.block_list
    write_pairs(work.block_list, work.pairs)
    database = work.workspace.database
    with RowCounter(database, "two_view_geometries") as counter:
        run_cancellable(
            lambda token: pycolmap.match_image_pairs(
                database, options, listed, work.verification, cancellation_token=token
            ),
            work.progress,
            lambda: work.progress.counted(counter.rows, work.total, "matching"),
        )


def _learned(work: Work) -> None:
    """SuperGlue on a block of pairs while COLMAP verifies the block before, just written in one transaction."""
    from ..matching.feature_files import feature_path, load_features
    from ..models.arithmetic import slow_remark, wanted
    from ..models.frontend import Encoded, Matcher
    from ..models.parallel import ahead, side_by_side

    settings, path = work.settings, work.workspace.database
    precision = wanted(settings.precision)
    matcher = Matcher(settings.weights, settings.device, settings.match_threshold, precision)
    if remark := slow_remark(settings.precision, matcher.device):
        work.progress.info(remark)
    with open_database(path) as database:
        ids = image_ids(database)
        matched = {(a, b) for a, b in work.pairs if database.exists_matches(ids[a], ids[b])}

    @lru_cache(maxsize=CACHED_PHOTOS)
    def encoded(name: str) -> Encoded:
        return matcher.encode(load_features(feature_path(work.workspace, name)))

    def match(block: list[Names]) -> tuple[list[Names], dict[Names, np.ndarray]]:
        if all(pair in matched for pair in block):
            return block, {}
        side_by_side(encoded, sorted({name for pair in block for name in pair}), matcher.device)
        found = matcher.match([(encoded(a), encoded(b)) for a, b in block])
        results = {pair: matches for pair, (matches, _) in zip(block, found, strict=True)}
        return block, {pair: matches for pair, matches in results.items() if pair not in matched}

    done = work.total - len(work.pairs)
    for block, found in ahead(match, blocks(work, BLOCK[matcher.device.type])):
        with open_database(path) as database, pycolmap.DatabaseTransaction(database):
            for (a, b), matches in found.items():
                database.write_matches(ids[a], ids[b], matches)
        write_pairs(work.block_list, block)
        run_cancellable(
            lambda token: pycolmap.verify_matches(
                path, work.block_list, work.verification, cancellation_token=token
            ),
            work.progress,
        )
        done += len(block)
        work.progress.update(done, work.total, "matching")


def blocks(work: Work, size: int) -> list[list[Names]]:
    """What is left of each block of `size` pairs. They are cut from all pairs, so that a resumed run has the same."""
    left = set(work.pairs)
    pairs = by_tiles(read_pairs(work.workspace.pairs))
    cut = [pairs[start : start + size] for start in range(0, len(pairs), size)]
    return [block for whole in cut if (block := [pair for pair in whole if pair in left])]


def by_tiles(pairs: list[Names]) -> list[Names]:
    """The pairs in an order in which a photo that is met is soon met again, however many photos there are."""
    number = {name: index for index, name in enumerate(sorted({name for pair in pairs for name in pair}))}

    def key(pair: Names) -> tuple[int, ...]:
        first, second = number[pair[0]], number[pair[1]]
        return first // TILE, second // TILE, first, second

    return sorted(pairs, key=key)
