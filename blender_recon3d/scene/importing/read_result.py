"""Read the data of an import from its files: the slow part, without Blender, so that it can run in a thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...pipeline.alignments.map_offset import map_offset
from ...pipeline.errors import UserError
from ...pipeline.files.far_origin import moved, note, offset_of
from ...pipeline.files.ply import columns, read_vertices
from ...pipeline.text import Said
from ...pipeline.workspace import Workspace
from ..blender_lens import Pinhole
from ..cameras import pinhole_of, pose_of
from ..points import Points
from . import colmap_files, ply_points
from .find_source import NOT_PLACED, Source
from .mesh_files import Surface, has_mesh, read_surface

SAMPLE = 100_000  # points of a cloud used to determine its location
CLOUD_ELSEWHERE = Said(
    "The cloud lies far from the cameras, as if one of them were in map coordinates: it is shown where its file says, "
    "and its points are kept near its object's origin, so that nothing is lost to single precision."
)


@dataclass(frozen=True)
class ReadResult:
    """What the files hold. placed: the world from the model that is less the offset [4, 4]; shift [3]: what the cloud
    lies apart from that. surface: None where there is no mesh. map_offset [3]: what the engine took off another
    program's cameras; exported cameras have it again."""

    model: colmap_files.Model
    pinholes: dict[int, Pinhole]
    offset: np.ndarray
    points: Points
    shift: np.ndarray
    placed: np.ndarray
    surface: Surface | None
    notes: tuple[str, ...]
    map_offset: np.ndarray


def read_result(source: Source) -> ReadResult:
    """Read all data of a source. Raises UserError."""
    model = colmap_files.read_model(source.model)
    pinholes = {camera_id: pinhole_of(camera, source.model) for camera_id, camera in model.cameras.items()}
    offset = offset_of(_centers(model))
    points, shift = _read_points(source, offset)
    placed, notes = source.world_from_model, source.notes
    if offset.any():
        placed, notes = _near(source, offset)
    if shift.any():
        notes += (CLOUD_ELSEWHERE,)
    if not all(camera.is_pinhole for camera in model.cameras.values()):
        notes += (Said("The photos are not undistorted yet, so they match the cloud only roughly."),)
    surface, mesh_notes = _read_mesh(source.root, offset)
    workspace = Workspace(source.root)
    on_map = map_offset(workspace) if workspace.state_file.is_file() else np.zeros(3)
    return ReadResult(model, pinholes, offset, points, shift, placed, surface, notes + mesh_notes, on_map)


def _read_mesh(root: Path, offset: np.ndarray) -> tuple[Surface | None, tuple[str, ...]]:
    """The workspace's mesh, if it has one; an unreadable one only gives a note, since cameras and cloud are usable."""
    try:
        return (read_surface(root, offset.tolist()) if has_mesh(root) else None), ()
    except UserError as error:
        return None, (str(error),)


def _near(source: Source, offset: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """The placement of a model after an offset was subtracted, and the notes. Map coordinates have z up."""
    if NOT_PLACED not in source.notes:
        return moved(source.world_from_model, offset), (*source.notes, note(offset))
    others = tuple(text for text in source.notes if text != NOT_PLACED)
    return np.eye(4), (*others, note(offset, z_up=True))


def _centers(model: colmap_files.Model) -> np.ndarray:
    return np.array([pose_of(image.qvec, image.tvec)[1] for image in model.images], float).reshape(-1, 3)


def _read_points(source: Source, offset: np.ndarray) -> tuple[Points, np.ndarray]:
    """The points, minus the offset and minus their remaining distance from the cameras, which is returned too [3]."""
    if source.cloud is not None:
        vertices = read_vertices(source.cloud)
        positions = columns(vertices[:: max(1, len(vertices) // SAMPLE)], "x", "y", "z")
        shift = np.zeros(3) if positions is None else offset_of(positions - offset)
        return ply_points.to_points(source.cloud, vertices, offset + shift).finite(), shift
    sparse = colmap_files.read_points(source.model)
    with np.errstate(over="ignore"):
        xyz = (sparse.xyz - offset).astype(np.float32)
    return Points(xyz, rgb=sparse.rgb, views=sparse.views).finite(), np.zeros(3)
