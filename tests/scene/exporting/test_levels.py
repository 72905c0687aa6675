"""A GLB with five levels of detail shows the first in programs that do not know levels."""

import json

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.scene.exporting.export_asset import export_asset  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402

FACES = len(dome(16)[1])


def test_five_levels_share_a_texture_and_only_the_first_is_in_the_scene(tmp_path):
    root = write_mesh_files(write_workspace(tmp_path / "w", ring()), dome(16), texture=16)
    collection = import_workspace(root).collection
    before = set(bpy.data.objects), set(bpy.data.meshes)
    path = tmp_path / "Köpfe.glb"
    assert export_asset(collection, path, "LODS").startswith(f"Exported {FACES} faces")
    assert (set(bpy.data.objects), set(bpy.data.meshes)) == before
    data = path.read_bytes()
    assert int.from_bytes(data[8:12], "little") == len(data)
    document = json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])
    assert len(document["images"]) == len(document["materials"]) == 1
    (root_node,) = document["scenes"][0]["nodes"]
    first = document["nodes"][root_node]
    levels = [root_node, *first["extensions"]["MSFT_lod"]["ids"]]
    assert [document["nodes"][number]["name"] for number in levels] == [f"Köpfe_LOD{k}" for k in range(5)]
    assert len(first["extras"]["MSFT_screencoverage"]) == 5 and "MSFT_lod" in document["extensionsUsed"]
    counts = []
    for number in levels:
        (primitive,) = document["meshes"][document["nodes"][number]["mesh"]]["primitives"]
        counts.append(document["accessors"][primitive["indices"]]["count"] // 3)
    assert counts[0] == FACES
    assert counts[1:] == pytest.approx([FACES / 2, FACES / 4, FACES / 8, FACES / 16], rel=0.1)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(path))
    # Blender's importer takes what is not in the scene, too.
    assert [len(obj.data.polygons) for obj in sorted(bpy.data.objects, key=lambda obj: obj.name)] == counts
