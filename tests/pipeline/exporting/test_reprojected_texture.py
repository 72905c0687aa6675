"""The photos projected onto a mesh with its own UVs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.cli import main
from blender_recon3d.pipeline.errors import FileFormatError, UserError
from blender_recon3d.pipeline.exporting.export_mesh import Y_UP, world_from_model
from blender_recon3d.pipeline.files.obj_mesh import read_obj
from blender_recon3d.pipeline.texturing.given_mesh import read_given
from tests.support.painted_scene import Capture, true_color, write_capture

SIZE = 256


@pytest.fixture(scope="module")
def capture(tmp_path_factory) -> Capture:
    return write_capture(tmp_path_factory.mktemp("capture") / "workspace")


def corners_of_the_front() -> np.ndarray:
    """Corners of the part of the box's front that the photos show well, [4, 3] in the model's frame; y is down."""
    return np.array([[-0.4, -0.05, -0.3], [0.4, -0.05, -0.3], [0.4, -0.65, -0.3], [-0.4, -0.65, -0.3]])


def write_quad(path, corners: np.ndarray, uv: str = "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n") -> None:
    face = "f 1/1 2/2 3/3 4/4\n" if uv else "f 1 2 3 4\n"
    path.write_text("".join(f"v {x:.9g} {y:.9g} {z:.9g}\n" for x, y, z in corners) + uv + face)


def reprojected(capture: Capture, mesh, texture, *words: str) -> int:
    words = ("reproject", str(capture.workspace.root), "--mesh", str(mesh), "--texture", str(texture), *words)
    return main([*words, "--texture-size", str(SIZE)])


@pytest.mark.parametrize("frame", ["world", "model"])
def test_one_quad_of_an_artist_gets_the_true_colors(capture, tmp_path, frame):
    corners = corners_of_the_front()
    move = Y_UP @ world_from_model(capture.workspace) if frame == "world" else np.eye(4)
    write_quad(tmp_path / "front.obj", corners @ move[:3, :3].T + move[:3, 3])
    assert reprojected(capture, tmp_path / "front.obj", tmp_path / "front.png", "--frame", frame) == 0
    image = cv2.imread(str(tmp_path / "front.png"))[..., ::-1].astype(float)
    across, up = np.meshgrid((np.arange(SIZE) + 0.5) / SIZE, 1 - (np.arange(SIZE) + 0.5) / SIZE)
    a, b, _, d = corners
    points = a + across[..., None] * (b - a) + up[..., None] * (d - a)
    off = np.abs(image - true_color(points.reshape(-1, 3)).reshape(SIZE, SIZE, 3))
    inner = off[SIZE // 8 : -SIZE // 8, SIZE // 8 : -SIZE // 8]  # at its rim, pixels show what is behind
    assert inner.mean() < 1.5 and np.percentile(inner, 99) < 4  # like the stage's own texture


def test_a_mesh_in_two_tiles_gets_a_picture_for_each(capture, tmp_path):
    """The left half of the quad has the first tile, the right half the second."""
    a, b, c, d = corners_of_the_front()
    e, f = (a + b) / 2, (c + d) / 2
    lines = "".join(f"v {x:.9g} {y:.9g} {z:.9g}\n" for x, y, z in (a, e, f, d, b, c))
    uv = "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nvt 2 0\nvt 2 1\n"
    (tmp_path / "two.obj").write_text(lines + uv + "f 1/1 2/2 3/3 4/4\nf 2/2 5/5 6/6 3/3\n")
    assert reprojected(capture, tmp_path / "two.obj", tmp_path / "two.png", "--frame", "model") == 0
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["two.1001.png", "two.1002.png"]
    for number, left in ((1001, a), (1002, e)):
        image = cv2.imread(str(tmp_path / f"two.{number}.png"))[..., ::-1].astype(float)
        across, up = np.meshgrid((np.arange(SIZE) + 0.5) / SIZE, 1 - (np.arange(SIZE) + 0.5) / SIZE)
        points = left + across[..., None] * (e - a) + up[..., None] * (d - a)
        off = np.abs(image - true_color(points.reshape(-1, 3)).reshape(SIZE, SIZE, 3))
        assert off[SIZE // 4 : -SIZE // 4, SIZE // 4 : -SIZE // 4].mean() < 1.5
    text = (tmp_path / "two.obj").read_text().replace("f 2/2 5/5 6/6 3/3", "f 1/1 5/5 6/6 4/4")
    (tmp_path / "across.obj").write_text(text)
    assert reprojected(capture, tmp_path / "across.obj", tmp_path / "across.png", "--frame", "model") == 2


def test_the_workspace_stays_as_it_is(capture, tmp_path):
    before = sorted((path, path.stat().st_mtime_ns) for path in capture.workspace.root.rglob("*"))
    write_quad(tmp_path / "front.obj", corners_of_the_front())
    assert reprojected(capture, tmp_path / "front.obj", tmp_path / "front.png", "--frame", "model") == 0
    assert sorted((path, path.stat().st_mtime_ns) for path in capture.workspace.root.rglob("*")) == before


@pytest.mark.parametrize(
    ("uv", "texture", "sentence"),
    [
        ("", "front.png", "has faces without UVs"),
        ("vt 0 0\nvt 3 0\nvt 3 1\nvt 0 1\n", "front.png", "UVs outside of 0 to 1"),
        ("vt 0 0\nvt 1 0\nvt 1 1\n", "front.png", "vertices that it does not have"),
        ("vt 0 zero\nvt 1 0\nvt 1 1\nvt 0 1\n", "front.png", "cannot be read"),
        ("vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n", "front.jpg", "is not a PNG file"),
    ],
)
def test_what_cannot_be_painted_is_reported(capture, tmp_path, capsys, uv, texture, sentence):
    write_quad(tmp_path / "front.obj", corners_of_the_front(), uv)
    assert reprojected(capture, tmp_path / "front.obj", tmp_path / texture, "--frame", "model") in (1, 2)
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / texture).exists()


def test_a_mesh_that_no_photo_shows_is_reported(capture, tmp_path):
    write_quad(tmp_path / "far.obj", corners_of_the_front() + 50)
    with pytest.raises(UserError, match="No photo shows"):
        from blender_recon3d.pipeline.events import Progress
        from blender_recon3d.pipeline.exporting.reprojected_texture import reproject

        reproject(capture.workspace, tmp_path / "far.obj", tmp_path / "far.png", SIZE, "model", Progress())


def test_polygons_negative_numbers_and_several_objects_are_read(tmp_path):
    path = tmp_path / "two.obj"
    path.write_text(
        "o one\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv -1 2 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nvt 0 0.5\nvn 0 0 1\n"
        "f 1/1/1 2/2/1 3/3/1 4/4/1 5/5/1\no two\nv 0 0 1\nv 1 0 1\nv 0 1 1\nvt 0.25 0.5\nf -3/-1 -2/-1 -1/-1\n"
    )
    mesh = read_obj(path)
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3], [0, 3, 4], [5, 6, 7]]
    assert mesh.uv[0].tolist() == [[0, 0], [1, 0], [1, 1]] and mesh.uv[3].tolist() == [[0.25, 0.5]] * 3
    path.write_text("v 0 0 0\n")
    with pytest.raises(FileFormatError, match="no faces"):
        read_obj(path)


def test_a_coarse_mesh_is_cut_finer_without_moving(tmp_path):
    write_quad(tmp_path / "front.obj", corners_of_the_front())
    given = read_given(tmp_path / "front.obj", np.eye(4))
    assert len(given.faces) >= 50_000
    edge = given.vertices[given.faces]
    area = np.linalg.norm(np.cross(edge[:, 1] - edge[:, 0], edge[:, 2] - edge[:, 0]), axis=1) / 2
    assert np.isclose(area.sum(), 0.8 * 0.6) and np.allclose(np.abs(given.normals), [0, 0, 1])
    # UVs are linear on the quad, also inside of it.
    uv = given.unwrapped.uv[given.unwrapped.faces]
    assert np.allclose(uv[..., 0], (edge[..., 0] + 0.4) / 0.8, atol=1e-6)
