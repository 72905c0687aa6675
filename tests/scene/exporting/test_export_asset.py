"""Exports are read back: size in meters, up axis, faces, texture."""

import json
import shutil
import struct
import subprocess
import zipfile

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.pipeline.files.ply_mesh import read_mesh  # noqa: E402
from blender_recon3d.scene.cleaning.clean_modifier import positions  # noqa: E402
from blender_recon3d.scene.exporting import export_asset  # noqa: E402
from blender_recon3d.scene.exporting.formats import EXPORTERS  # noqa: E402
from blender_recon3d.scene.find_imports import empty_of  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from blender_recon3d.scene.meshes import open_edges  # noqa: E402
from tests.support.made_meshes import dome, plane_with_hole, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402

VALIDATOR = "gltf-validator@2.0.0-dev.3.10"
FACES = len(dome(8)[1])
# The hemisphere of radius 1 after made_workspaces' placement: twice as large, z up, moved by (1, 2, 3).
LOW, HIGH = np.array([-1.0, 0, 3]), np.array([3.0, 4, 5])


@pytest.fixture
def workspace(tmp_path):
    root = write_workspace(tmp_path / "w", ring())
    return write_mesh_files(root, dome(8), texture=16)


@pytest.fixture
def collection(workspace):
    return import_workspace(workspace).collection


def read_back(operator, path) -> tuple[np.ndarray, np.ndarray, int]:
    """Bounds in Blender's world and number of triangles of a file, imported into an empty Blender."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    operator(filepath=str(path))
    bpy.context.view_layer.update()
    things = [o for o in bpy.data.objects if o.type == "MESH"]
    corners = [(np.array(o.matrix_world) @ np.append(p, 1))[:3] for o in things for p in positions(o.data)]
    corners = np.array(corners)
    faces = sum(len(p.vertices) - 2 for o in things for p in o.data.polygons)
    return corners.min(axis=0), corners.max(axis=0), faces


IMPORTERS = {
    "GLB": lambda **words: bpy.ops.import_scene.gltf(**words),
    "FBX": lambda **words: bpy.ops.import_scene.fbx(**words),
    "OBJ": lambda **words: bpy.ops.wm.obj_import(**words),
    "PLY": lambda **words: bpy.ops.wm.ply_import(forward_axis="Y", up_axis="Z", **words),
    "USD": lambda **words: bpy.ops.wm.usd_import(**words),
    "ABC": lambda **words: bpy.ops.wm.alembic_import(as_background_job=False, **words),
    "STL": lambda **words: bpy.ops.wm.stl_import(forward_axis="Y", up_axis="Z", **words),
}


@pytest.mark.parametrize("preset", list(EXPORTERS))
def test_size_up_axis_and_faces_come_back(collection, preset, tmp_path):
    if not EXPORTERS[preset].available():
        pytest.skip(f"this Blender was built without {preset}")
    sentence = export_asset.export_asset(collection, tmp_path / "out" / "asset", preset)
    path = tmp_path / "out" / f"asset{EXPORTERS[preset].endings[0]}"
    assert sentence.startswith(f"Exported {FACES} faces to {path}.")
    assert not [p for p in path.parent.iterdir() if p.name.startswith(".")]
    low, high, faces = read_back(IMPORTERS[preset], path)
    assert np.allclose(low, LOW, atol=1e-4) and np.allclose(high, HIGH, atol=1e-4)
    assert faces == FACES
    if preset in ("GLB", "FBX", "OBJ", "USD"):
        images = [i for i in bpy.data.images if i.type == "IMAGE" and tuple(i.size) == (16, 16)]
        assert images, "the texture is not there"
        assert all(len(m.uv_layers) for m in bpy.data.meshes)
    if preset == "PLY":
        assert len(bpy.data.meshes[0].color_attributes) == 1


GPS = {"latitude_longitude": [47.1, 8.5], "origin_east_north": [0.0, 0.0], "altitude": 500.0}


@pytest.mark.parametrize(("preset", "up"), [("GLB", 1), ("PLY", 2), ("LODS", 1), ("PRINT", None)])
def test_the_place_on_earth_is_beside_a_file_in_meters(workspace, tmp_path, preset, up):
    placement = json.loads((workspace / "placement.json").read_text())
    (workspace / "placement.json").write_text(json.dumps({**placement, "gps": GPS}))
    collection = import_workspace(workspace).collection
    said = export_asset.export_asset(collection, tmp_path / "a", preset)
    assert (tmp_path / "a.prj").exists() == ("place on Earth is in" in said) == (up is not None)
    if up is None:
        return
    about = json.loads((tmp_path / "a.crs.json").read_text())
    assert about["axes"][up] == "up" and about["latitude_longitude"] == [47.1, 8.5]
    empty_of(collection).location.x += 1
    said = export_asset.export_asset(collection, tmp_path / "moved", preset)
    assert "moved, turned or scaled" in said and not (tmp_path / "moved.prj").exists()


def test_the_place_on_earth_reaches_the_blender_that_writes_the_file(workspace, tmp_path):
    placement = json.loads((workspace / "placement.json").read_text())
    (workspace / "placement.json").write_text(json.dumps({**placement, "gps": GPS}))
    collection = import_workspace(workspace).collection
    asset = export_asset.asset_of(collection, tmp_path / "a.ply", "PLY", False, 1.0)
    words = json.loads(json.dumps(export_asset.words_of(asset)))
    export_asset.write_asset(export_asset.asset_from_words(asset.source, words))
    assert (tmp_path / "a.prj").read_text().startswith("PROJCS")


def glb_json(path) -> dict:
    data = path.read_bytes()
    length = struct.unpack("<I", data[12:16])[0]
    return json.loads(data[20 : 20 + length])


def test_a_glb_is_y_up_in_meters_without_a_transform(collection, tmp_path):
    export_asset.export_asset(collection, tmp_path / "a.glb", "GLB")
    document = glb_json(tmp_path / "a.glb")
    primitive = document["meshes"][0]["primitives"][0]
    position = document["accessors"][primitive["attributes"]["POSITION"]]
    assert np.allclose(position["min"], [LOW[0], LOW[2], -HIGH[1]], atol=1e-5)
    assert np.allclose(position["max"], [HIGH[0], HIGH[2], -LOW[1]], atol=1e-5)
    assert not {"rotation", "scale", "matrix", "translation"} & set(document["nodes"][0])
    assert set(primitive["attributes"]) == {"POSITION", "NORMAL", "TEXCOORD_0"}
    assert document["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]["index"] == 0
    assert document["images"][0]["mimeType"] == "image/jpeg"


def test_without_a_texture_a_glb_has_the_vertices_colors(workspace, tmp_path):
    shutil.rmtree(workspace / "texture")
    export_asset.export_asset(import_workspace(workspace).collection, tmp_path / "a.glb", "GLB")
    attributes = glb_json(tmp_path / "a.glb")["meshes"][0]["primitives"][0]["attributes"]
    assert "COLOR_0" in attributes and "TEXCOORD_0" not in attributes


@pytest.fixture(scope="session")
def validator(tmp_path_factory):
    """Khronos' validator in its own folder; a function from a file to its report."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("validator")
    words = [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", VALIDATOR]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip(f"{VALIDATOR} cannot be installed: {done.stderr.strip()[-200:]}")
    script = folder / "validate.js"
    script.write_text(
        "const fs = require('fs'), v = require('gltf-validator');"
        "v.validateBytes(new Uint8Array(fs.readFileSync(process.argv[2])))"
        ".then(r => console.log(JSON.stringify(r.issues)));"
    )

    def validate(path) -> dict:
        return json.loads(subprocess.run([node, script, path], capture_output=True, check=True).stdout)

    return validate


def test_khronos_finds_no_fault_with_the_glb(collection, validator, tmp_path):
    export_asset.export_asset(collection, tmp_path / "a.glb", "GLB")
    issues = validator(tmp_path / "a.glb")
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]
    broken = (tmp_path / "a.glb").read_bytes().replace(b"POSITION", b"POSITIOM")
    (tmp_path / "broken.glb").write_bytes(broken)
    assert validator(tmp_path / "broken.glb")["numErrors"] > 0


def test_an_obj_is_self_contained_with_its_texture_and_y_up(collection, tmp_path):
    export_asset.export_asset(collection, tmp_path / "a.obj", "OBJ")
    lines = (tmp_path / "a.obj").read_text().splitlines()
    xyz = np.array([[float(w) for w in line.split()[1:4]] for line in lines if line.startswith("v ")])
    assert np.allclose(xyz.max(axis=0), [HIGH[0], HIGH[2], -LOW[1]], atol=1e-4)
    material = (tmp_path / "a.mtl").read_text()
    image = next(line.split()[-1] for line in material.splitlines() if line.startswith("map_Kd"))
    assert "/" not in image and (tmp_path / image).is_file()


def test_an_stl_says_what_is_open_and_is_filled_on_demand(collection, tmp_path):
    rim = 16
    assert export_asset.export_asset(collection, tmp_path / "a.stl", "STL").endswith(
        f"It is not watertight: {rim} open edges."
    )
    before = len(bpy.data.objects["Recon3D Mesh"].data.polygons)
    sentence = export_asset.export_asset(collection, tmp_path / "b.stl", "STL", fill=True, scale=1000)
    assert sentence.endswith("One hole was filled. It is watertight.")
    assert len(bpy.data.objects["Recon3D Mesh"].data.polygons) == before
    data = (tmp_path / "b.stl").read_bytes()
    count = struct.unpack("<I", data[80:84])[0]
    table = np.frombuffer(data[84:], np.dtype([("f", "<f4", (4, 3)), ("a", "<u2")]))["f"][:, 1:]
    assert count == FACES + rim and np.allclose(table.reshape(-1, 3).max(axis=0), HIGH * 1000, atol=0.1)
    vertices, faces = np.unique(np.round(table.reshape(-1, 3), 1), axis=0, return_inverse=True)
    assert open_edges.openness(faces.reshape(-1, 3)).watertight and len(vertices) > 50


def test_a_mesh_of_holes_only_is_filled_and_exported(workspace, tmp_path):
    write_mesh_files(workspace, plane_with_hole())
    collection = import_workspace(workspace).collection
    assert "8 open edges" in export_asset.export_asset(collection, tmp_path / "a.stl", "STL")
    assert "2 holes were filled. It is watertight" in export_asset.export_asset(
        collection, tmp_path / "a.stl", "STL", fill=True
    )


def test_crossing_faces_are_counted():
    fan = np.array([[0, 1, 2], [0, 1, 3], [1, 0, 4]])
    assert (
        open_edges.openness(fan).crossed == 1 and "cross or disagree" in open_edges.openness(fan).sentence()
    )
    assert open_edges.openness(np.array([[0, 1, 2], [0, 1, 3]])).crossed == 1  # to different sides
    loops = open_edges.holes(np.array([[0, 1, 2], [2, 3, 4]]))  # that touch in a point
    turned = sorted(loop[loop.index(min(loop)) :] + loop[: loop.index(min(loop))] for loop in loops)
    assert turned == [[0, 2, 1], [2, 4, 3]]


def test_what_is_shown_is_exported_with_its_modifiers_from_any_mode(collection, tmp_path):
    thing = bpy.data.objects["Recon3D Mesh"]
    thing.modifiers.new("Split", "SUBSURF").levels = 1
    bpy.context.view_layer.update()
    bpy.context.view_layer.objects.active = thing
    bpy.ops.object.mode_set(mode="EDIT")
    export_asset.export_asset(collection, tmp_path / "a.ply", "PLY")
    assert thing.mode == "EDIT"
    assert len(read_mesh_any(tmp_path / "a.ply")) > 2 * len(thing.data.vertices)


def read_mesh_any(path):
    from blender_recon3d.pipeline.files.ply import read_vertices

    return read_vertices(path)


def test_the_scenes_unit_becomes_meters(collection, tmp_path):
    bpy.context.scene.unit_settings.scale_length = 0.01
    export_asset.export_asset(collection, tmp_path / "a.ply", "PLY")
    vertices = read_mesh_any(tmp_path / "a.ply")
    assert vertices["z"].max() == pytest.approx(HIGH[2] / 100, rel=1e-4)


def test_an_earlier_file_is_whole_when_the_export_fails(collection, tmp_path):
    (tmp_path / "a.glb").write_bytes(b"mine")
    bpy.data.objects["Recon3D Mesh"].data.clear_geometry()
    with pytest.raises(UserError, match="has no faces"):
        export_asset.export_asset(collection, tmp_path / "a.glb", "GLB")
    assert (tmp_path / "a.glb").read_bytes() == b"mine"


def test_what_cannot_be_exported_is_reported(collection, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        export_asset.export_asset(collection, tmp_path / "file" / "a.glb", "GLB")
    with pytest.raises(UserError, match="no preset XYZ"):
        export_asset.export_asset(collection, tmp_path / "a.xyz", "XYZ")
    bpy.data.objects.remove(bpy.data.objects["Recon3D Mesh"])
    with pytest.raises(UserError, match="There is no mesh"):
        export_asset.export_asset(collection, tmp_path / "a.glb", "GLB")


# -- for a purpose ----------------------------------------------------------------------------------


def test_game_has_levels_of_detail_and_a_hull(collection, tmp_path):
    said = export_asset.export_asset(collection, tmp_path / "Köpfe 1.fbx", "GAME")
    assert said.startswith(f"Exported {FACES} faces")
    assert not [thing for thing in bpy.data.objects if "LOD" in thing.name or thing.name.startswith("UCX")]
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.fbx(filepath=str(tmp_path / "Köpfe 1.fbx"))
    things = {thing.name: thing for thing in bpy.data.objects}
    assert set(things) == {"K_pfe_1", *(f"K_pfe_1_LOD{n}" for n in range(3)), "UCX_K_pfe_1_LOD0_01"}
    faces = [len(things[f"K_pfe_1_LOD{n}"].data.polygons) for n in range(3)]
    assert faces[0] == FACES and faces[0] > faces[1] > faces[2] > 0
    assert all(things[f"K_pfe_1_LOD{n}"].parent == things["K_pfe_1"] for n in range(3))
    hull = things["UCX_K_pfe_1_LOD0_01"]
    corners = np.array([hull.matrix_world @ v.co for v in hull.data.vertices])
    assert (
        len(corners) <= 64
        and open_edges.openness(np.array([list(p.vertices) for p in hull.data.polygons])).watertight
    )
    assert np.allclose(corners.min(axis=0), LOW, atol=0.05) and np.allclose(
        corners.max(axis=0), HIGH, atol=0.05
    )


def test_web_is_valid_and_has_webp(collection, validator, tmp_path):
    export_asset.export_asset(collection, tmp_path / "a.glb", "WEB")
    document = glb_json(tmp_path / "a.glb")
    assert document["images"][0]["mimeType"] == "image/webp"
    assert validator(tmp_path / "a.glb")["numErrors"] == 0


def test_web_textures_are_small_enough_for_phones(workspace, tmp_path):
    write_mesh_files(workspace, dome(8), texture=2304)
    collection = import_workspace(workspace).collection
    before = {image.name: tuple(image.size) for image in bpy.data.images}
    export_asset.export_asset(collection, tmp_path / "a.glb", "WEB")
    assert {image.name: tuple(image.size) for image in bpy.data.images} == before
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(tmp_path / "a.glb"))
    assert {tuple(image.size) for image in bpy.data.images if image.size[0]} == {(2048, 2048)}


def test_print_is_closed_and_in_millimeters(collection, tmp_path):
    said = export_asset.export_asset(collection, tmp_path / "a.stl", "PRINT")
    assert said.endswith("One hole was filled. It is watertight.")
    data = (tmp_path / "a.stl").read_bytes()
    table = np.frombuffer(data[84:], np.dtype([("f", "<f4", (4, 3)), ("a", "<u2")]))["f"][:, 1:]
    assert np.allclose(table.reshape(-1, 3).max(axis=0), HIGH * 1000, atol=0.1)


@pytest.mark.parametrize("ending", [".usdc", ".abc"])
def test_vfx_has_the_cameras(collection, ending, tmp_path):
    if not export_asset.exporter_of("VFX", tmp_path / f"a{ending}").available():
        pytest.skip(f"this Blender was built without {ending}")
    said = export_asset.export_asset(collection, tmp_path / f"a{ending}", "VFX")
    assert "With 5 cameras." in said
    low, high, faces = read_back(IMPORTERS["USD" if ending == ".usdc" else "ABC"], tmp_path / f"a{ending}")
    assert np.allclose(low, LOW, atol=1e-4) and np.allclose(high, HIGH, atol=1e-4) and faces == FACES
    assert len([thing for thing in bpy.data.objects if thing.type == "CAMERA"]) == 5


@pytest.mark.parametrize("name", ["Köpfe und Füße.glb", "a b  c.glb", "x" * 190 + ".glb"])
def test_any_name_is_accepted(collection, name, tmp_path):
    export_asset.export_asset(collection, tmp_path / name, "GLB")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".glb"] == [name]


def test_read_mesh_reads_what_the_engine_writes(workspace):
    assert len(read_mesh(workspace / "mesh" / "mesh.ply")[1]) == FACES


@pytest.mark.parametrize("ending", [".obj", ".usdc"])
def test_two_exports_in_one_folder_keep_their_textures(collection, ending, tmp_path):
    preset = "OBJ" if ending == ".obj" else "USD"
    material = bpy.data.objects["Recon3D Mesh"].data.materials[0]
    image = next(node.image for node in material.node_tree.nodes if node.type == "TEX_IMAGE")
    before = (image.name, image.filepath_raw)
    for name in ("Säule 1", "Säule 2"):
        export_asset.export_asset(collection, tmp_path / f"{name}{ending}", preset)
    assert (image.name, image.filepath_raw) == before
    pictures = [path.name for path in tmp_path.rglob("*.png") if "w" not in path.relative_to(tmp_path).parts]
    assert len(pictures) == 2 and all(name.isascii() and " " not in name for name in pictures)


def test_an_obj_from_blender_is_not_shiny_and_finds_its_files(collection, tmp_path):
    export_asset.export_asset(collection, tmp_path / "My Köpf.obj", "OBJ")
    lines = (tmp_path / "My Köpf.obj").read_text("utf-8").splitlines()
    material = tmp_path / next(line for line in lines if line.startswith("mtllib ")).partition(" ")[2]
    words = dict(line.split(" ", 1) for line in material.read_text("utf-8").splitlines() if " " in line)
    assert " " not in material.name and material.name.isascii()
    assert (tmp_path / words["map_Kd"]).is_file()
    assert words["Ks"] == "0.000000 0.000000 0.000000"


def test_a_usdz_keeps_its_name_and_is_one_file(collection, tmp_path):
    export_asset.export_asset(collection, tmp_path / "out" / "asset.usdz", "USD")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["asset.usdz"]
    assert zipfile.is_zipfile(tmp_path / "out" / "asset.usdz")
