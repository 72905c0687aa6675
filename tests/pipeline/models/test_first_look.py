"""A few keypoints decide whether a pair is matched with all of them, without losing a photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the engine's environment has torch; Blender's has not")

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.database import image_ids, open_database, pair_counts, read_pairs
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.models import first_look
from blender_recon3d.pipeline.models.network import MatchingJob
from blender_recon3d.pipeline.models.network_matching import NetworkMatcher
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.known_matches import NearestNeighbors, known_workspace

FIRST = 60


class Stopped(Exception):
    pass


def made(root: Path) -> Workspace:
    """Three photos of the same; `shy.jpg` shows it too, by keypoints that are not among its strongest; `other.jpg`
    shows something else."""
    shared, alone = np.arange(150), np.arange(10_000, 10_100)
    seen = {"a.jpg": shared, "b.jpg": shared, "c.jpg": shared, "other.jpg": np.arange(10_000, 10_150)}
    return known_workspace(Workspace(root), {**seen, "shy.jpg": np.r_[alone, shared[:100]]})


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return made(tmp_path / "w")


def run(
    workspace: Workspace, network: NearestNeighbors, first: int = FIRST, progress: Progress | None = None
) -> None:
    verification = pycolmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = 0
    block_list = workspace.pairs.with_name("block.txt")
    total = len(read_pairs(workspace.pairs))
    job = MatchingJob(workspace, left(workspace), total, block_list, verification, progress or Progress())
    NetworkMatcher(network, "fp32", first, 8).match(job)


def left(workspace: Workspace) -> list[tuple[str, str]]:
    """Pairs without verified matches."""
    with open_database(workspace.database) as database:
        ids = image_ids(database)
        pairs = read_pairs(workspace.pairs)
        return [(a, b) for a, b in pairs if not database.exists_two_view_geometry(ids[a], ids[b])]


def counts(workspace: Workspace) -> dict[tuple[str, str], tuple[int, int]]:
    with open_database(workspace.database) as database:
        names = {number: name for name, number in image_ids(database).items()}
        return {(names[a], names[b]): count for (a, b), count in pair_counts(database).items()}


def test_pairs_that_fail_are_not_matched_with_all_keypoints(workspace):
    network = NearestNeighbors()
    run(workspace, network)
    found = counts(workspace)
    for pair in (("a.jpg", "b.jpg"), ("a.jpg", "c.jpg"), ("b.jpg", "c.jpg")):
        assert found[pair][1] > 130
    assert not left(workspace)  # every pair has an entry, so that it is not matched again
    whole = [seen for seen in network.seen if max(seen) > FIRST]
    # Three that pass, and those of the two photos that nothing connects: seven.
    assert len(network.seen) - len(whole) == 10 and len(whole) == 10
    assert all(found[name, "shy.jpg"][1] > 80 for name in ("a.jpg", "b.jpg", "c.jpg"))
    assert not any("other.jpg" in pair for pair, (_, inliers) in found.items() if inliers)


def test_photos_with_enough_pairs_are_not_matched_again(tmp_path):
    """Four photos of one thing, four of another, and one of both."""
    one, other = np.arange(150), np.arange(200, 350)
    seen = {f"one{number}.jpg": one for number in range(4)} | {
        f"two{number}.jpg": other for number in range(4)
    }
    both = np.stack([one, other], axis=1).ravel()[:200]
    workspace = known_workspace(Workspace(tmp_path / "w"), {**seen, "both.jpg": both})
    network = NearestNeighbors()
    run(workspace, network)
    verified = [pair for pair, (_, inliers) in counts(workspace).items() if inliers]
    assert len(verified) == 6 + 6 + 8
    assert (
        sum(max(seen) > FIRST for seen in network.seen) == 20
    )  # not the 16 pairs that have nothing in common


def test_photos_that_nothing_connects_have_a_few_pairs_matched_again(monkeypatch, tmp_path):
    monkeypatch.setattr(first_look, "MAX_AGAIN", 2)
    one, other = np.arange(150), np.arange(200, 350)
    seen = {f"one{number}.jpg": one for number in range(4)} | {
        f"two{number}.jpg": other for number in range(4)
    }
    workspace = known_workspace(Workspace(tmp_path / "w"), seen)
    network = NearestNeighbors()
    run(workspace, network)
    again = sum(max(seen) > FIRST for seen in network.seen) - 12
    assert 8 <= again < 16


def test_few_keypoints_need_no_first_look(workspace):
    network = NearestNeighbors()
    run(workspace, network, first=120)  # of 150 and 200
    shy = [seen for seen in network.seen if 200 in seen]
    assert len(network.seen) == 10 and len(shy) == 4 and min(min(seen) for seen in network.seen) == 150


@pytest.mark.parametrize("stop_at", [1, 2, 3])
def test_an_interrupted_run_continues_to_the_same_result(workspace, tmp_path, stop_at):
    events = []

    def stop(event):
        events.append(event)
        if len(events) == stop_at:
            raise Stopped

    with pytest.raises(Stopped):
        run(workspace, NearestNeighbors(), progress=Progress(stop))
    run(workspace, NearestNeighbors())
    whole = made(tmp_path / "again")
    run(whole, NearestNeighbors())
    assert counts(workspace) == counts(whole) and not left(workspace)
