"""Clouds in cells, and the share of points that the viewport shows."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.scene import cloud_cells, shown_parts  # noqa: E402
from blender_recon3d.scene.cleaning import clean_modifier  # noqa: E402
from blender_recon3d.scene.find_imports import objects_of  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from blender_recon3d.scene.point_display import VIEWPORT_SHARE, get_input  # noqa: E402
from tests.support.made_workspaces import ring, write_cloud, write_workspace  # noqa: E402
from tests.support.shown_points import shown_points  # noqa: E402

COUNT = 5000


@pytest.fixture
def imported(tmp_path):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    root = write_workspace(tmp_path / "w", ring())
    rng = np.random.default_rng(0)
    xyz = rng.normal(size=(COUNT, 3)).astype(np.float32) * (3, 1, 1)
    write_cloud(root / "dense" / "fusion.ply", xyz, rng.integers(0, 256, (COUNT, 3), dtype=np.uint8))
    return import_workspace(root)


def table(mesh) -> np.ndarray:
    """Position, color and normal of each point, sorted."""
    color = np.empty(4 * len(mesh.vertices), np.float32)
    mesh.color_attributes["Col"].data.foreach_get("color_srgb", color)
    normal = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.attributes["normal"].data.foreach_get("vector", normal)
    rows = np.hstack([clean_modifier.positions(mesh), color.reshape(-1, 4), normal.reshape(-1, 3)])
    return rows[np.lexsort(rows.T[::-1])]


def cell_objects(imported) -> list:
    return objects_of(imported.collection, "cloud cell")


def test_the_cells_hold_every_point_once_with_its_attributes(imported):
    before = table(imported.cloud.data)
    cells = cloud_cells.split_cloud(imported.collection, 1000)
    objects = cell_objects(imported)
    assert len(cells.children) == len(objects) == 8  # halved three times
    assert all(0 < len(obj.data.vertices) <= 1000 and obj.parent == imported.empty for obj in objects)
    after = np.concatenate([table(obj.data) for obj in objects])
    assert np.array_equal(after[np.lexsort(after.T[::-1])], before)
    assert imported.cloud.hide_get() and np.array_equal(table(imported.cloud.data), before)
    spans = [np.ptp(clean_modifier.positions(obj.data), axis=0).max() for obj in objects]
    assert max(spans) < np.ptp(before[:, 0])  # boxes, not a random choice


def test_another_split_and_another_import_replace_the_cells(imported):
    cloud_cells.split_cloud(imported.collection, 1000)
    cloud_cells.split_cloud(imported.collection, 3000)
    assert len(cell_objects(imported)) == 2
    again = import_workspace(imported.collection["recon3d"]["workspace"])
    assert not cell_objects(again) and not [c for c in bpy.data.collections if "Cell" in c.name]
    assert not [mesh for mesh in bpy.data.meshes if "Cell" in mesh.name]


def test_cleaned_points_are_not_in_the_cells(imported):
    clean_modifier.add_cleaning(imported.collection, min_views=1)
    left = clean_modifier.count_left(imported.cloud)
    cloud_cells.split_cloud(imported.collection, 1000)
    assert sum(len(obj.data.vertices) for obj in cell_objects(imported)) == left
    assert not [mesh for mesh in bpy.data.meshes if "Cleaned" in mesh.name]


def test_the_viewport_shows_at_most_so_many_points_of_all_cells(imported):
    cloud_cells.split_cloud(imported.collection, 1000)
    shown_parts.limit_points(imported.collection, 500)
    assert 350 < sum(shown_points(obj) for obj in cell_objects(imported)) < 650
    assert get_input(imported.cloud.modifiers["Recon3D Points"], VIEWPORT_SHARE) == pytest.approx(0.1)
    shown_parts.limit_points(imported.collection, COUNT)
    assert all(get_input(obj.modifiers[0], VIEWPORT_SHARE) == 1 for obj in cell_objects(imported))


def test_the_toggle_shows_either_the_cells_or_nothing(imported):
    cloud_cells.split_cloud(imported.collection, 1000)
    shown_parts.show(imported.collection, shown_parts.CLOUDS, False)
    assert not shown_parts.is_shown(imported.collection, shown_parts.CLOUDS)
    shown_parts.show(imported.collection, shown_parts.CLOUDS, True)
    assert not any(obj.hide_get() for obj in cell_objects(imported)) and imported.cloud.hide_get()
