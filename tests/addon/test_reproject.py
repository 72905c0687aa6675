"""Reproject Photos from Blender, with the real engine: an artist's mesh gets the photos' colors."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from mathutils import Matrix  # noqa: E402

from blender_recon3d import api  # noqa: E402
from blender_recon3d.jobs import reprojection  # noqa: E402
from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.scene.find_imports import empty_of, workspace_of  # noqa: E402
from blender_recon3d.scene.meshes.mesh_to_paint import use_picture, write_obj  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import MadeModel, ring, write_binary, write_workspace  # noqa: E402


@pytest.fixture
def imported(addon, tmp_path):
    root = write_mesh_files(write_workspace(tmp_path / "w", ring()), dome(8), dome(12), texture=16)
    result = api.import_result(root)
    # The tracks of synthetic models are not consistent enough for COLMAP.
    write_binary(root / "sparse" / "0", MadeModel(images=ring().images))
    return result


def artists_quad(name: str = "Mine") -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], [], [(0, 1, 2, 3)])
    layer = mesh.uv_layers.new(name="Layout")
    layer.uv.foreach_set("vector", [0, 0, 1, 0, 1, 1, 0, 1])
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.view_layer.objects.active = thing
    return thing


def test_the_file_is_in_the_models_frame_wherever_the_mesh_is(imported, tmp_path):
    thing = artists_quad()
    thing.matrix_basis = Matrix.Translation((1, 2, 3)) @ Matrix.Scale(2, 4)
    empty = empty_of(imported.collection)
    empty.matrix_basis = (
        Matrix.Translation((0, 0, 5)) @ Matrix.Rotation(np.pi / 2, 4, "Z") @ Matrix.Scale(4, 4)
    )
    write_obj(imported.collection, thing, tmp_path / "mine.obj")
    lines = [line.split() for line in (tmp_path / "mine.obj").read_text().splitlines()]
    points = np.array([line[1:] for line in lines if line[0] == "v"], float)
    # The world's (1, 2, 3): down by 5, back by a quarter turn, a fourth of the size.
    assert np.allclose(points[0], [0.5, -0.25, -0.5], atol=1e-6)
    assert np.allclose(points[1] - points[0], [0, -0.5, 0], atol=1e-6)
    assert [line[1:] for line in lines if line[0] == "f"] == [["1/1", "2/2", "3/3"], ["1/1", "3/3", "4/4"]]


def test_a_mesh_without_uvs_gets_some_and_modifiers_count(imported, tmp_path):
    thing = artists_quad()
    thing.data.uv_layers.remove(thing.data.uv_layers[0])
    thing.modifiers.new("More", "ARRAY").count = 3
    write_obj(imported.collection, thing, tmp_path / "mine.obj")
    assert len(thing.data.uv_layers) == 1 and "Recon3D Reproject" not in bpy.data.meshes
    assert (tmp_path / "mine.obj").read_text().count("\nf ") == 6


def test_the_picture_is_a_material_and_the_old_one_stays_in_the_file(imported, tmp_path):
    thing, mine = artists_quad(), bpy.data.materials.new("Clay")
    thing.data.materials.append(mine)
    picture = bpy.data.images.new("p", 4, 4)
    picture.filepath_raw, picture.file_format = str(tmp_path / "p.png"), "PNG"
    picture.save()
    before = set(bpy.data.materials.keys())
    for _ in range(2):  # again: the same material
        use_picture(thing, tmp_path / "p.png")
    assert [material.name for material in thing.data.materials] == ["Mine Photos"]
    assert mine.use_fake_user and set(bpy.data.materials.keys()) - before == {"Mine Photos"}
    texture = next(n for n in thing.data.materials[0].node_tree.nodes if n.type == "TEX_IMAGE")
    assert texture.outputs["Color"].links[0].to_socket.name == "Base Color"


def test_what_the_engine_cannot_paint_is_reported_and_nothing_changes(imported, engine_python):
    thing = artists_quad()
    thing.matrix_basis = Matrix.Translation((50, 0, 0))
    with pytest.raises(RuntimeError, match="No photo shows the mesh"):  # far away
        bpy.ops.recon3d.reproject_photos(size="256")
    assert not len(thing.data.materials) and not reprojection.running()
    thing.data.clear_geometry()
    with pytest.raises(UserError, match="has no faces"):
        api.reproject_photos(256)


def test_the_photos_come_onto_the_mesh(imported, engine_python):
    """All photos are green, so that the mesh, in the middle of the ring, becomes green too."""
    images = imported_root(imported) / "images"
    images.mkdir(exist_ok=True)
    photo = bpy.data.images.new("photo", 60, 40)
    photo.pixels.foreach_set(np.tile(np.array([0, 1, 0, 1], np.float32), 60 * 40))
    photo.file_format = "JPEG"
    for number in range(5):
        photo.filepath_raw = str(images / f"photo_{number:03d}.jpg")
        photo.save()
    thing = artists_quad()
    thing.parent = empty_of(imported.collection)
    thing.matrix_basis = Matrix.Translation((-0.5, 0.5, 0)) @ Matrix.Rotation(np.pi, 4, "X")
    sentence = api.reproject_photos(256)
    assert sentence.startswith("Painted Mine from the photos")
    texture = next(n for n in thing.data.materials[0].node_tree.nodes if n.type == "TEX_IMAGE")
    values = np.array(texture.image.pixels[:]).reshape(256, 256, 4)[64:-64, 64:-64, :3]
    assert np.abs(values - [0, 1, 0]).max() < 0.03  # JPEG
    assert (imported_root(imported) / "reprojected" / "Mine.png").is_file()


def imported_root(result):
    return workspace_of(result.collection)
