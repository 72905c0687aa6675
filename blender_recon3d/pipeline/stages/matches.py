"""Matches of the listed pairs, geometrically verified, in database.db."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..colmap import pycolmap, run_cancellable
from ..database import image_ids, open_database, pair_counts, read_pairs, write_pairs
from ..events import Progress
from ..row_counter import RowCounter
from ..settings import MatchesSettings
from ..workspace import Workspace, remove

Names = tuple[str, str]
MatchBlock = Callable[[list[Names], Path, Any, Progress], None]

BLOCK = 4  # pairs SuperGlue matches between two writes to the database: what a kill can cost


def inputs(workspace: Workspace, settings: MatchesSettings) -> Any:
    if settings.features == "sift":
        return ""
    from ..models.registry import identity

    return identity("superglue", settings.weights)


def outputs(workspace: Workspace) -> list[Path]:
    return [workspace.database]


def reset(workspace: Workspace) -> None:
    if workspace.database.exists():
        with open_database(workspace.database) as database:
            database.clear_matches()
            database.clear_two_view_geometries()


def run(workspace: Workspace, settings: MatchesSettings, progress: Progress) -> dict[str, Any]:
    pairs = read_pairs(workspace.pairs)
    verification = pycolmap.TwoViewGeometryOptions()
    verification.min_num_inliers = settings.min_inliers
    verification.ransac.max_error = settings.max_error
    # Seeded for each pair, so that neither the number of threads nor a resumed run changes the result.
    verification.ransac.random_seed = settings.seed
    match = (_sift if settings.features == "sift" else _learned)(workspace, settings)
    # COLMAP keeps an index of each photo's descriptors for as long as a call lasts; SuperGlue has no such thing.
    size = len(pairs) if settings.features == "sift" else BLOCK
    block_list = workspace.pairs.with_name("pairs.block.txt")
    progress.update(0, len(pairs), "matching")
    try:
        for start in range(0, len(pairs), max(size, 1)):
            block = pairs[start : start + size]
            todo = _unverified(workspace, block)
            if todo:
                write_pairs(block_list, todo)
                match(todo, block_list, verification, progress)
            progress.update(start + len(block), len(pairs), "matching")
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


def _sift(workspace: Workspace, settings: MatchesSettings) -> MatchBlock:
    """COLMAP matches and verifies in one call."""
    options = pycolmap.FeatureMatchingOptions()
    options.use_gpu = pycolmap.has_cuda and settings.device in ("auto", "cuda")

    def match(pairs: list[Names], block_list: Path, verification: Any, progress: Progress) -> None:
        listed = pycolmap.ImportedPairingOptions()
        listed.match_list_path = block_list
        total = len(read_pairs(workspace.pairs))
        with RowCounter(workspace.database, "two_view_geometries") as counter:
            run_cancellable(
                lambda token: pycolmap.match_image_pairs(
                    workspace.database, options, listed, verification, cancellation_token=token
                ),
                progress,
                lambda: progress.counted(counter.rows, total, "matching"),
            )

    return match


def _learned(workspace: Workspace, settings: MatchesSettings) -> MatchBlock:
    """SuperGlue, the matches in one transaction, then COLMAP's verification of just these pairs."""
    from ..feature_files import feature_cache
    from ..models.frontend import Matcher

    matcher = Matcher(settings.weights, settings.device, threshold=settings.match_threshold)
    load = feature_cache(workspace)

    def match(pairs: list[Names], block_list: Path, verification: Any, progress: Progress) -> None:
        with open_database(workspace.database) as database:
            ids = image_ids(database)
            todo = [(a, b) for a, b in pairs if not database.exists_matches(ids[a], ids[b])]
            found = matcher.match([(load(a), load(b)) for a, b in todo]) if todo else []
            with pycolmap.DatabaseTransaction(database):
                for (a, b), (matches, _) in zip(todo, found, strict=True):
                    database.write_matches(ids[a], ids[b], matches)
        run_cancellable(
            lambda token: pycolmap.verify_matches(
                workspace.database, block_list, verification, cancellation_token=token
            ),
            progress,
        )

    return match
