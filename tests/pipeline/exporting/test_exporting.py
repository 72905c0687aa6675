"""Exported files, read back: the same surface, upright, with the texture the right way up."""

from __future__ import annotations

import json
import struct

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.exporting.export_mesh import export
from blender_recon3d.pipeline.exporting.picture import four_sides
from blender_recon3d.pipeline.files.atomic_files import write_json
from blender_recon3d.pipeline.files.ply import columns
from blender_recon3d.pipeline.files.ply_mesh import read_mesh
from blender_recon3d.pipeline.stage_settings import TextureSettings
from blender_recon3d.pipeline.stages import texture as stage
from blender_recon3d.pipeline.texturing.textured_mesh import TexturedMesh
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.engine import recon3d
from tests.support.painted_scene import true_color, write_capture

SCALE = 2.5
# The box scene's y is down; the world's z is up, its scale 2.5 times as large, and its origin elsewhere.
WORLD = np.array([[SCALE, 0, 0, 1], [0, 0, SCALE, 2], [0, -SCALE, 0, 3], [0, 0, 0, 1.0]])
SIZE = 512


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    workspace = write_capture(tmp_path_factory.mktemp("export") / "workspace", 5).workspace
    stage.run(workspace, TextureSettings(texture_size=SIZE), Progress())
    write_json(workspace.placement, {"version": 1, "world_from_model": WORLD.tolist(), "how": "known"})
    return workspace


def model_points(world: np.ndarray) -> np.ndarray:
    return (world - WORLD[:3, 3]) @ np.linalg.inv(WORLD[:3, :3]).T


def y_up_to_z_up(points: np.ndarray) -> np.ndarray:
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1)


def check_surface(
    points: np.ndarray, normals: np.ndarray, uv: np.ndarray, image: np.ndarray, near=1e-5, tilt=1e-3
) -> None:
    """Points and normals of the world at corners with UVs (v up) into an RGB image: the scene's, in true colors."""
    scene = model_points(points)
    assert scene[:, 1].max() == pytest.approx(0, abs=near)
    assert scene[:, 1].min() == pytest.approx(-0.7, abs=near)
    ground = np.abs(scene[:, 1]) < near
    flat = ground & (np.abs(scene[:, 0]) > 0.5)
    np.testing.assert_allclose(normals[flat], np.broadcast_to([0, 0, 1], normals[flat].shape), atol=tilt)
    seen = flat & (np.abs(scene[:, 0]) < 0.7) & (scene[:, 2] < -0.2) & (scene[:, 2] > -0.9)
    column, row = (uv[:, 0] * SIZE).astype(int), ((1 - uv[:, 1]) * SIZE).astype(int)
    found = image[row.clip(0, SIZE - 1), column.clip(0, SIZE - 1)].astype(float)
    off = np.abs(found - true_color(scene))[seen].max(axis=1)
    assert seen.sum() > 20
    assert np.median(off) < 8  # a texel is a centimeter, on waves of half a meter


def test_an_obj_is_complete_and_upright(workspace, tmp_path):
    path = tmp_path / "box.obj"
    assert export(workspace, path) == [path, tmp_path / "box.mtl", tmp_path / "box.png"]
    lines = [line.split() for line in path.read_text().splitlines()]
    table = {
        key: np.array([line[1:] for line in lines if line[0] == key], float) for key in ("v", "vt", "vn")
    }
    faces = np.array([[part.split("/") for part in line[1:]] for line in lines if line[0] == "f"], int) - 1
    _, before = read_mesh(workspace.mesh_file)
    assert len(faces) == len(before) and len(table["v"]) == len(np.unique(before))
    assert ["mtllib", "box.mtl"] in lines
    assert "map_Kd box.png" in (tmp_path / "box.mtl").read_text()
    v, vt, vn = (faces[..., k].ravel() for k in range(3))
    image = cv2.imread(str(tmp_path / "box.png"))[..., ::-1]
    check_surface(y_up_to_z_up(table["v"][v]), y_up_to_z_up(table["vn"][vn]), table["vt"][vt], image)


def read_glb(data: bytes) -> tuple[dict, list[bytes]]:
    magic, version, total = struct.unpack_from("<4sII", data)
    assert (magic, version, total) == (b"glTF", 2, len(data))
    length, kind = struct.unpack_from("<II", data, 12)
    assert kind == 0x4E4F534A and length % 4 == 0
    document = json.loads(data[20 : 20 + length])
    size, kind = struct.unpack_from("<II", data, 20 + length)
    assert kind == 0x004E4942 and size == document["buffers"][0]["byteLength"]
    binary = data[28 + length :]
    views = [binary[v["byteOffset"] : v["byteOffset"] + v["byteLength"]] for v in document["bufferViews"]]
    return document, views


def test_a_glb_is_one_file_y_up_with_the_picture_inside(workspace, tmp_path):
    path = tmp_path / "box.glb"
    assert export(workspace, path) == [path]
    document, views = read_glb(path.read_bytes())
    primitive = document["meshes"][0]["primitives"][0]

    def values(number: int, kind: str, width: int) -> np.ndarray:
        accessor = document["accessors"][number]
        found = np.frombuffer(views[accessor["bufferView"]], kind).reshape(-1, width)
        assert len(found) == accessor["count"]
        return found

    position = values(primitive["attributes"]["POSITION"], "<f4", 3)
    normal = values(primitive["attributes"]["NORMAL"], "<f4", 3)
    uv = values(primitive["attributes"]["TEXCOORD_0"], "<f4", 2)
    index = values(primitive["indices"], "<u4", 1).ravel()
    limits = document["accessors"][primitive["attributes"]["POSITION"]]
    np.testing.assert_allclose(limits["min"], position.min(axis=0))
    np.testing.assert_allclose(limits["max"], position.max(axis=0))
    jpeg = views[document["images"][0]["bufferView"]]
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    upwards = np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1)  # glTF's v is measured from the top
    check_surface(y_up_to_z_up(position[index]), y_up_to_z_up(normal[index]), upwards[index], image)


def test_a_ply_has_the_photos_colors_at_its_vertices_z_up(workspace, tmp_path):
    path = tmp_path / "box.ply"
    export(workspace, path)
    table, faces = read_mesh(path)
    _, before = read_mesh(workspace.mesh_file)
    assert len(faces) == len(before) and len(table) == len(np.unique(before))
    points, color = columns(table, "x", "y", "z"), columns(table, "red", "green", "blue")
    assert points is not None and color is not None
    scene = model_points(points)
    seen = (
        (np.abs(scene[:, 1]) < 1e-5)
        & (np.abs(scene[:, 0]) < 0.7)
        & (scene[:, 2] < -0.4)
        & (scene[:, 2] > -0.9)
    )
    assert np.median(np.abs(color - true_color(scene))[seen].max(axis=1)) < 4


def test_an_unknown_ending_is_refused_before_any_work(tmp_path):
    ran = recon3d("run", tmp_path, "-o", tmp_path / "out", "--export", tmp_path / "a.fbx")
    assert ran.returncode == 2
    assert "a.fbx" in ran.stderr and ".glb" in ran.stderr and ran.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_exports_do_not_go_into_the_workspace(workspace):
    with pytest.raises(UserError, match="inside the workspace"):
        export(workspace, workspace.root / "texture" / "mesh.obj")


def test_without_a_texture_the_advice_is_to_make_one(tmp_path):
    with pytest.raises(UserError, match="run recon3d texture"):
        export(Workspace(tmp_path), tmp_path.parent / "a.glb")


@pytest.mark.parametrize(
    "content", ["{}", '{"world_from_model": [[1, 2], [3]]}', '{"world_from_model": "up"}']
)
def test_an_invalid_placement_is_reported(workspace, tmp_path, content):
    before = workspace.placement.read_text()
    workspace.placement.write_text(content)
    try:
        with pytest.raises(UserError, match=r"placement\.json cannot be read: .*world_from_model"):
            export(workspace, tmp_path / "a.obj")
    finally:
        workspace.placement.write_text(before)


def test_a_missing_folder_is_reported(workspace, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        export(workspace, tmp_path / "file" / "a.obj")


def test_a_picture_shows_the_mesh_from_four_sides_in_its_true_colors(workspace, tmp_path):
    path = tmp_path / "box.png"
    assert export(workspace, path) == [path]
    picture = cv2.imread(str(path))[..., ::-1].astype(int)
    height, width = picture.shape[0] // 2, picture.shape[1] // 4
    empty = np.abs(picture - picture[0, 0]).max(axis=2) < 3
    textured, clay = empty[:height], empty[height:]
    assert (textured != clay).mean() < 0.01  # the same views, drawn twice
    shown = ~textured
    for side in range(4):
        part = shown[:, side * width : (side + 1) * width]
        assert 0.2 < part.mean() < 0.9
        assert not part[:, 0].any() and not part[:, -1].any()
    assert np.ptp(picture[height:][~clay], axis=1).max() <= 1  # clay is gray


def test_a_picture_has_the_texture_the_right_way_round():
    # An upright square that faces the first view, with a color in each quarter of its texture.
    corners = np.array([[-1.0, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]])
    uv = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    normals = np.tile([0.0, -1, 0], (4, 1))
    mesh = TexturedMesh(corners, normals, np.zeros((4, 3), np.uint8), uv, np.arange(4), faces)
    quarters = np.array([[[250, 0, 0], [0, 250, 0]], [[0, 0, 250], [250, 250, 0]]], np.uint8)
    picture = four_sides(mesh, quarters.repeat(64, axis=0).repeat(64, axis=1), 100)
    height = picture.shape[0] // 2
    rows, columns = (height // 4, 3 * height // 4), (25, 75)
    found = np.array([[picture[row, column] for column in columns] for row in rows])
    np.testing.assert_allclose(found, quarters, atol=2)
