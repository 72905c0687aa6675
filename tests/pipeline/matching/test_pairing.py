"""Which photos are matched with which."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.atomic_files import write_json
from blender_recon3d.pipeline.matching import pairing
from blender_recon3d.pipeline.stage_settings import PairsSettings
from blender_recon3d.pipeline.stages import pairs as stage
from blender_recon3d.pipeline.workspace import Workspace


def similarities(count: int, seed: int) -> np.ndarray:
    descriptors = np.random.default_rng(seed).normal(size=(count, 4))
    descriptors /= np.linalg.norm(descriptors, axis=1, keepdims=True)
    return descriptors @ descriptors.T


def connected(count: int, pairs: list[pairing.Pair]) -> bool:
    graph = coo_array((np.ones(len(pairs)), tuple(np.transpose(pairs))), (count, count))
    return connected_components(graph, directed=False, return_labels=False) == 1


@given(st.integers(2, 30), st.integers(1, 40), st.integers(0, 1000))
def test_retrieval_keeps_each_photos_best_pairs_and_a_connected_graph(count, neighbors, seed):
    similarity = similarities(count, seed)
    found = pairing.retrieval(similarity, neighbors)
    assert found == sorted(set(found)) and all(a < b for a, b in found)
    np.fill_diagonal(similarity, -np.inf)
    for photo in range(count):
        best = int(np.argmax(similarity[photo]))
        assert (min(photo, best), max(photo, best)) in found
    assert connected(count, found)


def test_bridges_join_two_groups_by_their_most_similar_pair():
    similarity = np.zeros((4, 4))
    similarity[1, 2] = similarity[2, 1] = 0.5
    similarity[0, 3] = similarity[3, 0] = 0.4
    assert pairing.bridges(similarity, {(0, 1), (2, 3)}) == [(1, 2)]


@settings(deadline=None)
@given(st.integers(2, 20), st.integers(1, 3), st.integers(0, 1000))
def test_blocks_of_rows_give_the_pairs_of_a_spanning_tree_of_all(count, neighbors, seed):
    """Kruskal's algorithm on the whole matrix."""
    similarity = similarities(count, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairing, "BLOCK", 3)
        found = pairing.retrieval(similarity, neighbors)
    expected = set()
    for photo in range(count):
        order = np.argsort(-np.where(np.arange(count) == photo, -np.inf, similarity[photo]), kind="stable")
        expected |= {(min(photo, int(j)), max(photo, int(j))) for j in order[: min(neighbors, count - 1)]}
    upper = np.triu_indices(count, 1)
    for k in np.argsort(-similarity[upper], kind="stable"):
        pair = int(upper[0][k]), int(upper[1][k])
        graph = coo_array((np.ones(len(expected)), tuple(np.transpose(sorted(expected)))), (count, count))
        group = connected_components(graph, directed=False)[1]
        if group[pair[0]] != group[pair[1]]:
            expected.add(pair)
    assert found == sorted(expected)


def test_sequential_takes_the_window_and_powers_of_two():
    found = pairing.sequential(20, 2)
    assert {b for a, b in found if a == 0} == {1, 2, 4, 8, 16}
    assert connected(20, found)


def with_photos(tmp_path, count: int) -> Workspace:
    workspace = Workspace(tmp_path)
    photos = [{"name": f"p_{i}.jpg", "source": f"/x/p {i}.jpg", "state": "used"} for i in range(count)]
    write_json(workspace.photos, {"version": 1, "photos": photos})
    return workspace


@pytest.mark.parametrize(("count", "way"), [(41, "exhaustive"), (60, "exhaustive")])
def test_auto_is_exhaustive_for_few_photos_and_without_retrieval(tmp_path, count, way):
    workspace = with_photos(tmp_path / "w", count)
    settings = PairsSettings(weights=str(tmp_path), front_end="sift")  # a folder without weights
    assert stage.run(workspace, settings, Progress())["way"] == way
    assert len(workspace.pairs.read_text().splitlines()) == count * (count - 1) // 2


def test_a_file_of_pairs_may_use_either_name_and_unknown_lines_are_reported(tmp_path):
    workspace = with_photos(tmp_path, 3)
    listed = tmp_path / "list.txt"
    listed.write_text("# comment\np_0.jpg p_1.jpg\np_1.jpg p_0.jpg\nnobody.jpg p_1.jpg\n\n")
    events = []
    stage.run(workspace, PairsSettings(strategy=str(listed)), Progress(events.append))
    assert workspace.pairs.read_text() == "p_0.jpg p_1.jpg\n"
    assert any(event.kind == "warning" and "1 lines" in event.message for event in events)


def test_a_file_of_pairs_that_is_empty_or_missing_is_reported(tmp_path):
    workspace = with_photos(tmp_path, 3)
    (tmp_path / "empty.txt").touch()
    for name, words in (("empty.txt", "has no pair"), ("none.txt", "cannot be read")):
        with pytest.raises(UserError, match=words) as caught:
            stage.run(workspace, PairsSettings(strategy=str(tmp_path / name)), Progress())
        assert caught.value.exit_code == 2
