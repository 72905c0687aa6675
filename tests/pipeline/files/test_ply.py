"""PLY files: what is written is read back, foreign layouts are supported, damaged ones are refused."""

from __future__ import annotations

import numpy as np
import pytest

from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.files.ply import columns, read_vertices, with_column, write_vertices


def cloud(count: int = 5) -> np.ndarray:
    table = np.zeros(count, [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("red", "u1"), ("views", "u1")])
    table["x"] = np.arange(count) + 0.25
    table["z"] = -np.arange(count)
    table["red"] = 200
    table["views"] = np.arange(count) + 2
    return table


def test_round_trip_keeps_values_types_and_order(tmp_path):
    write_vertices(tmp_path / "a.ply", cloud())
    found = read_vertices(tmp_path / "a.ply")
    assert found.dtype == cloud().dtype
    assert np.array_equal(found, cloud())
    assert not list(tmp_path.glob("*.part"))


def test_a_cloud_may_be_empty(tmp_path):
    write_vertices(tmp_path / "a.ply", cloud(0))
    assert len(read_vertices(tmp_path / "a.ply")) == 0


def test_a_column_is_appended_or_replaced():
    longer = with_column(cloud(), "more", np.arange(5, dtype=np.uint8))
    assert longer.dtype.names == ("x", "y", "z", "red", "views", "more")
    replaced = with_column(longer, "red", np.full(5, 7, np.uint8))
    assert replaced.dtype.names == ("x", "y", "z", "views", "more", "red")
    assert columns(replaced, "red").tolist() == [[7.0]] * 5
    assert columns(replaced, "nx") is None


def test_big_endian_other_elements_first_and_faces_after(tmp_path):
    header = (
        "ply\r\nformat binary_big_endian 1.0\r\ncomment x\r\nelement camera 1\r\nproperty double f\r\n"
        "element vertex 2\r\nproperty float64 z\r\nproperty int16 k\r\nproperty float x\r\nproperty float y\r\n"
        "element face 1\r\nproperty list uchar int vertex_indices\r\nend_header\r\n"
    )
    rows = np.array([(3, -2, 1, 2), (6, 5, 4, 5)], [("z", ">f8"), ("k", ">i2"), ("x", ">f4"), ("y", ">f4")])
    (tmp_path / "b.ply").write_bytes(header.encode() + np.float64(9).tobytes() + rows.tobytes() + b"\3" * 13)
    found = read_vertices(tmp_path / "b.ply")
    assert columns(found, "x", "y", "z").tolist() == [[1, 2, 3], [4, 5, 6]]
    assert found["k"].tolist() == [-2, 5]


def test_ascii(tmp_path):
    text = "ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty uchar red\nend_header\n.5 7\n1 8\n"
    (tmp_path / "c.ply").write_text(text)
    found = read_vertices(tmp_path / "c.ply")
    assert found["x"].tolist() == [0.5, 1.0] and found["red"].tolist() == [7, 8]


HEAD = "ply\nformat {} 1.0\nelement vertex {}\nproperty float x\nend_header\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not a PLY"),
        ("plz\n", "not a PLY"),
        ("ply\nformat ascii 1.0\n", "no end"),
        (HEAD.format("binary_little_endian", 10**15), "cut short"),
        (HEAD.format("binary_little_endian", 2) + "1234", "cut short"),
        (HEAD.format("ascii", 3) + "1\n2\n", "cut short"),
        (HEAD.format("ascii", 3) + "1\n2\nand\n", "not a table"),
        (HEAD.format("ascii", -3), "unknown line"),
        (HEAD.format("morse", 1) + "1\n", "is unknown"),
        ("ply\nformat ascii 1.0\nelement vertex 1\nproperty quad x\nend_header\n1\n", "unknown line"),
        ("ply\nformat ascii 1.0\nproperty float x\nend_header\n", "unknown line"),
        ("ply\nformat ascii 1.0\nelement face 1\nproperty float x\nend_header\n1\n", "no vertices"),
    ],
)
def test_what_is_damaged_is_refused_with_its_name(tmp_path, content, said):
    (tmp_path / "bad.ply").write_bytes(content.encode())
    with pytest.raises(UserError, match=said) as caught:
        read_vertices(tmp_path / "bad.ply")
    assert "bad.ply" in str(caught.value)


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(UserError, match=r"none\.ply"):
        read_vertices(tmp_path / "none.ply")


def test_types_that_ply_does_not_have_are_refused(tmp_path):
    with pytest.raises(ValueError, match="x"):
        write_vertices(tmp_path / "a.ply", np.zeros(2, [("x", "i8")]))
