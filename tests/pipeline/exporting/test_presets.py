"""Exports for a purpose: small for the web, closed for a printer, on a map for surveyors."""

import json
import struct
import sys
import tomllib
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.documents.placement_json import GpsOrigin
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.exporting.export_mesh import export
from blender_recon3d.pipeline.exporting.las import POINT, write_las
from blender_recon3d.pipeline.exporting.print_mesh import closed, write_3mf, write_stl
from blender_recon3d.pipeline.meshing.topology import Mesh, is_watertight, volume
from blender_recon3d.pipeline.placing.gps import east_north
from blender_recon3d.pipeline.placing.map_grid import degrees_of, grid_at
from blender_recon3d.pipeline.system.extra_packages import DISTRIBUTIONS, PINNED
from tests.pipeline.exporting.test_exporting import check_surface, workspace, y_up_to_z_up  # noqa: F401

ROOT = Path(__file__).resolve().parents[3]


def test_web_is_smaller_and_the_same_surface(workspace, tmp_path):  # noqa: F811
    (path,) = export(workspace, tmp_path / "web.glb", "web")
    (plain,) = export(workspace, tmp_path / "plain.glb")
    assert path.stat().st_size < 0.75 * plain.stat().st_size
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    document, binary = json.loads(data[20 : 20 + length]), data[28 + length :]

    def values(number: int) -> np.ndarray:
        entry = document["accessors"][number]
        view = document["bufferViews"][entry["bufferView"]]
        kind = {5120: "<i1", 5123: "<u2", 5125: "<u4"}[entry["componentType"]]
        width = {"VEC3": 3, "VEC2": 2, "SCALAR": 1}[entry["type"]]
        stride = view.get("byteStride", width * np.dtype(kind).itemsize)
        block = np.frombuffer(binary, np.uint8, entry["count"] * stride, view["byteOffset"])
        return block.reshape(-1, stride)[:, : width * np.dtype(kind).itemsize].copy().view(kind)

    (primitive,) = document["meshes"][0]["primitives"]
    at = primitive["attributes"]
    node = document["nodes"][0]
    points = values(at["POSITION"]) * np.array(node["scale"]) + node["translation"]
    uv = values(at["TEXCOORD_0"]) / 65535
    view = document["bufferViews"][document["images"][0]["bufferView"]]
    picture = np.frombuffer(binary, np.uint8, view["byteLength"], view["byteOffset"])
    image = cv2.imdecode(picture, cv2.IMREAD_COLOR)[..., ::-1]
    corners = values(primitive["indices"]).ravel()
    normals = values(at["NORMAL"]) / 127.0
    check_surface(y_up_to_z_up(points)[corners], y_up_to_z_up(normals)[corners],
                  np.column_stack([uv[:, 0], 1 - uv[:, 1]])[corners], image, 2e-4, 0.02)  # fmt: skip
    assert (uv[:, 1] <= 1).all() and document["extensionsUsed"] == [
        "KHR_mesh_quantization",
        "EXT_texture_webp",
    ]


def test_a_preset_names_its_endings_and_who_writes_it(workspace, tmp_path):  # noqa: F811
    with pytest.raises(UserError, match=r"\.3mf, \.stl"):
        export(workspace, tmp_path / "a.glb", "print")
    with pytest.raises(UserError, match="blender -c recon3d export"):
        export(workspace, tmp_path / "a.fbx", "game")


def open_box() -> Mesh:
    """A box of 2 x 3 x 4 without its lid."""
    corners = np.array([[x, y, z] for x in (0, 2.0) for y in (0, 3.0) for z in (0, 4.0)])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4)]
    return Mesh(corners, np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32))


def test_print_closes_holes(tmp_path):
    assert not is_watertight(open_box())
    whole = closed(open_box())
    assert is_watertight(whole) and volume(whole) == pytest.approx(24)
    write_3mf(tmp_path / "a.3mf", whole)
    write_stl(tmp_path / "a.stl", whole)
    with zipfile.ZipFile(tmp_path / "a.3mf") as archive:
        model = ElementTree.fromstring(archive.read("3D/3dmodel.model"))
    assert model.get("unit") == "millimeter"
    triangles = [each.attrib for each in model.iter() if each.tag.endswith("triangle")]
    assert len(triangles) == len(whole.faces)
    data = (tmp_path / "a.stl").read_bytes()
    assert len(data) == 84 + 50 * len(whole.faces)
    first = np.frombuffer(data, "<f4", 12, 84)
    assert np.allclose(first[3:].reshape(3, 3), whole.vertices[whole.faces[0]])


def test_print_is_in_millimeters(workspace, tmp_path):  # noqa: F811
    (stl,) = export(workspace, tmp_path / "a.stl")
    (print_stl,) = export(workspace, tmp_path / "b.stl", "print")
    sizes = []
    for path in (stl, print_stl):
        data = path.read_bytes()[84:]
        table = np.frombuffer(data, [("n", "<f4", 3), ("c", "<f4", (3, 3)), ("a", "<u2")])
        sizes.append(float(np.ptp(table["c"].reshape(-1, 3), axis=0).max()))
    assert sizes[1] == pytest.approx(1000 * sizes[0], rel=1e-5)


def test_las_holds_places_colors_and_views(tmp_path):
    rng = np.random.default_rng(0)
    xyz = rng.uniform(0, 40, (500, 3)) + np.array([500_123.0, 5_400_456.0, 200.0])
    colors = rng.integers(0, 256, (500, 3), dtype=np.uint8)
    write_las(tmp_path / "a.las", xyz, colors, np.arange(500), grid_at(48.7, 9.1).wkt())
    data = (tmp_path / "a.las").read_bytes()
    assert data[:4] == b"LASF" and data[24:26] == bytes([1, 4])
    (start,) = struct.unpack_from("<I", data, 96)
    scale, offset = struct.unpack_from("<3d", data, 131), struct.unpack_from("<3d", data, 155)
    table = np.frombuffer(data, POINT, offset=start)
    assert len(table) == 500 and struct.unpack_from("<Q", data, 247)[0] == 500
    assert np.abs(table["xyz"] * np.array(scale) + offset - xyz).max() <= scale[0] / 2 + 1e-9
    assert (
        scale[0] <= 1e-4 and (table["rgb"] == colors.astype(int) * 257).all() and table["views"][300] == 255
    )
    assert b'AUTHORITY["EPSG","32632"]' in data[:start]


def test_formats_that_need_more_packages_say_which(workspace, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setitem(sys.modules, "lazrs", None)
    monkeypatch.setitem(sys.modules, "meshoptimizer", None)
    with pytest.raises(
        UserError, match=r"LAZ needs additional packages.* -m pip install laspy==\S+ lazrs==\S+, or"
    ):
        write_las(tmp_path / "a.laz", np.eye(3), np.zeros((3, 3), np.uint8), np.zeros(3))
    with pytest.raises(UserError, match=r"meshoptimizer.*export it uncompressed"):
        export(workspace, tmp_path / "a.glb", "web", meshopt=True)
    assert not list(tmp_path.iterdir())
    with pytest.raises(UserError, match=r"export \.glb"):
        export(workspace, tmp_path / "a.obj", meshopt=True)
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for group, versions in PINNED.items():
        assert declared[group] == [
            f"{DISTRIBUTIONS.get(name, name)}=={version}" for name, version in versions.items()
        ]


def test_utm_agrees_with_proj():
    """By pyproj 3.7, from EPSG:4326 to the zone."""
    for (latitude, longitude), epsg, east, north in (
        ((48.7758, 9.1829), 32632, 513437.70617, 5402549.14997),
        ((-33.8568, 151.2153), 32756, 334900.56965, 6252288.75289),
        ((67.9, 12.1), 32633, 378280.32103, 7534570.11070),
        ((0.0, 3.0), 32631, 500000.0, 0.0),
    ):
        grid = grid_at(latitude, longitude)
        assert grid.epsg == epsg
        assert np.abs(grid.project(np.array([[latitude, longitude]]))[0] - [east, north]).max() < 1e-3


def test_the_world_goes_to_degrees_and_back():
    origin = GpsOrigin(latitude_longitude=(48.7, 9.1), origin_east_north=(12.0, -7.0))
    world = np.array([[0.0, 0, 0], [30, 40, 1], [-100, 55, 2]])
    back = east_north(degrees_of(world, origin), np.array(origin.latitude_longitude))
    assert np.abs(back - (world[:, :2] + np.array([12.0, -7.0]))).max() < 1e-6
