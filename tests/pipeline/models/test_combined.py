"""SIFT and a network in one database: the network where SIFT finds too little, and all of SIFT's matches kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the engine's environment has torch; Blender's has not")

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.database import image_ids, open_database, pair_counts, read_pairs
from blender_recon3d.pipeline.colmap.sift import SiftMatcher
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.models.combined_extraction import append_keypoints, sift_keypoints
from blender_recon3d.pipeline.models.combined_matching import MAX_WEAK, CombinedMatcher, weak_pairs
from blender_recon3d.pipeline.models.network import MatchingJob
from blender_recon3d.pipeline.models.network_matching import NetworkMatcher
from blender_recon3d.pipeline.sfm.sift_instead import kinds_of_keypoints
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.known_matches import NearestNeighbors, known_workspace

ONE, OTHER = np.arange(400), np.arange(1000, 1300)


class Stopped(Exception):
    pass


def made(root: Path) -> Workspace:
    """Six photos of one thing, in five of which SIFT finds it all and in the sixth a little; the network finds it in
    all of them, and something else in two more."""
    seen = {f"{number}.jpg": ONE[:200] for number in range(6)} | {"x.jpg": OTHER, "y.jpg": OTHER}
    sift = {f"{number}.jpg": ONE[200:400] for number in range(5)} | {"5.jpg": ONE[200:240]}
    alone = np.arange(10_000, 10_200)
    workspace = known_workspace(Workspace(root), {name: sift.get(name, alone) for name in seen}, sift=True)
    network = known_workspace(Workspace(root.with_name(root.name + " network")), seen)
    shutil.rmtree(workspace.features)
    network.features.rename(workspace.features)
    with open_database(workspace.database) as database, open_database(network.database) as other:
        for name, image in image_ids(database).items():
            append_keypoints(database, image, np.asarray(other.read_keypoints(image_ids(other)[name]))[:, :2])
            assert sift_keypoints(database, image) == (40 if name == "5.jpg" else 200)
            assert database.num_keypoints_for_image(image) == sift_keypoints(database, image) + len(
                seen[name]
            )
    return workspace


def run(workspace: Workspace, network: NearestNeighbors, progress: Progress | None = None) -> None:
    verification = pycolmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = 0
    pairs = read_pairs(workspace.pairs)
    with open_database(workspace.database) as database:
        ids = image_ids(database)
        left = [(a, b) for a, b in pairs if not database.exists_two_view_geometry(ids[a], ids[b])]
    block_list = workspace.pairs.with_name("block.txt")
    job = MatchingJob(workspace, left, len(pairs), block_list, verification, progress or Progress())
    matcher = NetworkMatcher(network, "fp32", first_keypoints=60, first_look=8)
    CombinedMatcher(SiftMatcher("cpu"), matcher).match(job)


def inliers(workspace: Workspace) -> dict[tuple[str, str], int]:
    with open_database(workspace.database) as database:
        names = {number: name for name, number in image_ids(database).items()}
        return {(names[a], names[b]): count for (a, b), (_, count) in pair_counts(database).items()}


def test_the_network_is_used_where_sift_finds_too_little(tmp_path):
    workspace, network = made(tmp_path / "w"), NearestNeighbors()
    run(workspace, network)
    found = inliers(workspace)
    for first in range(5):
        for second in range(first + 1, 5):
            assert 180 < found[f"{first}.jpg", f"{second}.jpg"] <= 200  # SIFT's alone
        assert found[f"{first}.jpg", "5.jpg"] > 220  # both
    assert found["x.jpg", "y.jpg"] > 280  # the network's alone
    asked = [seen for seen in network.seen if max(seen) > 60]
    assert (200, 200) in asked and len(asked) <= 28 - 10


@pytest.mark.parametrize("stop_at", [1, 2, 4])
def test_an_interrupted_run_continues_to_the_same_result(tmp_path, stop_at):
    workspace, whole, events = made(tmp_path / "w"), made(tmp_path / "whole"), []

    def stop(event):
        events.append(event)
        if len(events) == stop_at:
            raise Stopped

    with pytest.raises(Stopped):
        run(workspace, NearestNeighbors(), Progress(stop))
    run(workspace, NearestNeighbors())
    run(whole, NearestNeighbors())
    assert inliers(workspace) == inliers(whole)


def test_progress_covers_sift_and_the_network_once(tmp_path):
    workspace, events = made(tmp_path / "w"), []
    run(workspace, NearestNeighbors(), Progress(events.append))
    counts = [(event.done, event.total) for event in events if event.kind == "progress"]
    pairs = len(read_pairs(workspace.pairs))
    assert {total for _, total in counts} == {2 * pairs}
    done = [number for number, _ in counts]
    assert done == sorted(done) and done[-1] == 2 * pairs


def test_a_photo_with_enough_strong_pairs_tries_only_its_most_promising_others():
    """Photos on a ring that see two neighbors to each side well, and one photo that sees the others badly."""
    ring = [f"{number:02}" for number in range(30)]
    counts = {}
    for first in range(30):
        for second in range(first + 1, 30):
            apart = min(second - first, 30 - second + first)
            counts[ring[first], ring[second]] = 500 if apart <= 2 else 90 - apart
    alone = {(name, "alone"): 10 for name in ring}
    weak = weak_pairs({**counts, **alone})
    assert weak.issuperset(alone)
    tried = weak.difference(alone)
    assert all(counts[pair] < 100 for pair in tried) and len(tried) <= MAX_WEAK * 30 < len(counts) / 2
    assert all((ring[n], ring[n + 3]) in tried for n in range(27))


def test_sift_with_others_keypoints_is_not_taken_for_sift_alone(tmp_path):
    workspace = made(tmp_path / "w")
    assert kinds_of_keypoints(workspace.database) == (True, True)
    seen = {"a.jpg": ONE, "b.jpg": ONE}
    sift = known_workspace(Workspace(tmp_path / "sift"), seen, sift=True)
    assert kinds_of_keypoints(sift.database) == (True, False)
    network = known_workspace(Workspace(tmp_path / "network"), seen)
    assert kinds_of_keypoints(network.database) == (False, True)
