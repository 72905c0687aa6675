"""Where an export is on Earth, in two files beside it: NAME.prj, its coordinate system as text, and NAME.crs.json.

Meshes keep small numbers, which single precision needs: meters east and north of their own origin. Their coordinate
system is a transverse Mercator projection about that origin, so that GIS programs that read the .prj put them in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..alignments.map_offset import map_offset
from ..documents.document_files import read_document
from ..documents.placement_json import GpsOrigin, PlacementDocument
from ..files.atomic_files import atomic_file, write_json
from ..placing.map_grid import MapGrid, degrees_of, grid_at
from ..wording import run_stage
from ..workspace import Workspace

_DEGREES = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,'
    'AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]]'
)
BY_GPS = "meters by the altitude in the photos' GPS: above sea level or above the ellipsoid, as the camera writes it"
ABOVE_GROUND = "meters above the ground of the model; the photos' GPS has no altitude"
AXES_Z_UP, AXES_Y_UP = ("east", "north", "up"), ("east", "up", "south")


@dataclass(frozen=True)
class Reference:
    """Where a file is on Earth. wkt: its coordinate system, empty if only a matrix leads to the map; about: the content
    of NAME.crs.json."""

    wkt: str
    about: dict[str, Any]


def write_georeference(workspace: Workspace, path: Path, y_up: bool) -> list[Path]:
    """Write both files beside a mesh at PATH; returns their paths, none without a place on Earth. y_up: its axes."""
    reference = reference_of(workspace, y_up)
    return write_reference(path, reference) if reference else []


def reference_of(workspace: Workspace, y_up: bool) -> Reference | None:
    """Where a mesh in the workspace's world is on Earth; None if that is not known. y_up: the axes of its file."""
    placement = read_document(PlacementDocument, workspace.placement, run_stage("sfm"))
    axes = list(AXES_Y_UP if y_up else AXES_Z_UP)
    if placement.gps is None:
        offset = map_offset(workspace)
        if not offset.any():
            return None
        map_from_world = np.linalg.inv(np.array(placement.world_from_model))
        map_from_world[:3, 3] += offset
        about = {"version": 1, "axes": axes, "map_from_east_north_up": map_from_world.tolist()}
        return Reference("", about)
    latitude, longitude = origin_of(placement.gps)
    return Reference(
        local_wkt(latitude, longitude), about_gps(placement.gps) | {"axes": axes, "crs_of_file": "local"}
    )


def write_map_reference(path: Path, gps: GpsOrigin) -> list[Path]:
    """The same for a file in map coordinates, with heights above sea level where they are known."""
    about = about_gps(gps) | {"axes": list(AXES_Z_UP), "crs_of_file": "map"}
    return write_reference(path, Reference(map_of(gps).wkt(), about))


def origin_of(gps: GpsOrigin) -> tuple[float, float]:
    """Latitude and longitude of the world's origin."""
    latitude, longitude = degrees_of(np.zeros((1, 3)), gps)[0].tolist()
    return latitude, longitude


def map_of(gps: GpsOrigin) -> MapGrid:
    return grid_at(*origin_of(gps))


def on_map(world: np.ndarray, gps: GpsOrigin) -> np.ndarray:
    """East and north in UTM, and altitude [N, 3], of points of the world."""
    return np.column_stack([map_of(gps).project(degrees_of(world, gps)), world[:, 2] + (gps.altitude or 0.0)])


def local_wkt(latitude: float, longitude: float) -> str:
    """Well-known text, version 1, of meters east and north of a place."""
    return (
        f'PROJCS["Local, meters from {latitude:.9f}, {longitude:.9f}",{_DEGREES},PROJECTION["Transverse_Mercator"],'
        f'PARAMETER["latitude_of_origin",{latitude:.9f}],PARAMETER["central_meridian",{longitude:.9f}],'
        'PARAMETER["scale_factor",1],PARAMETER["false_easting",0],PARAMETER["false_northing",0],'
        'UNIT["meter",1,AUTHORITY["EPSG","9001"]],AXIS["Easting",EAST],AXIS["Northing",NORTH]]'
    )


def about_gps(gps: GpsOrigin) -> dict[str, Any]:
    """The world's origin in degrees and on the map, and how the world's axes lie there."""
    latitude, longitude = origin_of(gps)
    grid = map_of(gps)
    east, north = grid.project(np.array([[latitude, longitude]]))[0].tolist()
    toward = grid.project(degrees_of(np.array([[0.0, 100.0, 0.0]]), gps))[0]
    return {
        "version": 1, "crs": grid.name, "epsg": grid.epsg, "wkt": grid.wkt(),
        "local_wkt": local_wkt(latitude, longitude),
        "offset_east_north": [round(east, 4), round(north, 4)],
        "offset_up": gps.altitude,
        "latitude_longitude": [round(latitude, 9), round(longitude, 9)],
        "north_of_the_files_is_degrees_east_of_grid_north": round(
            float(np.degrees(np.arctan2(toward[0] - east, toward[1] - north))), 6
        ),
        "heights": ABOVE_GROUND if gps.altitude is None else BY_GPS,
    }  # fmt: skip


def beside(path: Path) -> Path:
    return path.with_suffix(".crs.json")


def write_reference(path: Path, reference: Reference) -> list[Path]:
    """Write the files beside PATH; returns their paths."""
    write_json(beside(path), reference.about)
    if not reference.wkt:
        return [beside(path)]
    text = path.with_suffix(".prj")
    with atomic_file(text) as part:
        part.write_text(reference.wkt + "\n", "ascii")
    return [text, beside(path)]
