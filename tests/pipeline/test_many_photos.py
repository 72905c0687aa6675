"""What must not grow with the square of the number of photos, or hold everything at once."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch", reason="the engine's environment has torch; Blender's has not")

from blender_recon3d.pipeline.models import network_matching
from blender_recon3d.pipeline.models.network_matching import Verifier
from blender_recon3d.pipeline.mvs import fusion
from blender_recon3d.pipeline.mvs.depth_views import _read_tracks
from blender_recon3d.pipeline.mvs.fusion import read_visibility, visibility_blocks


@pytest.mark.parametrize(("photos", "calls"), [(100, 125), (1000, 18), (20_000, 1)])
def test_photos_are_listed_for_verification_more_seldom_the_more_there_are(monkeypatch, photos, calls):
    verified: list = []
    monkeypatch.setattr(network_matching, "verify", lambda job, pairs: verified.append(pairs))
    pairs = [(f"{number}", f"{number + 1}") for number in range(1000)]
    verifier = Verifier(None, photos)
    for start in range(0, 1000, 8):
        verifier.add(pairs[start : start + 8])
    verifier.finish()
    assert [pair for part in verified for pair in part] == pairs and len(verified) == calls


def visibility(path, points: int) -> np.ndarray:
    """Write a .vis file; returns the number of views of each point."""
    random = np.random.default_rng(0)
    counts = random.integers(0, 40, points)
    words = random.integers(0, 2**32, int(counts.sum()) + points, np.uint64).astype("<u4")
    words[np.concatenate([[0], np.cumsum(counts + 1)[:-1]])] = counts
    path.write_bytes(points.to_bytes(8, "little") + words.tobytes())
    return counts


@pytest.mark.parametrize("block", [256, 4096])
def test_a_visibility_file_reads_the_same_in_parts(tmp_path, monkeypatch, block):
    counts = visibility(tmp_path / "a.vis", 500)
    whole = read_visibility(tmp_path / "a.vis")
    monkeypatch.setattr(fusion, "BLOCK", block)
    parts = list(visibility_blocks(tmp_path / "a.vis"))
    assert len(parts) > 500 * 20 * 4 // block // 2
    assert np.array_equal(np.concatenate([part for part, _ in parts]), counts)
    assert np.array_equal(np.concatenate([words for _, words in parts]), whole[1])
    assert np.array_equal(whole[0], counts)


def test_a_visibility_file_is_not_held_in_memory(tmp_path, monkeypatch):
    visibility(tmp_path / "a.vis", 100_000)
    size = (tmp_path / "a.vis").stat().st_size
    monkeypatch.setattr(fusion, "BLOCK", 1 << 16)
    tracemalloc.start()
    points = sum(len(counts) for counts, _ in visibility_blocks(tmp_path / "a.vis"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert points == 100_000 and peak < size / 4


def test_observations_are_read_without_a_set_of_pairs():
    random = np.random.default_rng(0)
    index = {10 + view: view for view in range(50)}
    model = SimpleNamespace(points3D={})
    expected = set()
    for point in range(3000):
        seen = random.integers(0, 60, 6)  # some twice, some of photos that are not registered
        elements = [SimpleNamespace(image_id=int(10 + view)) for view in seen]
        track = SimpleNamespace(elements=elements)
        model.points3D[point + 7] = SimpleNamespace(xyz=random.normal(size=3), track=track)
        expected |= {(point, int(view)) for view in seen if view < 50}
    tracks = _read_tracks(model, index)
    pairs = sorted(expected)
    assert list(zip(tracks.point.tolist(), tracks.view.tolist(), strict=True)) == pairs
    for view in (0, 20, 49):
        assert tracks.points_of(view).tolist() == [point for point, other in pairs if other == view]
