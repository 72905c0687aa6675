"""A workspace's mesh is imported with its colors and texture; a second import keeps the user's changes."""

import base64
import zlib

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from mathutils import Matrix  # noqa: E402

from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.pipeline.files.ply_mesh import write_mesh  # noqa: E402
from blender_recon3d.scene.cleaning.clean_modifier import positions  # noqa: E402
from blender_recon3d.scene.exporting.export_asset import export_asset  # noqa: E402
from blender_recon3d.scene.importing import mesh_files  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from blender_recon3d.scene.meshes import mesh_object, remesh  # noqa: E402
from tests.support.made_meshes import colors_of, dome, plane_with_hole, write_mesh_files, write_texture  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402

# 16 x 16 pixels as the engine writes them (texturing/light_image.py), compressed by zlib.
LIGHT = (
    "eNor0zdkZGJgYEjOSMzLS80pBjJyMotLGMyBYk4MjAwQwAjF7hgiQRgiDMn5uQVFqcXFmfl5KGyQJHNKYklieGZeSn45Q1J+"
    "hVEmgwADAvBDcUpmcUFOYiVBdTmZean+RSmpRUgssBMKMitScxyLC1KTS4ISSzLzGdJy8hNLGFjAuhvsi5OLUlPzIMY7p+aV"
    "ALWVGaUxcCBZgawkPDOlJAPNiJLKglSG4pKizLx0Bl6w+sQ8kCMycxPTUxniGBEmqQJxRVxyhgTr4oQnTbwZfzwz/iiZ1PFK"
    "1YfYakmE9nOx7a5i2PTx/2UAMTtbIQ=="
)


@pytest.fixture
def workspace(tmp_path):
    root = write_workspace(tmp_path / "Kapelle 礼拝堂", ring())
    return write_mesh_files(root, dome(8), dome(16), texture=16)


def triangles(thing) -> np.ndarray:
    return mesh_object.triangles_of(thing.data)[1]


def image_of(material):
    return next((n.image for n in material.node_tree.nodes if n.type == "TEX_IMAGE"), None)


def test_mesh_colors_uvs_and_texture_are_those_of_the_files(workspace):
    result = import_workspace(workspace)
    xyz, faces = dome(8)
    assert np.allclose(positions(result.mesh.data), xyz, atol=1e-6)
    assert np.array_equal(triangles(result.mesh), faces)
    assert result.mesh.parent == result.empty and result.mesh.matrix_basis == Matrix.Identity(4)
    colors = np.empty(4 * len(xyz), np.float32)
    result.mesh.data.color_attributes["Col"].data.foreach_get("color_srgb", colors)
    assert np.allclose(colors.reshape(-1, 4)[:, :3] * 255, colors_of(xyz), atol=0.6)
    uv = np.empty(6 * len(faces), np.float32)
    result.mesh.data.uv_layers["UVMap"].uv.foreach_get("vector", uv)
    expected = (xyz[faces.ravel()][:, [0, 2]] + 1) / 2
    assert np.allclose(uv.reshape(-1, 2), expected, atol=1e-3)
    image = image_of(result.mesh.data.materials[0])
    assert tuple(image.size) == (16, 16) and image.filepath.endswith("texture.png")
    assert result.summary() == f"Imported 5 cameras, 500 points and a mesh of {len(faces)} faces."
    assert result.notes == () and not result.mesh.data.validate()


def test_textures_of_more_than_8_bits_keep_their_color_space(workspace):
    """16-bit PNGs are sRGB although they have floats; OpenEXR is light, and a GLB gets the PNG beside it."""
    path = workspace / "texture" / "texture.png"
    deep = bpy.data.images.load(str(path))
    bpy.context.scene.render.image_settings.file_format = "PNG"
    bpy.context.scene.render.image_settings.color_depth = "16"
    deep.save_render(str(path))
    image = image_of(import_workspace(workspace).mesh.data.materials[0])
    assert image.is_float and image.colorspace_settings.name == "sRGB"
    color = list(image.pixels[:3])
    path.with_suffix(".exr").write_bytes(zlib.decompress(base64.b64decode(LIGHT)))
    result = import_workspace(workspace)
    image = image_of(result.mesh.data.materials[0])
    assert image.filepath.endswith("texture.exr") and "Linear" in image.colorspace_settings.name
    export_asset(result.collection, workspace.parent / "dome.glb", "GLB")
    bpy.ops.import_scene.gltf(filepath=str(workspace.parent / "dome.glb"))
    found = [each for each in bpy.data.images if each.packed_file]
    assert len(found) == 1
    encoded = np.array(found[0].pixels[:3])  # as stored, while those of floats are light
    assert np.allclose(((encoded + 0.055) / 1.055) ** 2.4, color, atol=0.01)
    assert image_of(result.mesh.data.materials[0]) == image


def test_normals_look_outward_and_are_smooth(workspace):
    """The engine's normals are means of the faces', too; on a sphere both have the direction of the radius."""
    result = import_workspace(workspace)
    normals = np.empty(3 * len(result.mesh.data.vertices), np.float32)
    result.mesh.data.vertex_normals.foreach_get("vector", normals)
    xyz, _ = dome(8)
    inner = xyz[:, 1] < -0.05  # not the rim
    assert (np.abs((normals.reshape(-1, 3) * xyz).sum(axis=1))[inner] > 0.99).all()


def test_the_first_mesh_hides_the_cloud(workspace):
    result = import_workspace(workspace)
    assert result.cloud.hide_get() and not result.mesh.hide_get()
    result.cloud.hide_set(False)
    result.cloud.hide_render = False
    assert not import_workspace(workspace).cloud.hide_get()


def test_without_a_texture_the_vertices_color_it(workspace):
    (workspace / "texture" / "mesh.ply").unlink()
    result = import_workspace(workspace)
    kinds = {node.type for node in result.mesh.data.materials[0].node_tree.nodes}
    assert "VERTEX_COLOR" in kinds and not len(result.mesh.data.uv_layers)


def test_a_texture_of_another_mesh_is_not_applied(workspace):
    write_texture(workspace, *plane_with_hole(), 16)
    result = import_workspace(workspace)
    assert image_of(result.mesh.data.materials[0]) is None
    assert result.notes == ("The texture belongs to an earlier mesh: press Build Mesh to make it again.",)


def test_without_a_mesh_nothing_changes(tmp_path):
    result = import_workspace(write_workspace(tmp_path / "w", ring()))
    assert result.mesh is None and result.summary() == "Imported 5 cameras and 500 points."
    assert not result.cloud.hide_get()
    with pytest.raises(UserError, match="has no mesh"):
        mesh_object.import_mesh(result.collection)


def test_a_second_import_updates_in_place_and_keeps_the_users_changes(workspace):
    first = import_workspace(workspace)
    thing = first.mesh
    thing.name, thing.data.name = "Mine", "My data"
    thing.modifiers.new("Bevel", "BEVEL")
    mine = bpy.data.materials.new("Gold")
    thing.data.materials.append(mine)
    small = remesh.decimate(first.collection, 60)
    write_mesh_files(workspace, dome(5), texture=32)
    again = import_workspace(workspace)
    assert again.mesh == thing and thing.name == "Mine" and "Bevel" in thing.modifiers
    assert len(thing.data.polygons) == len(dome(5)[1])
    assert [m.name for m in thing.data.materials] == ["Recon3D Mesh", "Gold"]
    assert tuple(image_of(thing.data.materials[0]).size) == (32, 32)
    assert small.name in again.collection.all_objects
    assert len([m for m in bpy.data.materials if m.name.startswith("Recon3D Mesh")]) == 1


def test_a_users_material_in_place_of_ours_stays(workspace):
    thing = import_workspace(workspace).mesh
    thing.data.materials.clear()
    thing.data.materials.append(bpy.data.materials.new("Gold"))
    assert [m.name for m in import_workspace(workspace).mesh.data.materials] == ["Gold"]


def test_it_is_updated_from_edit_mode(workspace):
    result = import_workspace(workspace)
    bpy.context.view_layer.update()
    bpy.context.view_layer.objects.active = result.mesh
    bpy.ops.object.mode_set(mode="EDIT")
    write_mesh_files(workspace, dome(5))
    again = import_workspace(workspace)
    assert len(again.mesh.data.polygons) == len(dome(5)[1])


def test_the_full_mesh_is_imported_on_request_and_removed_with_its_mesh(workspace):
    result = import_workspace(workspace)
    full = mesh_object.full_mesh(result.collection)
    assert len(full.data.polygons) == len(dome(16)[1]) and full.hide_get() and full.hide_render
    assert mesh_object.full_mesh(result.collection) == full
    import_workspace(workspace)
    assert not [o for o in result.collection.all_objects if o.name == "Recon3D Mesh Full"]


def test_a_damaged_mesh_is_reported_and_cameras_and_cloud_are_imported(workspace):
    path = workspace / "mesh" / "mesh.ply"
    path.write_bytes(path.read_bytes()[:-7])
    result = import_workspace(workspace)
    assert result.mesh is None and len(result.cameras) == 5 and "cut short" in result.notes[0]


def test_degenerate_faces_and_infinite_vertices_are_left_out(workspace):
    xyz, faces = plane_with_hole()
    from tests.support.made_meshes import _PLAIN, table

    vertices = table(xyz, _PLAIN)
    vertices["x"][0] = np.inf
    write_mesh(workspace / "mesh" / "mesh.ply", vertices, np.vstack([faces, [[1, 1, 2]]]).astype(np.int32))
    surface = mesh_files.read_surface(workspace)
    assert 0 < len(surface.faces) < len(faces) and 0 not in surface.faces
    result = import_workspace(workspace)
    assert not result.mesh.data.validate() and np.isfinite(positions(result.mesh.data)).all()


def test_a_mesh_without_faces_is_reported_and_the_cloud_stays_visible(workspace):
    xyz, faces = plane_with_hole()
    write_mesh_files(workspace, (xyz, faces[:0]))
    result = import_workspace(workspace)
    assert "no faces" in result.notes[0] and not result.cloud.hide_get()
    with pytest.raises(UserError, match="has no faces"):
        remesh.decimate(result.collection, 100)


def test_fewer_faces_with_uvs_colors_and_material(workspace):
    result = import_workspace(workspace)
    small = remesh.decimate(result.collection, 100)
    assert 60 <= len(small.data.polygons) <= 100
    assert len(small.data.uv_layers) == 1 and "Col" in small.data.color_attributes
    assert small.data.materials[0] == result.mesh.data.materials[0]
    assert result.mesh.hide_get() and len(result.mesh.data.polygons) == len(dome(8)[1])
    with pytest.raises(UserError, match="choose fewer"):
        remesh.decimate(result.collection, 5000)
    with pytest.raises(UserError, match="use at least"):
        remesh.decimate(result.collection, 2)


def test_quads_of_a_tiny_and_of_a_broken_mesh(workspace):
    """QuadriFlow itself refuses edges below 0.1 mm and non-manifold meshes; both give quads here."""
    xyz, faces = dome(8)
    for scaled, more, how in (
        (xyz * 1e-4, [], "QuadriFlow."),
        (xyz, [faces[0][[1, 0, 2]]] * 2, "Remesh modifier"),
    ):
        write_mesh_files(workspace, (scaled, np.vstack([faces, *([m] for m in more)]).astype(np.int32)))
        result = import_workspace(workspace)
        thing, sentence = remesh.quads(result.collection, 200)
        assert how in sentence, sentence
        sides = np.array([polygon.loop_total for polygon in thing.data.polygons])
        assert (sides == 4).mean() > 0.9 and 100 < len(sides) < 400
        assert "Col" in thing.data.color_attributes and result.mesh.hide_get()
        assert np.ptp(positions(thing.data)) == pytest.approx(np.ptp(scaled), rel=0.1)
