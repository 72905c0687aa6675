"""A cloud that is fused in cells is the cloud that is fused at once."""

import numpy as np
import pytest

from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.ply import read_vertices
from blender_recon3d.pipeline.mvs import fusion, fusion_cells
from blender_recon3d.pipeline.mvs.depth_views import load_scene
from blender_recon3d.pipeline.mvs.fusion import fuse, read_visibility
from blender_recon3d.pipeline.mvs.fusion_cells import _split, cells, one_cell


def sizes_of(dense) -> dict[str, int]:
    names = [view.name for view in load_scene(dense, 4).views]
    return {name: fusion._map_bytes(dense, name) for name in names}


def test_cells_are_all_of_space_and_need_few_photos_at_a_time():
    """Photos along a street, each of which shows 4 m of it."""
    random = np.random.default_rng(0)
    samples = {
        f"{number}": np.column_stack([number + random.uniform(0, 4, 200), random.uniform(0, 3, (200, 2))])
        for number in range(100)
    }
    found = _split(one_cell(list(samples)), samples, dict.fromkeys(samples, 1), 20, 16)
    assert all(len(cell.names) <= 20 for cell in found) and 5 <= len(found) <= 16
    xyz = random.uniform(-200, 300, (1000, 3)).astype(np.float32)
    assert (sum(cell.contains(xyz).astype(int) for cell in found) == 1).all()
    for cell in found:
        showing = {name for name in samples if cell.contains(samples[name]).any()}
        assert showing <= set(cell.names)


def test_what_every_photo_shows_is_not_split():
    samples = dict.fromkeys("abc", np.random.default_rng(0).normal(size=(500, 3)))
    assert len(_split(one_cell(list("abc")), samples, dict.fromkeys("abc", 1), 2, 16)) == 1


def test_the_cloud_is_the_same(finished, workspace, monkeypatch):
    sizes = sizes_of(workspace.dense)
    runs = []

    def made(dense, map_bytes, limit):
        runs.append(cells(dense, map_bytes, limit))
        map_bytes.update(
            dict.fromkeys(map_bytes, 0)
        )  # all photos show most of the scene: each box needs too many
        return runs[-1]

    monkeypatch.setattr(fusion, "cells", made)
    gigabytes = 0.99 * sum(sizes.values()) / 2**30
    monkeypatch.setattr(fusion_cells, "MIN_GAIN", 1.1)
    monkeypatch.setattr(fusion_cells, "MAX_SPLITS", 1)
    cloud = fuse(workspace.dense, list(sizes), 3, 1.0, gigabytes, Progress())
    whole = read_vertices(finished.fusion)
    assert len(runs) == 1 and len(runs[0]) > 1
    assert len(cloud) == pytest.approx(len(whole), rel=0.005)
    same = {tuple(point) for point in cloud.tolist()} & {tuple(point) for point in whole.tolist()}
    assert len(same) > 0.99 * len(whole)
    counts, words = read_visibility(workspace.dense / "fusion.ply.vis")
    assert len(counts) == len(cloud) and len(words) == counts.sum() + len(counts)
    assert np.array_equal(np.minimum(counts, 255), cloud["views"])
    listed = (workspace.dense / "stereo" / "fusion.cfg").read_text().splitlines()
    assert listed == list(sizes)
