"""Orthophotos: where they are on the map, what they show, and how high it is."""

import importlib.util

import cv2
import numpy as np
import pytest
from PIL import Image

from blender_recon3d.pipeline.cli.recon3d import main
from blender_recon3d.pipeline.documents.document_files import write_document
from blender_recon3d.pipeline.documents.placement_json import GpsOrigin, PlacementDocument
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.exporting.orthophoto import write_orthophoto
from blender_recon3d.pipeline.placing.map_grid import grid_at
from blender_recon3d.pipeline.texturing.textured_mesh import TexturedMesh
from blender_recon3d.pipeline.workspace import Workspace
from tests.pipeline.exporting.test_exporting import workspace  # noqa: F401
from tests.support.flights import ORIGIN, degrees_at

PIXEL = 0.05


def terrace() -> tuple[TexturedMesh, np.ndarray]:
    """Ground of 20 x 20 m with a roof of 4 x 4 m, 3 m above its northeast; the texture is white with a red dot at 5 m
    east and 2 m south, and blue where the roof is."""
    ground = np.array([[-10, -10, 0], [10, -10, 0], [10, 10, 0], [-10, 10, 0]], float)
    roof = np.array([[2, 2, 3], [6, 2, 3], [6, 6, 3], [2, 6, 3]], float)
    positions = np.concatenate([ground, roof])
    faces = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]])
    texture = np.full((1000, 1000, 3), 255, np.uint8)
    cv2.circle(texture, (750, 600), 20, (255, 0, 0), -1)
    texture[200:400, 600:800] = (0, 0, 255)
    uv = positions[:, :2] / 20 + 0.5
    normals = np.tile([0.0, 0, 1], (8, 1))
    mesh = TexturedMesh(positions, normals, np.zeros((8, 3), np.uint8), uv, np.arange(8), faces)
    return mesh, texture


def placed(folder, gps: GpsOrigin | None) -> Workspace:
    made = Workspace(folder)
    made.create()
    document = PlacementDocument(world_from_model=np.eye(4).tolist(), how="", gps=gps)
    write_document(made.placement, document)
    return made


def read(path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, and the upper left corner on the map, by Pillow."""
    with Image.open(path) as image:
        return np.asarray(image), np.array(image.tag_v2[33922][3:5])


def test_an_orthophoto_is_where_gps_says(tmp_path):
    """UTM's north differs from true north by more than a degree here; the dot must not move by half a pixel."""
    gps = GpsOrigin(latitude_longitude=ORIGIN, origin_east_north=(300.0, -200.0))
    photo, heights = write_orthophoto(placed(tmp_path / "out", gps), tmp_path / "a.tif", *terrace(), PIXEL)
    colors, corner = read(photo)
    rows, columns = np.nonzero((colors[..., 0] > 200) & (colors[..., 1] < 60))
    found = corner + np.array([columns.mean() + 0.5, -rows.mean() - 0.5]) * PIXEL
    expected = grid_at(*ORIGIN).project(np.array([degrees_at(305.0, -202.0)]))[0]
    assert np.abs(found - expected).max() < 0.5 * PIXEL
    levels, _ = read(heights)
    assert levels.shape == colors.shape[:2]
    roof = (colors[..., 2] > 200) & (colors[..., 0] < 60) & (colors[..., 3] > 0)
    assert np.abs(levels[roof] - 3).max() < 1e-4 and np.abs(levels[rows, columns]).max() < 1e-4
    outside = colors[..., 3] == 0
    assert outside.any() and (levels[outside] == -9999).all()
    if importlib.util.find_spec("rasterio"):
        import rasterio

        with rasterio.open(photo) as map_file:
            assert map_file.crs.to_epsg() == 32632 and map_file.res == (PIXEL, PIXEL)
            assert np.abs(np.array(map_file.xy(rows.mean(), columns.mean())) - expected).max() < 0.5 * PIXEL
        with rasterio.open(heights) as map_file:
            assert map_file.nodata == -9999 and map_file.read(1).dtype == np.float32


def test_without_gps_it_has_the_coordinates_of_the_scene(tmp_path):
    photo, _ = write_orthophoto(placed(tmp_path / "out", None), tmp_path / "a.tif", *terrace())
    colors, corner = read(photo)
    assert corner.tolist() == [-10, 10] and 900 <= colors.shape[0] <= 1000  # a texel is 2 cm


def test_too_fine_a_pixel_is_refused_with_one_that_works(tmp_path):
    made = placed(tmp_path / "out", None)
    with pytest.raises(UserError, match=r"too many for an area of 20 x 20 m: use 0\.005 or more"):
        write_orthophoto(made, tmp_path / "a.tif", *terrace(), 0.001)
    assert not list(tmp_path.glob("*.tif"))


def test_one_command_writes_both_pictures(workspace, tmp_path, capsys):  # noqa: F811  # a fixture
    assert main(["ortho", str(workspace.root), str(tmp_path / "map.tif"), "--json"]) == 0
    assert "map_height.tif" in capsys.readouterr().out
    colors, _ = read(tmp_path / "map.tif")
    heights, _ = read(tmp_path / "map_height.tif")
    assert colors.shape[:2] == heights.shape and (colors[..., 3] > 0).any()
    assert main(["ortho", str(workspace.root), str(tmp_path / "map.jpg")]) == 2
    assert main(["ortho", str(workspace.root), str(tmp_path / "map.tif"), "--pixel", "-1"]) == 2
