"""What is written beside exports that have a place on Earth."""

import importlib.util
import json
import shutil

import numpy as np
import pytest

from blender_recon3d.pipeline.documents.document_files import read_document, write_document
from blender_recon3d.pipeline.documents.placement_json import GpsOrigin, PlacementDocument
from blender_recon3d.pipeline.exporting.export_mesh import export
from blender_recon3d.pipeline.exporting.georeference import on_map
from blender_recon3d.pipeline.files.atomic_files import write_json
from blender_recon3d.pipeline.placing.map_grid import grid_at
from blender_recon3d.pipeline.results import record_again
from blender_recon3d.pipeline.workspace import Workspace
from tests.pipeline.exporting.test_exporting import workspace  # noqa: F401
from tests.support.flights import ALTITUDE, ORIGIN, degrees_at

GPS = GpsOrigin(latitude_longitude=ORIGIN, origin_east_north=(300.0, -200.0), altitude=ALTITUDE)


@pytest.fixture
def own(workspace, tmp_path) -> Workspace:  # noqa: F811  # a fixture
    """A copy that a test may change."""
    shutil.copytree(workspace.root, tmp_path / "own")
    return Workspace(tmp_path / "own")


@pytest.fixture
def placed(own):

    before = read_document(PlacementDocument, own.placement, "")
    document = PlacementDocument(world_from_model=before.world_from_model, how="by GPS", gps=GPS)
    write_document(own.placement, document)
    record_again(own, "sfm", own.placement)
    return own


@pytest.mark.parametrize(
    ("name", "axes"), [("a.glb", "up"), ("a.obj", "up"), ("a.ply", "north"), ("a.stl", "north")]
)
def test_meshes_have_their_place_beside_them(placed, tmp_path, name, axes):
    files = export(placed, tmp_path / name)
    assert {path.name for path in files} >= {"a.prj", "a.crs.json"}
    about = json.loads((tmp_path / "a.crs.json").read_text())
    assert about["axes"][1] == axes and about["crs_of_file"] == "local"
    assert about["latitude_longitude"] == pytest.approx(degrees_at(300.0, -200.0), abs=1e-8)
    assert about["offset_up"] == ALTITUDE
    expected = grid_at(*ORIGIN).project(np.array([degrees_at(300.0, -200.0)]))[0]
    assert about["offset_east_north"] == pytest.approx(expected, abs=1e-3)
    if importlib.util.find_spec("rasterio"):  # the mesh's own coordinates are on the map by its .prj
        from rasterio.crs import CRS
        from rasterio.warp import transform

        local = CRS.from_wkt((tmp_path / "a.prj").read_text())
        (east,), (north,) = transform(local, CRS.from_epsg(32632), [40.0], [-25.0])
        there = on_map(np.array([[40.0, -25.0, 3.0]]), GPS)[0]
        assert (east, north) == pytest.approx(there[:2], abs=0.01)
        assert there[2] == ALTITUDE + 3


@pytest.mark.parametrize("name", ["a.png", "a.3mf"])
def test_what_is_not_in_meters_has_none(placed, tmp_path, name):
    assert [path.name for path in export(placed, tmp_path / name)] == [name]


def test_without_gps_nothing_is_added(own, tmp_path):
    assert [path.name for path in export(own, tmp_path / "a.glb")] == ["a.glb"]


def test_meshes_of_cameras_in_map_coordinates_lead_back_there(own, tmp_path):
    summary = {"offset": [691_600.0, 5_334_760.0, 519.0]}
    stages = {"sfm": {"state": "done", "summary": summary}, "texture": {"state": "done"}}
    write_json(own.state_file, {"version": 1, "stages": stages})
    export(own, tmp_path / "a.ply")
    about = json.loads((tmp_path / "a.crs.json").read_text())
    world = np.array(read_document(PlacementDocument, own.placement, "").world_from_model)
    model = np.array([1.0, 2.0, 3.0, 1.0])
    back = np.array(about["map_from_east_north_up"]) @ world @ model
    assert back[:3] == pytest.approx(model[:3] + np.array([691_600.0, 5_334_760.0, 519.0]), abs=1e-6)
