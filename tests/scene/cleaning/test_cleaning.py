"""Cleaning hides what does not belong to the subject, without losing anything."""

import json

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.scene import world_matrices  # noqa: E402
from blender_recon3d.scene.cleaning import clean_modifier, crop_box, density  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from blender_recon3d.scene.points import Points  # noqa: E402
from tests.support.made_workspaces import MadeModel, ring, write_cloud, write_workspace  # noqa: E402

BALL, ISLAND, LONE = 4000, 30, 20


@pytest.fixture
def imported(tmp_path):
    """A ball of 4,000 points seen by 5 photos, an island of 30 far away seen by 3, 20 lone points seen by 2."""
    rng = np.random.default_rng(0)
    ball = rng.normal(size=(BALL, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    island = [8, 0, 0] + 0.03 * rng.normal(size=(ISLAND, 3))
    lone = 20 * rng.uniform(-1, 1, size=(LONE, 3)) + [0, 0, 60]
    xyz = np.concatenate([ball, island, lone])
    rgb = np.full((len(xyz), 3), 60, np.uint8)
    rgb[: BALL // 2] = (120, 180, 250)  # half the ball is as blue as the sky
    views = np.repeat([5, 3, 2], [BALL, ISLAND, LONE])
    root = write_workspace(tmp_path / "w", ring())
    write_cloud(root / "dense" / "fusion.ply", xyz, rgb, views=views)
    return import_workspace(root)


def test_the_default_keeps_the_subject_and_drops_floaters(imported):
    clean_modifier.add_cleaning(imported.collection)
    assert clean_modifier.count_left(imported.cloud) == BALL
    assert len(imported.cloud.data.vertices) == BALL + ISLAND + LONE
    assert [m.name for m in imported.cloud.modifiers] == ["Recon3D Clean", "Recon3D Points"]


def test_each_input_removes_its_own_points(imported):
    none = dict.fromkeys(("min_views", "min_neighbors", "min_cluster_size"), 0)
    for inputs, left in (
        ({}, BALL + ISLAND + LONE),
        ({"min_views": 4}, BALL),
        ({"min_views": 3}, BALL + ISLAND),
        ({"min_neighbors": 3}, BALL + ISLAND),
        ({"min_cluster_size": 100}, BALL),
        ({"key_color": (0.188, 0.456, 0.956, 1), "key_distance": 0.1}, BALL // 2 + ISLAND + LONE),
    ):
        clean_modifier.add_cleaning(imported.collection, **{**none, "key_distance": 0.0, **inputs})
        assert clean_modifier.count_left(imported.cloud) == left, inputs


def test_removing_brings_all_points_back(imported):
    clean_modifier.add_cleaning(imported.collection)
    clean_modifier.remove_cleaning(imported.collection)
    assert clean_modifier.count_left(imported.cloud) == BALL + ISLAND + LONE


def test_the_crop_box_keeps_what_is_in_it_and_its_loss_brings_all_back(imported):
    clean_modifier.add_cleaning(imported.collection, min_neighbors=0, min_cluster_size=0)
    box = crop_box.add_crop_box(imported.collection, (-1.1, -1.1, -1.1), (1.1, 1.1, 0.0))
    xyz = clean_modifier.positions(imported.cloud.data)[:BALL]
    assert clean_modifier.count_left(imported.cloud) == int((xyz[:, 2] <= 0).sum())
    box.location.z += 100
    assert clean_modifier.count_left(imported.cloud) == 0
    bpy.data.objects.remove(box)
    assert clean_modifier.count_left(imported.cloud) == BALL + ISLAND + LONE


def test_the_fitted_box_is_upright_around_the_subject(imported):
    imported.empty.rotation_quaternion = (0.8, 0.6, 0, 0)
    box = crop_box.add_crop_box(imported.collection)
    turned = np.array(world_matrices.world_matrix(box).to_quaternion())
    assert np.allclose(np.abs(turned), [1, 0, 0, 0], atol=1e-5)
    assert clean_modifier.count_left(imported.cloud) > 0.95 * BALL
    assert crop_box.add_crop_box(imported.collection) == box


def test_the_engine_gets_the_box_in_the_models_frame(imported):
    crop_box.add_crop_box(imported.collection, (-1, -2, -3), (1, 2, 5))
    imported.empty.location = (7, 8, 9)
    raw = json.loads(crop_box.write_crop(imported.collection).read_text())
    assert np.allclose(raw["matrix"], [[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 4, 1]], atol=1e-5)


def test_applying_makes_another_cloud_and_hides_the_first(imported):
    clean_modifier.add_cleaning(imported.collection)
    cleaned = clean_modifier.apply_cleaning(imported.collection)
    assert len(cleaned.data.vertices) == BALL and len(imported.cloud.data.vertices) == BALL + ISLAND + LONE
    assert imported.cloud.hide_get() and not cleaned.hide_get()
    assert cleaned.parent == imported.empty and "Col" in cleaned.data.color_attributes
    assert [m.name for m in cleaned.modifiers] == ["Recon3D Points"]


def test_a_second_import_keeps_the_cleaning_and_what_was_applied(imported):
    clean_modifier.add_cleaning(imported.collection, min_views=3)
    clean_modifier.apply_cleaning(imported.collection)
    before = clean_modifier.settings_of(imported.cloud)
    again = import_workspace(imported.collection["recon3d"]["workspace"])
    assert (
        clean_modifier.settings_of(again.cloud) == before and clean_modifier.count_left(again.cloud) == BALL
    )
    assert "Recon3D Cloud Cleaned" in again.collection.all_objects


def test_it_works_in_edit_mode_and_where_the_collection_is_excluded(imported):
    layer = bpy.context.view_layer
    layer.update()
    layer.objects.active = imported.cloud
    bpy.ops.object.mode_set(mode="EDIT")
    clean_modifier.add_cleaning(imported.collection)
    assert imported.cloud.mode == "EDIT"
    cleaned = clean_modifier.apply_cleaning(imported.collection)
    assert len(cleaned.data.vertices) == BALL
    bpy.ops.wm.read_factory_settings(use_empty=True)


def test_an_excluded_collection_is_cleaned_too(imported):
    layer = bpy.context.view_layer
    layer.layer_collection.children[imported.collection.name].exclude = True
    clean_modifier.add_cleaning(imported.collection)
    assert len(clean_modifier.apply_cleaning(imported.collection).data.vertices) == BALL


def test_an_empty_cloud_and_a_deleted_one_are_reported(tmp_path):
    result = import_workspace(write_workspace(tmp_path / "w", MadeModel(images=ring().images)))
    for call in (
        clean_modifier.add_cleaning,
        clean_modifier.apply_cleaning,
        clean_modifier.compute_density,
        crop_box.add_crop_box,
    ):
        with pytest.raises(UserError, match="no points"):
            call(result.collection)
    bpy.data.objects.remove(result.cloud)
    with pytest.raises(UserError, match="no longer has a cloud"):
        clean_modifier.add_cleaning(result.collection)


def test_a_cloud_without_colors_and_views_is_cleaned(tmp_path):
    from blender_recon3d.scene.cloud import create_cloud

    result = import_workspace(write_workspace(tmp_path / "w", ring()))
    xyz = np.random.default_rng(0).normal(size=(1000, 3)).astype(np.float32)
    result.cloud.data = create_cloud(Points(xyz)).data
    clean_modifier.add_cleaning(
        result.collection, min_neighbors=0, min_cluster_size=0, min_views=9, key_distance=1
    )
    assert clean_modifier.count_left(result.cloud) == 1000


def test_what_is_linked_from_a_library_is_left_alone(imported, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "lib.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "lib.blend"), link=True) as (_, wanted):
        wanted.collections = ["Recon3D"]
    collection = wanted.collections[0]
    bpy.context.scene.collection.children.link(collection)
    with pytest.raises(UserError, match=r"linked from .*make it local"):
        clean_modifier.add_cleaning(collection)


def test_the_engine_gets_the_remaining_points(imported):
    from blender_recon3d.scene.cleaning.cleaned_cloud_file import write_cleaned_cloud
    from blender_recon3d.scene.importing.ply_points import read_points

    assert write_cleaned_cloud(imported.collection) is None
    clean_modifier.add_cleaning(imported.collection)
    path = write_cleaned_cloud(imported.collection)
    before = path.stat().st_mtime_ns
    found, whole = read_points(path), read_points(path.parent / "dense" / "fusion.ply")
    for name in ("xyz", "rgb", "normals", "views"):
        assert np.array_equal(getattr(found, name), getattr(whole, name)[:BALL]), name
    assert write_cleaned_cloud(imported.collection).stat().st_mtime_ns == before  # the engine depends on it
    clean_modifier.add_cleaning(imported.collection, min_views=100)
    with pytest.raises(UserError, match="removes every point"):
        write_cleaned_cloud(imported.collection)


# -- the analysis alone -----------------------------------------------------------------------------


def test_neighbors_are_the_points_of_the_voxels_around():
    xyz = np.array([[0, 0, 0], [0.1, 0, 0], [1.2, 0, 0], [50, 0, 0]], np.float32)
    found = density.analyze(xyz, 1 / density.CELL)  # voxels of side 1
    assert found.neighbors.tolist() == [2, 2, 2, 0] and found.island.tolist() == [3, 3, 3, 1]


def test_islands_are_those_of_a_flood_fill():
    """Against a plain search over voxels, on a cloud with many islands."""
    rng = np.random.default_rng(3)
    xyz = rng.integers(0, 14, (500, 3)).astype(np.float32) + 0.5
    found = density.analyze(xyz, 1 / density.CELL)
    voxels = {}
    for number, voxel in enumerate(np.floor(xyz).astype(int)):
        voxels.setdefault(tuple(voxel), []).append(number)
    expected, seen = np.zeros(500, int), set()
    for start in voxels:
        part, heap = [], [] if start in seen else [start]
        seen.add(start)
        while heap:
            x, y, z = heap.pop()
            part += voxels[(x, y, z)]
            around = {(x + a, y + b, z + c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)}
            fresh = [v for v in around if v in voxels and v not in seen]
            seen.update(fresh)
            heap += fresh
        for number in part:
            expected[number] = len(part)
    assert len(set(expected)) > 3 and found.island.tolist() == expected.tolist()


def test_a_point_far_away_does_not_spoil_the_grid():
    rng = np.random.default_rng(0)
    xyz = np.concatenate([rng.normal(size=(1000, 3)), [[-1e9, 0, 0], [1e9, 1e9, 1e9]]]).astype(np.float32)
    found = density.analyze(xyz, 0.1)
    assert found.island[:1000].max() > 900 and found.neighbors[-2:].tolist() == [0, 0]
