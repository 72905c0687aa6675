"""Export a workspace's dense cloud as LAS, in map coordinates if its cameras or its photos' GPS have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..alignments.map_offset import map_offset
from ..documents.document_files import read_document
from ..documents.placement_json import PlacementDocument
from ..errors import FileFormatError, UserError
from ..files.ply import columns, read_vertices
from ..results import require
from ..wording import Sentence, run_stage
from ..workspace import Workspace
from .georeference import map_of, on_map, write_map_reference
from .las import write_las


def export_cloud(workspace: Workspace, path: Path) -> list[Path]:
    """Write the cloud and, with GPS, NAME.prj and NAME.crs.json (`georeference`). Returns the files. UserError if the
    cloud is missing."""
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
    write_las(path, on_map(world, placement.gps), rgb, views, map_of(placement.gps).wkt())
    return [path, *write_map_reference(path, placement.gps)]
