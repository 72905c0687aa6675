"""Normal and occlusion maps, and tiles, are imported into the material and exported from it."""

import json

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.pipeline.files.ply_mesh import read_mesh, write_mesh  # noqa: E402
from blender_recon3d.pipeline.texel_density import Density  # noqa: E402
from blender_recon3d.scene.asset_state import asset_state  # noqa: E402
from blender_recon3d.scene.exporting.export_asset import export_asset  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from blender_recon3d.scene.meshes.bake import bake_wanted  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import png, ring, write_workspace  # noqa: E402


def plain(color: tuple[int, int, int], size: int = 16) -> bytes:
    return png(np.full((size, size, 3), color, np.uint8))


@pytest.fixture
def workspace(tmp_path):
    root = write_mesh_files(write_workspace(tmp_path / "w", ring()), dome(8), texture=16)
    (root / "texture" / "normal.png").write_bytes(plain((128, 128, 255)))
    (root / "texture" / "occlusion.png").write_bytes(plain((200, 200, 200)))
    return root


@pytest.fixture
def tiled(workspace):
    """The texture's left and right halves as two tiles, red and green."""
    folder = workspace / "texture"
    vertices, faces = read_mesh(folder / "mesh.ply")
    right = np.repeat(vertices["s"].reshape(-1, 3).mean(axis=1) > 0.5, 3)
    vertices["s"] = np.clip(2 * vertices["s"] - right, 0.02, 0.98) + right
    write_mesh(folder / "mesh.ply", vertices, faces)
    for path in folder.glob("*.png"):
        path.unlink()
    for number, color in ((1001, (255, 0, 0)), (1002, (0, 255, 0))):
        (folder / f"texture.{number}.png").write_bytes(plain(color))
    return workspace


def material_of(result):
    return result.mesh.data.materials[0]


def read_glb(path):
    data = path.read_bytes()
    return json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])


def test_the_maps_are_in_the_material_once_and_in_the_glb(workspace, tmp_path):
    import_workspace(workspace)
    result = import_workspace(workspace)  # an update must not double them
    nodes = material_of(result).node_tree.nodes
    images = [node.image for node in nodes if node.type == "TEX_IMAGE"]
    assert sorted(image.name for image in images) == ["normal.png", "occlusion.png", "texture.png"]
    assert {image.colorspace_settings.name for image in images if image.name != "texture.png"} == {
        "Non-Color"
    }
    shader = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    assert shader.inputs["Normal"].is_linked
    export_asset(result.collection, tmp_path / "dome.glb", "GLB")
    (material,) = read_glb(tmp_path / "dome.glb")["materials"]
    assert "normalTexture" in material and "occlusionTexture" in material
    assert "baseColorTexture" in material["pbrMetallicRoughness"]


def test_maps_that_are_gone_leave_the_material(workspace):
    import_workspace(workspace)
    for name in ("normal", "occlusion"):
        (workspace / "texture" / f"{name}.png").unlink()
    nodes = material_of(import_workspace(workspace)).node_tree.nodes
    assert sorted(node.type for node in nodes) == ["BSDF_PRINCIPLED", "OUTPUT_MATERIAL", "TEX_IMAGE"]


def test_tiles_are_one_udim_image(tiled):
    import_workspace(tiled)
    result = import_workspace(tiled)
    (image,) = [node.image for node in material_of(result).node_tree.nodes if node.type == "TEX_IMAGE"]
    assert image.source == "TILED" and [tile.number for tile in image.tiles] == [1001, 1002]
    assert image.filepath.endswith("texture.<UDIM>.png")
    assert len([each for each in bpy.data.images if each.source == "TILED"]) == 1


@pytest.mark.parametrize("preset", ["GLB", "OBJ", "FBX"])
def test_an_export_has_a_material_for_each_tile(tiled, preset, tmp_path):
    result = import_workspace(tiled)
    before = set(bpy.data.materials), set(bpy.data.images)
    path = tmp_path / f"dome.{preset.lower()}"
    export_asset(result.collection, path, preset)
    assert (set(bpy.data.materials), set(bpy.data.images)) == before
    bpy.ops.wm.read_factory_settings(use_empty=True)
    {
        "GLB": bpy.ops.import_scene.gltf,
        "OBJ": bpy.ops.wm.obj_import,
        "FBX": bpy.ops.import_scene.fbx,
    }[preset](filepath=str(path))
    (thing,) = [obj for obj in bpy.data.objects if obj.type == "MESH"]
    mesh = thing.data
    assert len(mesh.materials) == 2
    colors = []
    for material in mesh.materials:
        image = next(node.image for node in material.node_tree.nodes if node.type == "TEX_IMAGE")
        colors.append(tuple(round(value) for value in image.pixels[:3]))
    assert colors == [(1, 0, 0), (0, 1, 0)]
    uv = np.empty(2 * len(mesh.loops), np.float32)
    mesh.uv_layers.active.uv.foreach_get("vector", uv)
    assert uv[::2].min() > 0 and uv[::2].max() < 1
    # The dome's left is red and its right green, whatever the axes: x is kept by all three.
    for polygon in mesh.polygons:
        x = (thing.matrix_world @ polygon.center).x
        if abs(x - 1) > 0.3:
            assert (x > 1) == (polygon.material_index == 1)


def test_baking_onto_tiles_says_what_to_do(tiled):
    with pytest.raises(UserError, match="several tiles"):
        bake_wanted(import_workspace(tiled).collection, "NORMAL", 64, 0.0)


def test_the_panel_knows_how_fine_the_photos_are(tiled):
    (tiled / "mesh" / "mesh.json").write_text('{"photo_detail": {"pixel": 0.5, "pixels": 1000.0}}')
    import_workspace(tiled)
    state = asset_state(bpy.context.scene)
    assert state.density == Density(0.5, 1000.0) and state.texture == (16, 2)


@pytest.mark.parametrize("content", ["", "[]", '{"photo_detail": {"pixel": "x"}}', '{"photo_detail": 1}'])
def test_a_damaged_mesh_json_only_takes_that_from_the_panel(workspace, content):
    (workspace / "mesh" / "mesh.json").write_text(content)
    import_workspace(workspace)
    assert asset_state(bpy.context.scene).density is None
