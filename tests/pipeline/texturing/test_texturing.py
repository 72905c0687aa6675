"""Textures from photos of a scene whose colors are known at every point."""

from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.errors import Cancelled, UserError
from blender_recon3d.pipeline.events import Event, Progress
from blender_recon3d.pipeline.files.ply import columns
from blender_recon3d.pipeline.files.ply_mesh import read_mesh
from blender_recon3d.pipeline.reset_results import reset
from blender_recon3d.pipeline.results import outputs
from blender_recon3d.pipeline.stage_settings import TextureSettings
from blender_recon3d.pipeline.stages import texture as stage
from blender_recon3d.pipeline.texturing.paint import Painted, paint
from blender_recon3d.pipeline.texturing.texels import texels_of
from blender_recon3d.pipeline.texturing.texture_views import load_views
from blender_recon3d.pipeline.texturing.unwrap import Unwrapped, unwrap
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.painted_scene import Capture, true_color, write_capture, write_mesh_file

SIZE = 512
# Levels of 255. Photos are sampled twice (drawn, then at texels), each time rounded to a level; waves of half a
# meter bend by less than one between pixels of 4 mm; seen at 75 degrees, pixels are 4 times as long.
EXACT = 4.0


def painted(capture: Capture, tmp_path, size: int = SIZE) -> Painted:
    workspace = capture.workspace
    views = load_views(workspace.model, workspace.images, workspace.masks, size, Progress())
    given = np.full_like(capture.vertices, 128)
    vertices, faces, progress = capture.vertices, capture.faces, Progress()

    def lay_out(fineness: np.ndarray) -> Unwrapped:
        return unwrap(vertices, faces, fineness, tmp_path, progress)

    return paint(vertices, capture.normals, faces, given, views, size, lay_out, progress)


def texel_points(capture: Capture, result: Painted, size: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """Each texel's position in the scene [T, 3], and its color [T, 3]."""
    texels = texels_of(result.unwrapped.uv, result.unwrapped.faces, size)
    own, which = texels.of_faces(np.arange(len(capture.faces)))
    points = texels.interpolate(capture.vertices[capture.faces], np.arange(len(capture.faces)), own, which)
    return points, result.tiles[0].image[texels.row[own], texels.column[own]].astype(float)


def seen_part(points: np.ndarray) -> np.ndarray:
    """Well inside the part that the ring of photos shows: ground before the box, its front and top; not the edges."""
    x, y, z = points.T
    ground = (y > -1e-4) & (z < -0.45) & (z > -1.0) & (np.abs(x) < 0.6)
    front = (z < -0.3 + 1e-4) & (y < -0.05) & (y > -0.65) & (np.abs(x) < 0.4)
    top = (y < -0.7 + 1e-4) & (np.abs(x) < 0.4) & (np.abs(z) < 0.25)
    return ground | front | top


@pytest.fixture(scope="module")
def capture(tmp_path_factory) -> Capture:
    return write_capture(tmp_path_factory.mktemp("capture") / "workspace")


@pytest.fixture(scope="module")
def result(capture, tmp_path_factory) -> Painted:
    return painted(capture, tmp_path_factory.mktemp("scratch"))


def test_the_texture_has_the_true_colors(capture, result):
    points, color = texel_points(capture, result)
    off = np.abs(color - true_color(points))[seen_part(points)]
    assert len(off) > 20_000
    assert np.percentile(off, 99) < EXACT and off.mean() < 1.5


def test_photos_of_one_exposure_get_no_gains(result):
    # The waves' colors are the same from everywhere, so that gains only see rounding and edges.
    assert np.abs(result.gains - 1).max() < 0.005


def test_a_box_leaves_nothing_of_its_color_on_the_ground_behind_it(capture, result):
    """The ground is never red, the box always: hidden ground gets the ground's colors, too."""
    points, color = texel_points(capture, result)
    # At the ground's own rim, pixels also show what is beyond it.
    ground = (
        (points[:, 1] > -1e-4) & (np.abs(points[:, 0]) < 1.5) & (points[:, 2] > -1.0) & (points[:, 2] < 1.8)
    )
    # Within 2 cm of the box a pixel may show both; depth is tested to half a percent, 1 cm at 2 m.
    near = (np.abs(points[:, 0]) < 0.47) & (np.abs(points[:, 2]) < 0.32)
    assert (color[ground & ~near, 0] < 40 + 25).mean() > 0.9999
    assert (color[ground, 0] < 40 + 60).mean() > 0.995


def test_exposures_that_differ_by_a_fifth_are_evened_out(tmp_path):
    exposures = np.array([0.8, 1.2, 1.0, 0.85, 1.15, 0.9, 1.1, 1.0])

    def exposed(number: int, photo: np.ndarray) -> np.ndarray:
        return np.clip(np.rint(photo * exposures[number]), 0, 255).astype(np.uint8)

    capture = write_capture(tmp_path / "workspace", len(exposures), exposed)
    result = painted(capture, tmp_path)
    wanted = exposures.mean() / exposures
    found = result.gains / (result.gains / wanted[:, None]).mean()
    assert np.abs(found - wanted[:, None]).max() < 0.02  # 40 levels of red in 8 bits: a level is 2.5 %
    points, color = texel_points(capture, result)
    seen = seen_part(points)
    ratio = color[seen, 1:] / true_color(points)[seen, 1:]
    assert ratio.std() / ratio.mean() < 0.025  # without gains it is .08 and more
    assert np.percentile(ratio, 99) / np.percentile(ratio, 1) < 1.12


def test_a_passer_by_in_one_photo_is_not_painted(tmp_path):
    def passer_by(number: int, photo: np.ndarray) -> np.ndarray:
        if number == 4:
            photo = photo.copy()
            photo[150:400, 280:380] = (255, 0, 255)
        return photo

    capture = write_capture(tmp_path / "workspace", change=passer_by)
    points, color = texel_points(capture, painted(capture, tmp_path))
    off = np.abs(color - true_color(points)).max(axis=1)[seen_part(points)]
    assert (off > 25).mean() < 0.002  # the figure covers a tenth of the evaluated part
    assert np.percentile(off, 95) < 8


def test_masked_pixels_are_not_used(tmp_path):
    """Magenta in a third of all photos would outvote the scene; masks mark it."""

    def covered(number: int, photo: np.ndarray) -> np.ndarray:
        photo = photo.copy()
        photo[:, :200] = (255, 0, 255)
        return photo

    capture = write_capture(tmp_path / "workspace", change=covered)
    masks = capture.workspace.masks
    masks.mkdir()
    mask = np.full((480, 640), 255, np.uint8)
    mask[:, :200] = 0
    for photo in capture.workspace.images.iterdir():
        cv2.imwrite(str(masks / f"{photo.name}.png"), mask)
    _, color = texel_points(capture, painted(capture, tmp_path))
    magenta = (color[:, 0] > 180) & (color[:, 1] < 50) & (color[:, 2] > 180)
    assert magenta.mean() < 1e-5


# -- the stage ------------------------------------------------------------------------------------------


@pytest.fixture
def workspace(capture, tmp_path) -> Workspace:
    """A copy that a test may damage."""
    shutil.copytree(capture.workspace.root, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


def run(workspace: Workspace, size: int = SIZE) -> tuple[dict, list[Event]]:
    events: list[Event] = []
    summary = stage.run(workspace, TextureSettings(texture_size=size), Progress(events.append))
    return summary, [event for event in events if event.kind == "warning"]


def test_the_stage_leaves_mesh_material_and_picture(workspace):
    summary, warnings = run(workspace)
    assert not warnings and summary["photos"] == 8 and summary["seen"] > 0.5
    assert {path.name for path in workspace.texture.iterdir()} == {
        "mesh.ply",
        "mesh.obj",
        "mesh.mtl",
        "texture.png",
        "filled.png",
    }
    assert all(path.exists() for path in outputs(workspace, "texture"))
    assert cv2.imread(str(workspace.texture_image)).shape == (SIZE, SIZE, 3)
    before, faces = read_mesh(workspace.mesh_file)
    after, split = read_mesh(workspace.textured_mesh)
    assert np.array_equal(after["source"][split], faces)  # the same faces, corner for corner
    for name in "xyz":
        assert np.array_equal(after[name], before[name][after["source"]])
    uv = columns(after, "s", "t")
    assert uv is not None and uv.min() >= 0 and uv.max() <= 1
    reset(stage.STAGE, workspace)
    assert not workspace.texture.exists()


def test_a_missing_photo_is_named_and_left_out(workspace):
    (workspace.images / "view_03.png").unlink()
    summary, warnings = run(workspace)
    assert summary["photos"] == 7
    assert [event.data["photo"] for event in warnings] == ["view_03.png"]


def test_a_photo_that_is_not_an_image_is_named(workspace):
    (workspace.images / "view_03.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"view_03\.png cannot be read"):
        run(workspace)
    assert not workspace.texture.exists()


def test_without_any_photo_there_is_a_message_and_the_mesh_stays(workspace):
    shutil.rmtree(workspace.images)
    with pytest.raises(UserError, match="None of the model's photos"):
        run(workspace)
    assert workspace.mesh_file.exists()


def test_one_photo_gives_a_texture_and_a_warning(workspace):
    for photo in sorted(workspace.images.iterdir())[1:]:
        photo.unlink()
    summary, warnings = run(workspace)
    assert summary["photos"] == 1
    assert any("only one photo" in event.message for event in warnings)
    assert 0 < summary["seen"] < 1


def test_a_mesh_without_faces_is_reported(workspace):
    write_mesh_file(workspace, np.empty((0, 3)), np.empty((0, 3)), np.empty((0, 3), np.int32))
    with pytest.raises(UserError, match=r"mesh\.ply has no faces"):
        run(workspace)


def test_a_mesh_of_loose_triangles_is_textured(workspace, capture):
    """Every other triangle removed, so that hardly any edge has two, and rims are everywhere."""
    write_mesh_file(workspace, capture.vertices, capture.normals, capture.faces[::2])
    summary, _ = run(workspace)
    assert summary["seen"] > 0.2
    _, split = read_mesh(workspace.textured_mesh)
    assert len(split) == len(capture.faces[::2])


def test_gray_photos_give_a_gray_texture(workspace):
    for photo in workspace.images.iterdir():
        cv2.imwrite(str(photo), cv2.imread(str(photo), cv2.IMREAD_GRAYSCALE))
    run(workspace)
    image = cv2.imread(str(workspace.texture_image)).astype(int)
    assert np.abs(np.diff(image, axis=2)).max() <= 1  # channels are solved one by one, and rounded


def test_cancelling_leaves_nothing_half_done(workspace):
    looked = []
    progress = Progress(looked.append, lambda: any(event.message == "unwrapping" for event in looked))
    with pytest.raises(Cancelled):
        stage.run(workspace, TextureSettings(texture_size=SIZE), progress)
    assert not workspace.texture.exists()
    assert not list(workspace.root.glob("texture*"))
