"""Shows the progress of structure from motion: live/cameras.json and live/points.ply.

COLMAP writes snapshots of its model from time to time; the newest complete one becomes the folder `live`, which may be
replaced at any moment and is removed at the end.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np

from ..colmap.calls import pycolmap
from ..documents.document_files import write_document
from ..documents.live_json import LiveCamera, LiveDocument
from ..files.atomic_files import atomic_folder, remove
from ..files.ply import write_vertices
from ..placing.upright import place_model
from ..workspace import Workspace

MAX_POINTS = 40_000  # drawn at once without a pause
SNAPSHOTS = 25  # per job, approximately


class LiveModel:
    """Publishes COLMAP's snapshots while mapping.

    folder: where COLMAP writes them. every: photos between two snapshots.
    """

    def __init__(self, workspace: Workspace, folder: Path, photos: int) -> None:
        self.folder = folder
        self.every = max(1, photos // SNAPSHOTS)
        self._workspace = workspace
        self._shown = ""
        remove(workspace.live)
        folder.mkdir(parents=True, exist_ok=True)

    def publish(self) -> None:
        """Show the newest complete snapshot. Failures are ignored: results do not depend on it."""
        names = sorted(path.name for path in self.folder.iterdir() if path.is_dir())
        if len(names) < 2 or names[-2] == self._shown:
            return
        self._shown = names[-2]  # the last one may be incomplete
        with contextlib.suppress(Exception):  # COLMAP may raise anything for an incomplete file
            write_live(self._workspace, pycolmap.Reconstruction(self.folder / self._shown))
        for name in names[:-2]:
            remove(self.folder / name)


def write_live(workspace: Workspace, model: Any) -> None:
    """Write cameras.json, and points.ply with at most MAX_POINTS of the sparse points."""
    cameras = []
    for image_id in sorted(model.reg_image_ids()):
        image = model.image(image_id)
        pose, camera = image.cam_from_world(), model.camera(image.camera_id)
        tx, ty, tz = pose.translation
        x, y, z, w = (float(value) for value in pose.rotation.quat)
        cameras.append(
            LiveCamera(
                name=image.name,
                qvec=(w, x, y, z),
                tvec=(float(tx), float(ty), float(tz)),
                width=camera.width,
                height=camera.height,
                focal=float(camera.mean_focal_length()),
            )
        )
    points = list(model.points3D.values())
    step = max(1, -(-len(points) // MAX_POINTS))
    xyz = np.array([point.xyz for point in points[::step]], np.float64).reshape(-1, 3)
    rgb = np.array([point.color for point in points[::step]], np.uint8).reshape(-1, 3)
    placed = place_model(model)[0]
    vertices = np.empty(
        len(xyz), [(n, "<f4") for n in ("x", "y", "z")] + [(n, "u1") for n in ("red", "green", "blue")]
    )
    for column, name in enumerate(("x", "y", "z")):
        vertices[name] = xyz[:, column]
    for column, name in enumerate(("red", "green", "blue")):
        vertices[name] = rgb[:, column]
    with atomic_folder(workspace.live, lasting=False) as part:
        write_vertices(part / "points.ply", vertices)
        document = LiveDocument(world_from_model=placed.tolist(), cameras=cameras)
        write_document(part / "cameras.json", document, lasting=False)
