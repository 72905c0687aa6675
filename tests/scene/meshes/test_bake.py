"""A normal map of the full mesh, and colors for a copy with other UVs."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.scene.cleaning.clean_modifier import positions  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from blender_recon3d.scene.meshes import bake, remesh  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402

SIZE = 256


@pytest.fixture
def workspace(tmp_path):
    """A smooth dome, and the same with waves of 5 % before decimation."""
    root = write_workspace(tmp_path / "w", ring())
    return write_mesh_files(root, dome(10), dome(40, bump=0.05), texture=32)


def pixels(image) -> np.ndarray:
    values = np.empty(4 * SIZE * SIZE, np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(SIZE, SIZE, 4)[..., :3]


def node(material, kind):
    return next((n for n in material.node_tree.nodes if n.type == kind), None)


def test_the_full_meshs_normals_are_baked_saved_and_wired(workspace):
    result = import_workspace(workspace)
    sentence = bake.bake_normals(result.collection, SIZE)
    assert sentence == "Baked 256 x 256 normals of the full mesh onto Recon3D Mesh."
    material = result.mesh.data.materials[0]
    normal = node(material, "NORMAL_MAP")
    assert normal.outputs["Normal"].links[0].to_node.type == "BSDF_PRINCIPLED"
    image = normal.inputs["Color"].links[0].from_node.image
    assert image.colorspace_settings.name == "Non-Color" and normal.uv_map == "UVMap"
    assert (workspace / "texture" / "recon3d_mesh_normal.png").is_file()
    normals = pixels(image)[SIZE // 4 : -SIZE // 4, SIZE // 4 : -SIZE // 4] * 2 - 1
    # Unit vectors that look outward, and the waves: slopes up to 0.3 (6 waves of 0.05 on a circle of radius 1).
    assert np.abs(np.linalg.norm(normals, axis=-1) - 1).max() < 0.05
    assert (normals[..., 2] > 0.7).mean() > 0.95
    assert 0.05 < np.abs(normals[..., 0]).mean() < 0.4
    assert len(bpy.data.scenes) == 1 and "Recon3D Bake" not in bpy.data.materials


def test_the_cage_covers_the_distance_between_both(workspace):
    result = import_workspace(workspace)
    from blender_recon3d.scene.meshes.mesh_object import full_mesh

    extrusion = bake.cage_extrusion(result.mesh.data, full_mesh(result.collection).data)
    assert 0.04 < extrusion < 0.15


def test_baking_again_replaces_the_image(workspace):
    result = import_workspace(workspace)
    for _ in range(2):
        bake.bake_normals(result.collection, SIZE)
    names = [image.name for image in bpy.data.images if "Normal" in image.name]
    assert names == ["Recon3D Mesh Normal"]
    kinds = [n.type for n in result.mesh.data.materials[0].node_tree.nodes]
    assert kinds.count("NORMAL_MAP") == 1


def test_quads_get_uvs_and_the_textures_colors(workspace):
    result = import_workspace(workspace)
    made, _ = remesh.quads(result.collection, 400)
    bake.bake_texture(result.collection, SIZE)
    assert len(made.data.uv_layers) == 1
    texture = node(made.data.materials[0], "TEX_IMAGE")
    assert texture.outputs["Color"].links[0].to_socket.name == "Base Color"
    # The texture is red where x < 0 and green where x > 0: so is what is baked, at each corner's UV.
    colors, corners = pixels(texture.image), np.empty(2 * len(made.data.loops), np.float32)
    made.data.uv_layers[0].uv.foreach_get("vector", corners)
    vertices = np.empty(len(made.data.loops), np.int32)
    made.data.loops.foreach_get("vertex_index", vertices)
    x = positions(made.data)[vertices, 0]
    column, row = np.clip((corners.reshape(-1, 2) * SIZE).astype(int), 0, SIZE - 1).T
    found = colors[row, column]
    clear = np.abs(x) > 0.3
    assert ((found[:, 0] > found[:, 1]) == (x < 0))[clear].mean() > 0.98


def test_materials_of_the_users_and_hidden_meshes_are_left_alone(workspace):
    result = import_workspace(workspace)
    thing = result.mesh
    mine = bpy.data.materials.new("Mine")
    if mine.node_tree is None:  # before 5.0
        mine.use_nodes = True
    mine.node_tree.nodes.clear()
    thing.data.materials.clear()
    thing.data.materials.append(mine)
    thing.hide_set(True)
    bpy.context.view_layer.layer_collection.children[result.collection.name].exclude = True
    sentence = bake.bake_normals(result.collection, 64)
    assert "Mine has no Principled BSDF: connect Recon3D Mesh Normal yourself." in sentence
    assert [m.name for m in thing.data.materials] == ["Mine"] and not len(mine.node_tree.nodes)


def test_without_the_folder_the_image_is_packed_in_the_file(workspace, monkeypatch):
    result = import_workspace(workspace)
    from blender_recon3d.scene.meshes.mesh_object import full_mesh

    full_mesh(result.collection)
    workspace.rename(workspace.with_name("elsewhere"))
    bake.bake_normals(result.collection, 64)
    assert bpy.data.images["Recon3D Mesh Normal"].packed_file is not None


def test_what_cannot_be_baked_is_reported(workspace):
    result = import_workspace(workspace)
    with pytest.raises(UserError, match="choose 16 to 16384"):
        bake.bake_normals(result.collection, 5)
    with pytest.raises(UserError, match="use Remesh to Quads first"):
        bake.bake_texture(result.collection, SIZE)
    (workspace / "mesh" / "full.ply").unlink()
    with pytest.raises(UserError, match="no full mesh"):
        bake.bake_normals(result.collection, SIZE)
