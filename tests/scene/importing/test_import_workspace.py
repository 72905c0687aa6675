"""A workspace becomes a collection with an Empty, a camera for each photo, and the cloud; importing twice gives one."""

import json

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from mathutils import Matrix, Vector  # noqa: E402

from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.scene import cameras  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from tests.support.made_workspaces import (  # noqa: E402
    MadeCamera,
    MadeModel,
    project,
    quaternion,
    ring,
    rotation_matrix,
    write_binary,
    write_workspace,
)


@pytest.fixture
def workspace(tmp_path):
    return write_workspace(tmp_path / "Kapelle 礼拝堂 📷", ring())


def counts() -> dict[str, int]:
    kinds = ("objects", "meshes", "cameras", "images", "materials", "node_groups", "collections")
    return {kind: len(getattr(bpy.data, kind)) for kind in kinds}


def test_what_is_in_the_file_is_in_the_scene(workspace):
    result = import_workspace(workspace)
    assert result.collection.name == "Recon3D" and result.empty.name == "Recon3D"
    assert result.collection.name in bpy.context.scene.collection.children
    assert list(result.cameras) == [f"photo_{i:03d}.jpg" for i in range(5)]
    assert [c.name for c in result.cameras.values()] == [f"Mein Foto {i}" for i in range(5)]
    assert all(o.parent == result.empty for o in (*result.cameras.values(), result.cloud))
    assert len(result.cloud.data.vertices) == result.points == 500
    assert result.notes == ()
    assert result.summary() == "Imported 5 cameras and 500 points."


def test_the_empty_carries_the_placement_and_local_coordinates_are_colmaps(workspace):
    result = import_workspace(workspace)
    bpy.context.view_layer.update()
    expected = np.array(json.loads((workspace / "placement.json").read_text())["world_from_model"])
    assert np.allclose(np.array(result.empty.matrix_world), expected, atol=1e-6)
    made = ring()
    xyz = np.empty(1500, np.float32)
    result.cloud.data.attributes["position"].data.foreach_get("vector", xyz)
    assert np.allclose(xyz.reshape(-1, 3), made.xyz, atol=1e-6)
    assert result.cloud.matrix_basis == result.cloud.matrix_parent_inverse == Matrix.Identity(4)
    camera = result.cameras["photo_000.jpg"]
    assert np.allclose(np.array(camera.matrix_local)[:3, 3], [0, -1, -4], atol=1e-6)


def test_the_photo_is_its_cameras_background(workspace):
    camera = import_workspace(workspace).cameras["photo_002.jpg"]
    background = camera.data.background_images[0]
    assert camera.data.show_background_images
    assert bpy.path.abspath(background.image.filepath) == str(
        workspace / "dense" / "images" / "photo_002.jpg"
    )
    assert tuple(background.image.size) == (60, 40)


def test_clip_and_display_sizes_follow_the_scene(workspace):
    """The world is twice the model's size: display sizes and clipping are measured in the world."""
    camera = import_workspace(workspace).cameras["photo_000.jpg"].data
    assert camera.clip_end > 2 * 8 * 10 and camera.clip_start < 0.01
    assert 0.1 < camera.display_size < 3


def test_importing_again_updates_in_place(workspace):
    first = import_workspace(workspace)
    before = counts()
    names = sorted(o.name for o in bpy.data.objects)
    again = import_workspace(workspace)
    assert (first.updated, again.updated) == (False, True)
    assert again.collection == first.collection and again.empty == first.empty
    assert counts() == before and sorted(o.name for o in bpy.data.objects) == names


def test_importing_again_keeps_what_the_user_did(workspace):
    first = import_workspace(workspace)
    first.empty.location = (7, 8, 9)
    mine = bpy.data.objects.new("Mine", None)
    first.collection.objects.link(mine)
    mine.parent = first.empty
    again = import_workspace(workspace)
    assert tuple(again.empty.location) == (7, 8, 9)
    assert mine.parent == again.empty and mine.name in again.collection.objects


def test_a_new_placement_is_adopted(workspace):
    first = import_workspace(workspace)
    first.empty.location = (7, 8, 9)
    turned = np.eye(4).tolist()
    (workspace / "placement.json").write_text(json.dumps({"version": 1, "world_from_model": turned}))
    assert tuple(import_workspace(workspace).empty.location) == (0, 0, 0)


def test_cameras_found_again_are_where_the_user_put_the_old_ones(tmp_path):
    """The new model has another frame, another size, and its own placement."""
    made = ring(5)
    first = import_workspace(write_workspace(tmp_path / "w", made))
    first.empty.matrix_basis = (
        Matrix.Translation((7, 8, 9)) @ Matrix.Rotation(0.4, 4, "X") @ Matrix.Scale(0.3, 4)
    )
    bpy.context.view_layer.update()
    before = {name: camera.matrix_world.copy() for name, camera in first.cameras.items()}
    turn = rotation_matrix(np.array([0.9, 0.1, -0.3, 0.2]))
    centers = {name: -rotation_matrix(q).T @ t for name, _, q, t in made.images}
    made.images = [
        (name, camera, quaternion(rotation_matrix(q) @ turn.T),
         -rotation_matrix(q) @ turn.T @ (2.5 * turn @ centers[name] + [1, 2, 3]))
        for name, camera, q, t in made.images
    ]  # fmt: skip
    root = write_workspace(tmp_path / "w", made)
    (root / "placement.json").write_text(json.dumps({"version": 1, "world_from_model": np.eye(4).tolist()}))
    again = import_workspace(root)
    bpy.context.view_layer.update()
    for name, camera in again.cameras.items():
        off = camera.matrix_world.translation - before[name].translation
        assert off.length < 1e-4
        assert (
            camera.matrix_world.to_quaternion().rotation_difference(before[name].to_quaternion()).angle < 1e-3
        )
    moved = again.empty.matrix_basis.copy()
    assert import_workspace(root).empty.matrix_basis == moved


def test_two_workspaces_can_be_imported(workspace, tmp_path):
    import_workspace(workspace)
    other = import_workspace(write_workspace(tmp_path / "other", ring(3)))
    assert other.collection.name == "Recon3D.001" and len(other.cameras) == 3
    assert len(bpy.data.cameras) == 8


def test_names_do_not_matter(tmp_path):
    """Equal stems, names longer than Blender allows and hostile ones: objects are kept by reference."""
    made = ring(4)
    names = ["a/x.jpg", "b/x.jpg", "n" * 300 + ".jpg", "../../etc/passwd"]
    made.images = [(n, *rest) for n, (_, *rest) in zip(names, made.images, strict=True)]
    root = write_workspace(tmp_path / "w", made, photos=False)
    (root / "photos.json").unlink()
    result = import_workspace(root)
    assert set(result.cameras) == set(names) and len(set(result.cameras.values())) == 4
    assert result.cameras["../../etc/passwd"]["recon3d"]["photo"] == "../../etc/passwd"
    assert len(bpy.data.images) == 0


def test_sparse_points_replace_a_missing_dense_cloud(tmp_path):
    root = write_workspace(tmp_path / "w", ring(points=77), dense=False)
    result = import_workspace(root)
    assert result.points == 77
    assert any("sparse points" in note for note in result.notes)
    confidence = result.cloud.data.attributes["confidence"].data
    assert {item.value for item in confidence} == {2, 3, 4}


def test_a_folder_with_only_a_colmap_model(tmp_path):
    root = tmp_path / "w"
    write_binary(root / "sparse" / "0", ring(3))
    result = import_workspace(root)
    assert len(result.cameras) == 3 and any("placement.json" in note for note in result.notes)
    # COLMAP's y is down: a point above the origin in Blender has a negative y in the model.
    bpy.context.view_layer.update()
    assert np.allclose(result.empty.matrix_world @ Vector((0, -1, 0)), (0, 0, 1), atol=1e-6)


def test_the_view_in_use_shows_colors_and_the_result(workspace):
    from blender_recon3d.scene.viewports import show_result, view_in_use

    bpy.ops.wm.read_factory_settings()
    result = import_workspace(workspace)
    show_result(result)
    space = view_in_use()
    assert space.shading.type == "MATERIAL"
    assert 5 < space.region_3d.view_distance < 40  # the ring's diameter is 16 in the world
    assert (Vector(space.region_3d.view_location) - Vector((1, 2, 3))).length < 4


def test_it_works_in_edit_mode(workspace):
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.mode_set(mode="EDIT")
    assert len(import_workspace(workspace).cameras) == 5
    assert bpy.context.mode == "EDIT_MESH"


def test_portrait_and_landscape_in_one_model(tmp_path):
    """Looking through each photo gives it its own frame; every camera projects as COLMAP does."""
    made = ring(4, 50, MadeCamera("PINHOLE", 1600, 1067, (1400.0, 1450.0, 790.0, 540.0)))
    made.cameras[2] = MadeCamera("SIMPLE_PINHOLE", 900, 1600, (1300.0, 455.0, 790.0))
    made.images = [(n, 1 + i % 2, q, t) for i, (n, _, q, t) in enumerate(made.images)]
    result = import_workspace(write_workspace(tmp_path / "w", made, photos=False))
    scene = bpy.context.scene
    for name, _, q, t in made.images:
        camera = result.cameras[name]
        cameras.look_through(scene, camera)
        bpy.context.view_layer.update()
        render = scene.render
        projection = camera.calc_matrix_camera(
            bpy.context.evaluated_depsgraph_get(),
            x=render.resolution_x,
            y=render.resolution_y,
            scale_x=render.pixel_aspect_x,
            scale_y=render.pixel_aspect_y,
        )
        world = np.c_[made.xyz, np.ones(len(made.xyz))] @ np.array(result.empty.matrix_world).T
        clip = world @ np.array(projection @ camera.matrix_world.normalized().inverted()).T
        pixels = (clip[:, :2] / clip[:, 3:] * [1, -1] + 1) / 2 * [render.resolution_x, render.resolution_y]
        assert np.abs(pixels - project(cameras.pinhole_from(camera.data), q, t, made.xyz)).max() < 0.005


BAD_JSON = {
    "no JSON": "{",
    "a list": "[]",
    "nothing in it": "{}",
    "no matrix": '{"world_from_model": 1, "photos": 1}',
    "three rows": '{"world_from_model": [[1,0,0,0],[0,1,0,0],[0,0,1,0]], "photos": [{}]}',
    "a mirror": '{"world_from_model": [[-1,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]], "photos": [{"name": 1}]}',
    "a shear": '{"world_from_model": [[1,1,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]], "photos": [{"name": "a"}]}',
    "not finite": '{"world_from_model": [[NaN,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]], "photos": [[]]}',
    "zero": '{"world_from_model": [[0,0,0,0],[0,0,0,0],[0,0,0,0],[0,0,0,1]], "photos": null}',
    "ragged": '{"world_from_model": [[1],[0,1]], "photos": [{"name": [], "source": "a"}]}',
    "deep": "[" * 100_000,
    "bytes": "\udcff",
}


@pytest.mark.parametrize("name", ["placement.json", "photos.json"])
@pytest.mark.parametrize("what", BAD_JSON)
def test_a_damaged_file_is_one_message_and_changes_nothing(name, what, workspace):
    (workspace / name).write_bytes(BAD_JSON[what].encode("utf-8", "surrogateescape"))
    before = counts()
    with pytest.raises(UserError) as caught:
        import_workspace(workspace)
    assert name in str(caught.value) and "\n" not in str(caught.value)
    assert counts() == before


def test_a_damaged_cloud_changes_nothing(workspace):
    path = workspace / "dense" / "fusion.ply"
    path.write_bytes(path.read_bytes()[:-1])
    before = counts()
    with pytest.raises(UserError, match=r"fusion\.ply"):
        import_workspace(workspace)
    assert counts() == before


def test_a_folder_that_is_not_a_workspace(tmp_path):
    with pytest.raises(UserError, match="holds no reconstruction"):
        import_workspace(tmp_path)
    with pytest.raises(UserError, match="holds no reconstruction"):
        import_workspace(tmp_path / "missing")


def test_a_model_without_photos_or_points(tmp_path):
    result = import_workspace(write_workspace(tmp_path / "w", MadeModel()))
    assert result.cameras == {} and result.points == 0
