"""*Reproject Photos*: paint the photos onto a mesh with its own UVs. Nothing in the workspace changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..errors import UserError
from ..events import Progress
from ..files.atomic_files import atomic_file
from ..files.texture_files import tile_file
from ..results import require_model
from ..texturing.given_mesh import read_given
from ..texturing.paint import paint
from ..texturing.texture_views import load_views
from ..wording import Sentence, terminal_only
from ..workspace import Workspace
from .export_mesh import Y_UP, world_from_model

MIN_SIZE, MAX_SIZE = 256, 16_384
UNSEEN = 128  # gray of a part that no photo shows anywhere


def reproject(
    workspace: Workspace, mesh: Path, picture: Path, size: int, frame: str, progress: Progress
) -> dict[str, Any]:
    """Paint an OBJ file's mesh with a workspace's photos and write PICTURE, a PNG of size x size for its UVs, or one
    for each of its tiles (UDIM): NAME.1001.png and so on.

    frame: of the mesh's coordinates: "world" as `recon3d export` writes OBJ files (y up, placement.json applied),
    "model" for the cameras' own. Returns the summary. Raises UserError.
    """
    if picture.suffix.lower() != ".png":
        raise UserError(f"{picture} is not a PNG file: name the texture something.png.", 2)
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise UserError(f"A texture of {size} pixels cannot be painted: choose {MIN_SIZE} to {MAX_SIZE}.", 2)
    folder = picture.absolute().parent
    if folder != workspace.reprojected and workspace.root in (folder, *folder.parents):
        raise UserError(
            f"{picture} is inside the workspace, which manages its own files: choose another folder.", 2
        )
    require_model(workspace)
    move = np.eye(4) if frame == "model" else np.linalg.inv(Y_UP @ world_from_model(workspace))
    surface = read_given(mesh, move)
    views = load_views(workspace.model, workspace.images, workspace.masks, size, progress)
    plain = np.full_like(surface.vertices, UNSEEN)
    painted = paint(
        surface.vertices,
        surface.normals,
        surface.faces,
        plain,
        views,
        size,
        lambda _: surface.unwrapped,
        progress,
    )
    if painted.share_seen == 0:
        raise UserError(
            Sentence(
                "No photo shows the mesh: it must be at the reconstruction's location, and its faces must be oriented "
                "outward",
                terminal_only(" (--frame sets its coordinates)"),
                ".",
            )
        )
    folder.mkdir(parents=True, exist_ok=True)
    count = len(painted.tiles)
    files = [tile_file(folder, picture.stem, number, count) for number in range(count)]
    for file, tile in zip(files, painted.tiles, strict=True):
        pixels = cv2.imencode(".png", tile.image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])[1]
        with atomic_file(file) as part:
            part.write_bytes(pixels.tobytes())
    many, seen = f"{count} tiles of " * (count > 1), f"{painted.share_seen:.0%}"
    return {
        "message": f"{many}{size} x {size} texels from {len(views)} photos, {seen} of the surface seen",
        "texture": str(files[0]),
        "tiles": count,
        "seen": round(painted.share_seen, 4),
        "photos": len(views),
    }
