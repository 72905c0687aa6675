"""A drone flight straight down: it is placed by its GPS, and its orthophoto shows the ground where it is."""

import cv2
import numpy as np
import pytest
from PIL import Image

from blender_recon3d.pipeline.cli.recon3d import main
from blender_recon3d.pipeline.documents.document_files import read_document
from blender_recon3d.pipeline.documents.placement_json import PlacementDocument
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.placing.map_grid import grid_at
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.flights import ALTITUDE, METERS, ORIGIN, degrees_at, write_flight
from tests.support.scenes import box_scene


def read(path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, and the upper left corner on the map, by Pillow."""
    with Image.open(path) as image:
        return np.asarray(image), np.array(image.tag_v2[33922][3:5])


@pytest.mark.slow
def test_a_flight_is_placed_by_its_gps_and_its_orthophoto_shows_the_ground(tmp_path, capsys):
    scene = box_scene()
    write_flight(tmp_path / "photos", scene)
    workspace = Workspace(tmp_path / "out")
    settings = JobSettings.build(
        photos=str(tmp_path / "photos"), features="sift", quality="preview", feature_size=640, max_keypoints=1500,
        dense_size=320,
        texture_size=1024, region="all", until="texture",
    )  # fmt: skip
    run_job(workspace, settings, Progress())
    placement = read_document(PlacementDocument, workspace.placement, "")
    assert placement.gps is not None and "x east and y north" in placement.how
    pixel = 0.25
    assert main(["ortho", str(workspace.root), str(tmp_path / "map.tif"), "--pixel", str(pixel)]) == 0
    assert "map_height.tif" in capsys.readouterr().out
    colors, corner = read(tmp_path / "map.tif")
    # The ground's true picture at the same pixels: its texture runs north, then east.
    row, column = np.indices(colors.shape[:2])
    origin = grid_at(*ORIGIN).project(np.array([ORIGIN]))[0]
    north = grid_at(*ORIGIN).project(np.array([degrees_at(0.0, 100.0)]))[0] - origin
    turn = np.arctan2(north[0], north[1])
    east_m = corner[0] + (column + 0.5) * pixel - origin[0]
    north_m = corner[1] - (row + 0.5) * pixel - origin[1]
    x = (east_m * np.cos(turn) - north_m * np.sin(turn)) / METERS
    z = (east_m * np.sin(turn) + north_m * np.cos(turn)) / METERS
    size = scene[0].texture.shape[0]
    place = [((value + 2) / 4 * size - 0.5).astype(np.float32) for value in (z, x)]
    truth = cv2.cvtColor(cv2.remap(scene[0].texture, *place, cv2.INTER_LINEAR), cv2.COLOR_BGR2GRAY)
    seen = cv2.cvtColor(np.ascontiguousarray(colors[..., :3]), cv2.COLOR_RGB2GRAY)
    offsets = []
    for east, south in ((-30, -30), (30, -30), (-30, 30), (30, 30)):  # meters, beside the box
        middle = np.argmin(np.hypot(x * METERS - east, z * METERS + south))
        top, left = (max(0, int(value) - 32) for value in np.unravel_index(middle, x.shape))
        window = np.s_[top : top + 64, left : left + 64]
        shift, _ = cv2.phaseCorrelate(truth[window].astype(np.float64), seen[window].astype(np.float64))
        offsets.append(np.hypot(*shift))
    assert max(offsets) < 1.0, offsets  # pixels of 25 cm
    heights, _ = read(tmp_path / "map_height.tif")
    on_box = (np.abs(x) < 0.3) & (np.abs(z) < 0.2)
    on_ground = (np.abs(x) > 0.8) & (np.abs(x) < 1.5) & (np.abs(z) < 1.0) & (colors[..., 3] > 0)
    assert placement.gps.altitude is not None
    assert np.median(heights[on_ground]) == pytest.approx(ALTITUDE, abs=1.0)  # above the sea
    rise = np.median(heights[on_box]) - np.median(heights[on_ground])
    assert rise == pytest.approx(0.7 * METERS, rel=0.05)
