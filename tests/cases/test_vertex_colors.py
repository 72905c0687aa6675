"""Clouds from other programs: the same colors whatever their number type, in the engine and in Blender."""

from pathlib import Path

import numpy as np
import pytest

from blender_recon3d.pipeline.files.ply import write_vertices
from blender_recon3d.pipeline.files.vertex_colors import vertex_colors
from blender_recon3d.pipeline.meshing.point_cloud import read_cloud
from blender_recon3d.scene.importing.ply_points import read_points

BYTES = np.random.default_rng(0).integers(0, 256, (500, 3)).astype(np.uint8)
BYTES[0], BYTES[1] = 0, 255  # black and white are in every picture


def cloud(path: Path, colors: np.ndarray, names: tuple[str, ...] = ("red", "green", "blue")) -> Path:
    columns = [(name, "<f4") for name in ("x", "y", "z", "nx", "ny", "nz")]
    table = np.ones(len(colors), columns + [(name, colors.dtype) for name in names])
    table["x"] = np.arange(len(colors))
    for channel, name in enumerate(names):
        table[name] = colors[:, channel]
    write_vertices(path, table)
    return path


@pytest.mark.parametrize(
    "colors",
    [
        BYTES,
        BYTES.view(np.int8),
        BYTES.astype(np.uint16),
        BYTES.astype(np.uint16) * 257,
        (BYTES.astype(np.uint16) * 257).view(np.int16),
        BYTES.astype(np.int32),
        BYTES.astype(np.uint32) * 257,
        (BYTES / 255).astype(np.float32),
        BYTES / 255,
        BYTES.astype(np.float32),
        BYTES.astype(np.float64) * 257,
    ],
    ids=lambda colors: f"{colors.dtype}-{colors.max():g}",
)
def test_colors_are_the_same_in_every_type(tmp_path, colors):
    path = cloud(tmp_path / "a.ply", colors)
    for found in (read_cloud(path).rgb, read_points(path).rgb):
        assert np.array_equal(found, BYTES)


def test_a_dark_channel_does_not_decide_alone(tmp_path):
    """Red that stays below 2 in a cloud from 0 to 255 is nearly black, not white."""
    colors = BYTES.astype(np.float32)
    colors[:, 0] = np.minimum(colors[:, 0], 1)
    path = cloud(tmp_path / "a.ply", colors)
    assert np.array_equal(read_cloud(path).rgb, colors.astype(np.uint8))


def test_wild_values_do_not_make_the_others_black(tmp_path):
    colors = np.repeat(BYTES, 5, axis=0) / 255
    colors[3], colors[4], colors[5] = np.nan, 9e9, -1
    found = read_points(cloud(tmp_path / "a.ply", colors)).rgb
    assert np.array_equal(found[6:], np.repeat(BYTES, 5, axis=0)[6:])
    assert found[3:6, 0].tolist() == [0, 255, 0]


@pytest.mark.parametrize(
    "names",
    [
        ("r", "g", "b"),
        ("R", "G", "B"),
        ("Red", "Green", "Blue"),
        ("diffuse_red", "diffuse_green", "diffuse_blue"),
        ("scalar_R", "scalar_G", "scalar_B"),
    ],
)
def test_other_names_of_the_channels_are_known_to_both(tmp_path, names):
    path = cloud(tmp_path / "a.ply", BYTES, names)
    assert np.array_equal(read_cloud(path).rgb, read_points(path).rgb)
    assert np.array_equal(read_cloud(path).rgb, BYTES)


def test_normals_of_the_point_cloud_library_are_known_to_both(tmp_path):
    table = np.zeros(200, [(name, ">f4") for name in ("x", "y", "z", "normal_x", "normal_y", "normal_z")])
    table["x"], table["normal_y"] = np.arange(200), 1
    write_vertices(tmp_path / "a.ply", table)
    for found in (read_cloud(tmp_path / "a.ply").normals, read_points(tmp_path / "a.ply").normals):
        assert found is not None and found[7].tolist() == [0, 1, 0]


def test_brightness_alone_makes_a_gray_cloud(tmp_path):
    path = cloud(tmp_path / "a.ply", BYTES[:, :1].astype(np.float32) / 255, ("intensity",))
    for found in (read_cloud(path).rgb, read_points(path).rgb):
        assert np.array_equal(found, np.repeat(BYTES[:, :1], 3, axis=1))


@pytest.mark.parametrize("kind", ["<u4", ">u4", "<f4"])
def test_colors_packed_into_one_number_are_read(tmp_path, kind):
    """0xAARRGGBB of the Point Cloud Library, whose files declare it as a float or an integer."""
    number = BYTES.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    column = number.astype(">u4") if kind == ">u4" else number.view(kind)
    table = np.zeros(len(BYTES), [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("rgb", column.dtype)])
    table["rgb"] = column
    assert np.array_equal(vertex_colors(table), BYTES)


def test_splats_have_the_color_that_they_show_from_all_sides(tmp_path):
    path = cloud(tmp_path / "a.ply", (BYTES / 255 - 0.5) / 0.2820948, ("f_dc_0", "f_dc_1", "f_dc_2"))
    for found in (read_cloud(path).rgb, read_points(path).rgb):
        assert np.array_equal(found, BYTES)
