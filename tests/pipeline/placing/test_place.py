"""`recon3d place`: scale, heading and ground from markers in rendered photos, from GPS, and from a number."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from blender_recon3d.pipeline.cli.recon3d import main
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.files.atomic_files import write_json
from blender_recon3d.pipeline.placing.gps import east_north, fix_from_gps
from blender_recon3d.pipeline.placing.place_command import PlacementRequest, place
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.scenes import FOCAL, HEIGHT, WIDTH, Face, ring, write_capture

SCALE = 0.2  # of the model: five meters a unit
MOVE = pycolmap.Sim3d(
    SCALE, pycolmap.Rotation3d(Rotation.from_rotvec([0.3, -1.2, 0.7]).as_matrix()), np.array([4.0, -5, 6])
)
SIDE = 0.3  # of a marker, meters
HOME = np.array([48.137, 11.575])
NUMBERS = {3: (100, 200), 7: (900, 150), 11: (500, 650), 20: (1100, 1000)}  # places in the ground's texture


def board(wrong: bool = False) -> list[Face]:
    """Ground of 1.6 x 1.6 m with four markers; wrong: one of them printed at half size."""
    texture = np.full((1600, 1600), 235, np.uint8)
    kind = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_5X5_50)
    for number, (row, column) in NUMBERS.items():
        size = 150 if wrong and number == 11 else 300
        texture[row : row + size, column : column + size] = cv2.aruco.generateImageMarker(kind, number, size)
    x, _, z = np.eye(3)
    return [Face(np.array([-0.8, 0, -0.8]), 1.6 * z, 1.6 * x, cv2.cvtColor(texture, cv2.COLOR_GRAY2BGR))]


def made_workspace(folder: Path, gps: np.ndarray | None = None) -> Workspace:
    """Eight exact cameras in a model that was moved, rotated and scaled."""
    poses = ring(8)
    text = folder / "text"
    text.mkdir()
    (text / "cameras.txt").write_text(
        f"1 PINHOLE {WIDTH} {HEIGHT} {FOCAL} {FOCAL} {WIDTH / 2} {HEIGHT / 2}\n"
    )
    lines = []
    for number, pose in enumerate(poses):
        x, y, z, w = Rotation.from_matrix(pose[:, :3]).as_quat()
        numbers = " ".join(repr(float(value)) for value in (w, x, y, z, *pose[:, 3]))
        lines.append(f"{number + 1} {numbers} 1 view_{number:02d}.jpg\n\n")
    (text / "images.txt").write_text("".join(lines))
    (text / "points3D.txt").write_text("")
    model = pycolmap.Reconstruction(text)
    model.transform(MOVE)
    workspace = Workspace(folder / "out")
    workspace.model.mkdir(parents=True)
    model.write(workspace.model)
    photos = [
        {
            "name": f"view_{number:02d}.jpg",
            "source": "",
            "state": "used",
            "gps": None if gps is None else [*gps[number], 500.0],
        }
        for number in range(len(poses))
    ]
    write_json(workspace.photos, {"version": 1, "source": "", "cameras": [], "photos": photos})
    return workspace


def placed(workspace: Workspace) -> np.ndarray:
    """From meters of the scene to the world of placement.json [4, 4]."""
    matrix = np.array(json.loads(workspace.placement.read_text())["world_from_model"])
    return matrix @ np.vstack([MOVE.matrix(), [0, 0, 0, 1]])


def scale_of(matrix: np.ndarray) -> float:
    return float(np.cbrt(np.linalg.det(matrix[:3, :3])))


@pytest.fixture(scope="module")
def marked(tmp_path_factory) -> Workspace:
    workspace = made_workspace(tmp_path_factory.mktemp("marked"))
    write_capture(workspace.images, ring(8), board())
    return workspace


def test_markers_in_photos_give_meters_and_the_ground(marked):
    before = {path: path.read_bytes() for path in marked.model.iterdir()}
    content = place(marked, PlacementRequest(marker_size=SIDE, dictionary="5X5_50"))
    assert "4 markers" in content.how and "on the ground" in content.how
    world = placed(marked)
    # A corner is found to about a tenth of a pixel; a marker is about 70 wide, and visible in 8 photos.
    assert scale_of(world) == pytest.approx(1, rel=0.003)
    ground = np.array([[-0.7, 0, -0.6, 1], [0.7, 0, -0.6, 1], [0, 0, 0.7, 1]])
    assert np.abs((ground @ world.T)[:, 2]).max() < 0.004
    assert (np.array([0, -1, 0, 0]) @ world.T)[2] == pytest.approx(1, abs=0.005)  # the scene's up is -y
    assert {path: path.read_bytes() for path in marked.model.iterdir()} == before


def test_the_wrong_dictionary_finds_nothing_and_says_so(marked):
    with pytest.raises(UserError, match="No marker was found in at least two photos") as caught:
        place(marked, PlacementRequest(marker_size=SIDE, dictionary="7X7_50"))
    assert caught.value.exit_code == 2


def test_markers_of_two_sizes_are_reported(tmp_path):
    workspace = made_workspace(tmp_path)
    write_capture(workspace.images, ring(8), board(wrong=True))
    assert (
        "are they all the same size?"
        in place(workspace, PlacementRequest(marker_size=SIDE, dictionary="5X5_50")).how
    )


def gps_of(noise: float, seed: int = 0, factor: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Latitude and longitude [8, 2] of the ring's cameras where the scene's x is north-east; and that heading."""
    centers = np.stack([-pose[:, :3].T @ pose[:, 3] for pose in ring(8)])
    turn = np.radians(45)
    east = np.array([np.cos(turn), 0, np.sin(turn)])  # of the scene's x and z
    north = np.array([-np.sin(turn), 0, np.cos(turn)])
    meters = factor * np.stack([centers @ east, centers @ north], axis=1)
    meters += np.random.default_rng(seed).normal(0, noise, meters.shape) if noise else 0.0
    degree = np.radians(1) * 6_378_137.0 * np.array([0.99665, np.cos(np.radians(HOME[0])) * 1.00186])
    return HOME + meters[:, ::-1] / degree, np.stack([east, north])


def test_gps_gives_meters_and_heading_and_leaves_up_alone(tmp_path):
    gps, axes = gps_of(0.0)
    workspace = made_workspace(tmp_path, gps)
    content = place(workspace, PlacementRequest(gps=True))
    world = placed(workspace)
    assert scale_of(world) == pytest.approx(1, rel=0.005)
    turned = axes @ world[:3, :3].T / scale_of(world)
    assert np.allclose(turned[:, :2], np.eye(2), atol=0.02)
    assert content.gps.latitude_longitude == pytest.approx(HOME.tolist(), abs=1e-3)


def test_a_photo_with_a_wrong_position_is_ignored(tmp_path):
    gps, _ = gps_of(0.0)
    gps[3] += 0.01  # a kilometer
    workspace = made_workspace(tmp_path, gps)
    assert "GPS of 7 photos" in place(workspace, PlacementRequest(gps=True)).how
    assert scale_of(placed(workspace)) == pytest.approx(1, rel=0.01)


def test_gps_of_photos_too_close_together_is_refused(tmp_path):
    gps, _ = gps_of(3.0)
    workspace = made_workspace(tmp_path, gps)
    before = "as it was"
    workspace.placement.write_text(before)
    with pytest.raises(UserError, match="too little for scale"):
        place(workspace, PlacementRequest(gps=True))
    assert workspace.placement.read_text() == before


@pytest.mark.parametrize(
    ("factor", "noise", "clear"), [(30.0, 0.5, True), (30.0, 15.0, False), (1.0, 0.01, False)]
)
def test_clear_gps_places_the_model_from_the_start(tmp_path, factor, noise, clear):
    """A flight 120 m wide, one with bad GPS, and a walk around a vase."""
    gps, _ = gps_of(noise, factor=factor)
    content = place(made_workspace(tmp_path, gps), PlacementRequest())
    assert (content.gps is not None) == clear
    size = np.cbrt(np.linalg.det(np.array(content.world_from_model)[:3, :3]))
    assert size == pytest.approx(factor / SCALE if clear else 1.0, rel=0.05)


def test_photos_without_gps_are_refused(tmp_path):
    with pytest.raises(UserError, match="0 photos of the model have GPS"):
        place(made_workspace(tmp_path), PlacementRequest(gps=True))


def test_meters_on_the_ellipsoid_agree_with_geodesy():
    """A second of latitude and of longitude at 48 degrees: 30.887 m and 20.728 m (WGS 84)."""
    second = np.array([[48 + 1 / 3600, 11.0], [48.0, 11 + 1 / 3600]])
    found = east_north(second, np.array([48.0, 11.0]))
    assert found[0, 1] == pytest.approx(30.887, abs=0.002)
    assert found[1, 0] == pytest.approx(20.728, abs=0.02)


def test_the_date_line_is_not_an_edge():
    gps = np.array([[0.0, 179.9999], [0.0, -179.9999], [0.0001, 179.9999], [0.0001, -179.9999]])
    origin = np.array([0.0, 180.0])
    assert np.abs(east_north(gps, origin)).max() < 15


def test_a_scale_is_set_and_removed(tmp_path, capsys):
    workspace = made_workspace(tmp_path)
    assert main(["place", str(workspace.root), "--scale", "5"]) == 0
    assert scale_of(placed(workspace)) == pytest.approx(1, rel=1e-9)
    assert main(["place", str(workspace.root)]) == 0
    assert scale_of(placed(workspace)) == pytest.approx(SCALE, rel=1e-9)


@pytest.mark.parametrize(
    "options", [("--scale", "0"), ("--scale", "nan"), ("--gps", "--scale", "1"), ("--marker-size", "-1"),
                ("--marker-size", "1", "--marker-dictionary", "9X9")]
)  # fmt: skip
def test_contradictory_options_are_wrong_usage(tmp_path, options):
    assert main(["place", str(tmp_path), *options]) == 2


def test_a_folder_without_cameras_is_refused(tmp_path, capsys):
    assert main(["place", str(tmp_path), "--scale", "1"]) == 2
    assert "recon3d sfm" in capsys.readouterr().err


def test_four_photos_determine_the_placement_exactly():
    places = np.array([[0.0, 0], [1, 0], [1, 1], [0, 2]])
    gps = HOME + np.array([[0, 0], [1, 0], [1, 1], [0, 2.0]])[:, ::-1] * 1e-4 * np.array([0.6703, 1.0])
    fix = fix_from_gps(places, gps)
    assert fix.used == 4 and fix.scale == pytest.approx(7.44, rel=0.01)
    assert np.allclose(fix.rotation, np.eye(2), atol=0.01)
