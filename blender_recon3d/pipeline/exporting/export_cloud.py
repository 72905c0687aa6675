"""Export a workspace's dense cloud as LAS, in map coordinates if its cameras or its photos' GPS have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..alignments.map_offset import map_offset
from ..documents.document_files import read_document
from ..documents.placement_json import PlacementDocument
from ..errors import FileFormatError, UserError
from ..files.atomic_files import write_json
from ..files.ply import columns, read_vertices
from ..placing.map_grid import degrees_of, grid_at
from ..results import require
from ..wording import Sentence, run_stage
from ..workspace import Workspace
from .las import write_las

HEIGHTS = "meters above the ground of the model"


def export_cloud(workspace: Workspace, path: Path) -> list[Path]:
    """Write the cloud and, with GPS, NAME.crs.json, which relates the workspace's other exports to the same
    coordinates. Returns the files. UserError if there is no cloud."""
    if not workspace.fusion.exists():
        raise UserError(
            Sentence(f"{workspace.root} has no dense cloud yet: ", run_stage("dense", workspace.root), "."), 2
        )
    require(workspace, "dense", [workspace.fusion])
    require(workspace, "sfm", [workspace.placement])
    placement = read_document(PlacementDocument, workspace.placement, run_stage("sfm"))
    vertices = read_vertices(workspace.fusion)
    xyz = columns(vertices, "x", "y", "z")
    if xyz is None or not len(xyz):
        raise FileFormatError(workspace.fusion, "it has no points")
    colors = columns(vertices, "red", "green", "blue")
    views = vertices["views"] if "views" in (vertices.dtype.names or ()) else np.zeros(len(xyz))
    matrix = np.array(placement.world_from_model)
    world = xyz.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    rgb = np.full((len(xyz), 3), 128, np.uint8) if colors is None else colors.astype(np.uint8)
    if (offset := map_offset(workspace)).any():
        write_las(path, xyz + offset, rgb, views)
        return [path]
    if placement.gps is None:
        write_las(path, world, rgb, views)
        return [path]
    origin = np.zeros((1, 3))
    latitude, longitude = degrees_of(origin, placement.gps)[0].tolist()
    grid = grid_at(latitude, longitude)
    on_map = np.column_stack([grid.project(degrees_of(world, placement.gps)), world[:, 2]])
    write_las(path, on_map, rgb, views, grid.wkt())
    east, north = grid.project(np.array([[latitude, longitude]]))[0].tolist()
    toward = grid.project(degrees_of(np.array([[0.0, 100.0, 0.0]]), placement.gps))[0]
    about = {
        "version": 1, "crs": grid.name, "epsg": grid.epsg, "wkt": grid.wkt(),
        "offset_east_north": [round(east, 4), round(north, 4)],
        "latitude_longitude": [round(latitude, 9), round(longitude, 9)],
        "north_of_the_files_is_degrees_east_of_grid_north": round(
            float(np.degrees(np.arctan2(toward[0] - east, toward[1] - north))), 6
        ),
        "heights": HEIGHTS,
    }  # fmt: skip
    beside = path.with_suffix(".crs.json")
    write_json(beside, about)
    return [path, beside]
