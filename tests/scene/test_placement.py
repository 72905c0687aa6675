"""A reconstruction is placed as the user wants; COLMAP's frame stays unchanged."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from mathutils import Matrix, Vector  # noqa: E402

from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.scene import placement  # noqa: E402
from blender_recon3d.scene.cleaning.clean_modifier import positions  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from blender_recon3d.scene.world_matrices import world_matrix  # noqa: E402
from tests.support.made_workspaces import MadeModel, look_at, ring, write_workspace  # noqa: E402


@pytest.fixture
def imported(tmp_path):
    return import_workspace(write_workspace(tmp_path / "w", ring()))


@pytest.fixture
def tilted(tmp_path):
    """A plane of points, 10 degrees off the placement's level, with a block of points on it, and cameras above."""
    rng = np.random.default_rng(1)
    plane = np.column_stack([rng.uniform(-3, 3, 2000), np.zeros(2000), rng.uniform(-3, 3, 2000)])
    block = rng.uniform((-0.5, -1, -0.5), (0.5, 0, 0.5), (300, 3))
    turn = np.array(Matrix.Rotation(np.radians(10), 3, "X"))
    model = ring()
    model.xyz = (np.concatenate([plane, block])) @ turn.T
    model.rgb = np.zeros((2300, 3), np.uint8)
    model.images = []
    for i in range(5):
        center = turn @ np.array([4 * np.sin(i), -3.0, -4 * np.cos(i)])
        q, t = look_at(center, np.zeros(3))
        model.images.append((f"photo_{i:03d}.jpg", 1, q, t))
    return import_workspace(write_workspace(tmp_path / "w", model))


def world_points(thing) -> np.ndarray:
    matrix = np.array(world_matrix(thing))
    return positions(thing.data) @ matrix[:3, :3].T + matrix[:3, 3]


def local_state(result) -> list:
    return [o.matrix_basis.copy() for o in (*result.cameras.values(), result.cloud)]


def test_the_dominant_plane_becomes_the_ground(tilted):
    before = local_state(tilted)
    placement.ground_from_plane(tilted.collection)
    heights = world_points(tilted.cloud)[:2000, 2]
    assert np.abs(heights).max() < 1e-3
    assert all(world_matrix(camera).translation.z > 1 for camera in tilted.cameras.values())
    assert local_state(tilted) == before  # COLMAP's frame


def test_without_a_plane_or_points_there_is_a_message(tmp_path):
    """A ball has no plane."""
    result = import_workspace(write_workspace(tmp_path / "ball", ring(points=3000)))
    before = world_matrix(result.empty)
    with pytest.raises(UserError, match="no plane that could be the ground"):
        placement.ground_from_plane(result.collection)
    assert world_matrix(result.empty) == before
    empty = import_workspace(write_workspace(tmp_path / "none", MadeModel(images=ring().images)))
    for call in (placement.ground_from_plane, placement.origin_under):
        with pytest.raises(UserError, match="no points"):
            call(empty.collection)


def test_three_points_become_the_ground_with_the_cameras_above(tilted):
    points = [tuple(p) for p in world_points(tilted.cloud)[:3]]
    for order in ((0, 1, 2), (2, 1, 0)):  # in either orientation
        placement.ground_from_points(tilted.collection, [points[i] for i in order])
        points = [tuple(p) for p in world_points(tilted.cloud)[:3]]
        assert np.abs(np.array(points)[:, 2]).max() < 1e-5
        assert all(world_matrix(camera).translation.z > 1 for camera in tilted.cameras.values())


def test_points_on_a_line_are_refused(imported):
    with pytest.raises(UserError, match="on one line"):
        placement.ground_from_points(imported.collection, [(0, 0, 0), (1, 1, 1), (2, 2, 2)])
    with pytest.raises(UserError, match="Three points"):
        placement.ground_from_points(imported.collection, [(0, 0, 0), (1, 1, 1)])


@pytest.mark.parametrize("axis", list(placement.AXES))
def test_what_pointed_along_the_axis_points_up(imported, axis):
    before = world_matrix(imported.empty)
    middle = np.mean(placement.subject_box(imported.collection), axis=0)
    placement.up_axis(imported.collection, axis)
    turn = world_matrix(imported.empty).to_3x3() @ before.to_3x3().inverted()
    assert (turn @ Vector(placement.AXES[axis]) - Vector((0, 0, 1))).length < 1e-5
    assert np.allclose(np.mean(placement.subject_box(imported.collection), axis=0), middle, atol=0.1)


def test_the_subject_is_placed_on_the_origin_or_the_cursor(imported):
    for target in ((0.0, 0.0, 0.0), (3.0, -2.0, 1.0)):
        placement.origin_under(imported.collection, target)
        low, high = placement.subject_box(imported.collection)
        bottom = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]]
        assert np.allclose(bottom, target, atol=1e-4)


def test_two_points_and_a_length_give_the_scale(imported):
    a, b = (tuple(p) for p in world_points(imported.cloud)[:2])
    camera = imported.cameras["photo_000.jpg"].data
    size, clip = camera.display_size, camera.clip_end
    factor = 0.25 / (Vector(a) - Vector(b)).length
    placement.scale_to(imported.collection, [a, b], 0.25)
    a, b = world_points(imported.cloud)[:2]
    assert np.linalg.norm(a - b) == pytest.approx(0.25, rel=1e-5)
    assert camera.display_size == pytest.approx(size * factor, rel=1e-5)
    assert camera.clip_end == pytest.approx(clip * factor, rel=1e-5)
    for points, length in (([a, a], 1.0), ([a, b], 0.0), ([a, b], float("nan"))):
        with pytest.raises(UserError, match="coincide"):
            placement.scale_to(imported.collection, points, length)


def test_a_parent_of_the_empty_is_considered(tilted):
    parent = bpy.data.objects.new("Mine", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.matrix_basis = Matrix.LocRotScale(
        (1, 2, 3), Matrix.Rotation(0.3, 3, "Y").to_quaternion(), (2, 2, 2)
    )
    tilted.empty.parent = parent
    placement.ground_from_points(tilted.collection, [tuple(p) for p in world_points(tilted.cloud)[:3]])
    bpy.context.view_layer.update()
    world = np.array(tilted.cloud.matrix_world)
    heights = (positions(tilted.cloud.data)[:2000] @ world[:3, :3].T + world[:3, 3])[:, 2]
    assert np.abs(heights).max() < 1e-3


def test_a_changed_placement_survives_a_second_import(imported):
    placement.up_axis(imported.collection, "X")
    placement.scale_to(imported.collection, [(0, 0, 0), (1, 0, 0)], 3.0)
    before = world_matrix(imported.empty)
    again = import_workspace(imported.collection["recon3d"]["workspace"])
    assert again.updated and world_matrix(again.empty) == before


def test_selected_vertices_count_in_edit_mode_and_as_left_in_object_mode(imported):
    layer = bpy.context.view_layer
    layer.update()
    layer.objects.active = imported.cloud
    with pytest.raises(UserError, match="No vertices are selected, but 3 are needed"):
        placement.selected_points(imported.collection, 3)
    imported.cloud.data.vertices.foreach_set("select", [i < 3 for i in range(500)])
    expected = world_points(imported.cloud)[:3]
    assert np.allclose(placement.selected_points(imported.collection, 3), expected, atol=1e-5)
    bpy.ops.object.mode_set(mode="EDIT")
    assert np.allclose(placement.selected_points(imported.collection, 3), expected, atol=1e-5)
    with pytest.raises(UserError, match="3 vertices are selected, but 2 are needed"):
        placement.selected_points(imported.collection, 2)
    assert imported.cloud.mode == "EDIT"


def test_one_camera_is_enough(tmp_path):
    model = ring(1)
    result = import_workspace(write_workspace(tmp_path / "w", model))
    placement.origin_under(result.collection)
    placement.up_axis(result.collection, "-Z")


def test_a_missing_empty_is_reported(imported):
    bpy.data.objects.remove(imported.empty)
    with pytest.raises(UserError, match=r"Empty of .* was deleted"):
        placement.origin_under(imported.collection)
