"""Topology and its faults, on meshes small enough to draw; and meshes as PLY files."""

from __future__ import annotations

import numpy as np
import pytest

from blender_recon3d.pipeline.errors import FileFormatError, UserError
from blender_recon3d.pipeline.files.ply_mesh import read_mesh, write_mesh
from blender_recon3d.pipeline.meshing.region import in_box, read_box, subject_ball
from blender_recon3d.pipeline.meshing.repair import cleaned, filled_holes, without_loose_parts
from blender_recon3d.pipeline.meshing.topology import (
    Mesh,
    boundary,
    edges,
    face_components,
    is_watertight,
    volume,
)

TETRAHEDRON = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], np.int32)
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)


def tetrahedron(offset: float = 0.0, size: float = 1.0) -> Mesh:
    return Mesh(size * CORNERS + [offset, 0, 0], TETRAHEDRON)


def together(*meshes: Mesh) -> Mesh:
    starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes])
    faces = [mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]
    return Mesh(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces).astype(np.int32))


def grid(count: int) -> Mesh:
    """A flat square of count x count unit cells."""
    y, x = np.mgrid[: count + 1, : count + 1]
    vertices = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1).astype(float)
    first = (np.arange(count)[:, None] * (count + 1) + np.arange(count)).ravel()
    lower = np.stack([first, first + 1, first + count + 2], axis=1)
    upper = np.stack([first, first + count + 2, first + count + 1], axis=1)
    return Mesh(vertices, np.concatenate([lower, upper]).astype(np.int32))


def manifold(mesh: Mesh) -> bool:
    rim = boundary(mesh.faces)
    return bool((edges(mesh.faces).counts <= 2).all() and len(np.unique(rim[:, 0])) == len(rim))


def test_a_tetrahedron_is_watertight_with_its_volume_and_no_longer_without_a_face():
    assert is_watertight(tetrahedron())
    assert volume(tetrahedron()) == pytest.approx(1 / 6)
    assert not is_watertight(tetrahedron().select(np.arange(3)))
    turned = TETRAHEDRON.copy()
    turned[0] = turned[0, ::-1]
    assert not is_watertight(Mesh(CORNERS, turned))  # closed, but one face is flipped


def test_degenerate_and_duplicate_faces_are_removed():
    faces = np.concatenate([TETRAHEDRON, TETRAHEDRON[:1], TETRAHEDRON[1:2, [1, 2, 0]], [[1, 1, 2]]])
    found = cleaned(Mesh(CORNERS, faces.astype(np.int32)))
    assert is_watertight(found) and len(found.faces) == 4


def test_a_fin_on_an_edge_is_removed_and_the_body_stays_whole():
    fin = Mesh(np.concatenate([CORNERS, [[0.4, -0.1, -0.1]]]), np.concatenate([TETRAHEDRON, [[0, 1, 4]]]))
    assert edges(fin.faces).counts.max() == 3
    assert is_watertight(cleaned(fin))


def test_bodies_that_touch_in_a_vertex_are_split_there():
    two = together(tetrahedron(), Mesh(-CORNERS, TETRAHEDRON[:, ::-1]))
    faces = np.where(two.faces == 4, 0, two.faces)  # both start at the origin
    found = cleaned(Mesh(two.vertices, faces.astype(np.int32)))
    assert len(found.vertices) == 8 and is_watertight(found)


def test_a_rim_that_touches_itself_becomes_one_loop_without_a_crossing():
    flat = grid(2)
    bow = flat.select([0, 3, 4, 7])  # two opposite cells, which share the center only
    assert not manifold(bow)
    found = cleaned(bow)
    assert manifold(found) and len(np.unique(face_components(found.faces))) == 2


def test_loose_parts_are_removed_by_their_area():
    found, removed = without_loose_parts(together(tetrahedron(), tetrahedron(3, 0.1)), 0.02)
    assert removed == 1 and is_watertight(found) and len(found.faces) == 4
    assert without_loose_parts(together(tetrahedron(), tetrahedron(3, 0.2)), 0.02)[1] == 0


def test_small_holes_are_closed_and_the_outer_rim_is_not():
    flat = grid(6)
    inner = np.isin(flat.faces, [24]).any(axis=1)  # the faces around the center vertex
    holed = flat.select(~inner)
    found, count = filled_holes(holed, 8.0)
    assert count == 1 and manifold(found)
    rim = boundary(found.faces)
    assert len(rim) == 24  # six sides of four
    normals = np.cross(
        found.vertices[found.faces[:, 1]] - found.vertices[found.faces[:, 0]],
        found.vertices[found.faces[:, 2]] - found.vertices[found.faces[:, 0]],
    )
    assert (normals[:, 2] > 0).all()  # the patch is oriented like its surroundings
    open_tetrahedron = tetrahedron().select(np.arange(3))
    assert is_watertight(filled_holes(open_tetrahedron, 10)[0])


def test_a_mesh_file_keeps_vertices_faces_and_types(tmp_path):
    vertices = np.zeros(4, [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("red", "u1")])
    vertices["x"], vertices["red"] = np.arange(4) / 3, [1, 2, 3, 255]
    write_mesh(tmp_path / "a.ply", vertices, TETRAHEDRON)
    found, faces = read_mesh(tmp_path / "a.ply")
    assert found.dtype == vertices.dtype and np.array_equal(found, vertices)
    assert faces.dtype == np.int32 and np.array_equal(faces, TETRAHEDRON)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data[:-1], "cut short"),
        (lambda data: data.replace(b"element face 4", b"element face 9"), "cut short"),
        (lambda data: data.replace(b"element face 4", b"element nose 4"), "no faces"),
        (lambda data: data.replace(b"list uchar int", b"list uchar half"), "unknown type"),
        (lambda data: data[:-4] + b"\x09\0\0\0", "vertices that it does not have"),
        (lambda data: data[:-13] + b"\x04" + data[-12:], "not triangles"),
        (lambda data: data.replace(b"face 4", b"face 999999999999999"), "cut short"),
    ],
)
def test_a_damaged_mesh_file_is_refused(tmp_path, change, words):
    vertices = np.zeros(4, [("x", "<f4"), ("y", "<f4"), ("z", "<f4")])
    write_mesh(tmp_path / "a.ply", vertices, TETRAHEDRON)
    (tmp_path / "a.ply").write_bytes(change((tmp_path / "a.ply").read_bytes()))
    with pytest.raises(FileFormatError, match=words):
        read_mesh(tmp_path / "a.ply")


def ring(count: int, degrees: float = 360.0) -> tuple[np.ndarray, np.ndarray]:
    """Cameras at a distance of 5 around (1, 2, 3), looking at it."""
    angle = np.radians(np.arange(count) * degrees / count)
    offset = np.stack([5 * np.cos(angle), 5 * np.sin(angle), np.zeros(count)], axis=1)
    return np.array([1.0, 2, 3]) + offset, -offset / 5


def test_cameras_around_a_subject_locate_it():
    found = subject_ball(*ring(12))
    assert found is not None
    assert np.allclose(found[0], [1, 2, 3]) and found[1] == pytest.approx(5)


@pytest.mark.parametrize("cameras", [ring(12, 150), ring(3), ring(1), ring(0)])
def test_cameras_that_do_not_surround_a_subject_give_no_crop(cameras):
    assert subject_ball(*cameras) is None


def test_cameras_that_look_one_way_give_no_crop():
    centers = np.random.default_rng(0).normal(size=(20, 3))
    assert subject_ball(centers, np.tile([0.0, 0, 1], (20, 1))) is None


@pytest.mark.parametrize("text", ["1,2,3", "a b c", "nowhere.json", "1 0 0 0 0 1 0 0 0 0 0 0", "nan " * 12])
def test_a_crop_that_is_not_a_box_is_refused(text):
    with pytest.raises(UserError) as caught:
        read_box(text)
    assert caught.value.exit_code == 2 and len(str(caught.value).splitlines()) == 1


def test_a_crop_box_is_the_cube_moved_turned_and_scaled():
    box = read_box("0 -2 0 10  3 0 0 20  0 0 1 30")
    points = np.array([[11.9, 20, 30], [12.1, 20, 30], [10, 22.9, 30], [10, 23.1, 30], [10, 20, 31.1]])
    assert in_box(points, box).tolist() == [True, False, True, False, False]
