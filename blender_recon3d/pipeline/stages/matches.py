"""Matches of the listed pairs, geometrically verified, in database.db."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..alignments.project_files import has_tracks
from ..events import Progress
from ..job_forecast import Facts
from ..models.front_ends import matcher_of, weights_identity
from ..stage import Stage
from ..stage_settings import MatchesSettings
from ..workspace import Workspace, remove_database

if TYPE_CHECKING:
    from ..work_items import Items


def inputs(workspace: Workspace, settings: MatchesSettings) -> Any:
    return weights_identity(matcher_of(settings.front_end), settings.weights)


def take_out(workspace: Workspace) -> None:
    """Remove the matches from the database, whose features remain."""
    from ..colmap.database import open_database

    if not workspace.database.exists():
        return
    try:
        with open_database(workspace.database) as database:
            database.clear_matches()
            database.clear_two_view_geometries()
    except (
        RuntimeError,
        ValueError,
    ):  # too damaged to open: the features are then missing, and computed again
        remove_database(workspace.database)


def take_back(workspace: Workspace, names: Mapping[str, str], progress: Progress) -> None:
    from ..colmap.database_check import database_problem
    from ..colmap.earlier_database import take_matches
    from ..matching.still_background import stands_still

    earlier = Workspace(workspace.earlier).database
    if not earlier.exists() or database_problem(earlier):
        return
    # Before a background that stands still, which matches count depends on all pairs.
    if count := take_matches(workspace, names, not stands_still(earlier)):
        progress.info(f"The matches of {count} pairs are kept from before.")


def forecast(facts: Facts) -> float:
    network = matcher_of(facts.settings.of(MatchesSettings).front_end)
    return network.effort * facts.keypoints**network.growth * facts.pairs


def run(workspace: Workspace, settings: MatchesSettings, progress: Progress) -> dict[str, Any]:
    from ..colmap.database import read_pairs
    from ..models.match_listed import match_listed

    pairs = read_pairs(workspace.pairs)
    matcher = matcher_of(settings.front_end).open(settings)
    block_list = workspace.pairs.with_name("pairs.block.txt")
    still = match_listed(workspace, pairs, matcher, _verification(settings), block_list, progress)
    return {**_summary(workspace, len(pairs), progress), "still_background": still}


def items(workspace: Workspace, settings: MatchesSettings, progress: Progress) -> Items:
    from ..models.feature_items import MatchItems

    network = matcher_of(settings.front_end)
    return MatchItems(workspace, lambda: network.open(settings), _verification(settings), progress)


def _verification(settings: MatchesSettings) -> Any:
    """COLMAP's TwoViewGeometryOptions."""
    from ..colmap.calls import pycolmap

    network = matcher_of(settings.front_end)
    verification = pycolmap.TwoViewGeometryOptions()
    verification.min_num_inliers = settings.min_inliers or network.min_inliers
    verification.ransac.max_error = settings.max_error or network.max_error
    # Seeded for each pair, so that neither the number of threads nor a resumed run changes the result.
    verification.ransac.random_seed = settings.seed
    return verification


def _summary(workspace: Workspace, pairs: int, progress: Progress) -> dict[str, Any]:
    from ..colmap.database import open_database, pair_counts

    with open_database(workspace.database) as database:
        counts = pair_counts(database)
    verified = sum(1 for _, inliers in counts.values() if inliers)
    total = sum(inliers for _, inliers in counts.values())
    if not verified:
        progress.warning(
            "No two photos have enough matches: take photos with two thirds overlap, of a textured subject."
        )
    message = f"{verified} of {pairs} pairs verified, {total} matches"
    return {"message": message, "pairs": pairs, "verified": verified, "matches": total}


STAGE = Stage(
    name="matches",
    title="Matching photos",
    makes="Matches",
    version=1,
    needs=("pairs", "features"),
    settings=MatchesSettings,
    not_in_fingerprint_as={"precision": "auto"},  # for SIFT; for networks it is decided before
    inputs=inputs,
    run=run,
    leaves=lambda workspace: (workspace.database,),
    left_out=lambda settings: has_tracks(settings.alignment),
    forecast=forecast,
    inside="features",
    take_out=take_out,
    take_back=take_back,
    items=items,
)
