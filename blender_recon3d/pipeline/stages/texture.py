"""The mesh in the photos' colors: texture/ with mesh.ply, mesh.obj, mesh.mtl and texture.png, in the model's frame."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..events import Progress
from ..job_forecast import Facts
from ..stage import Phase, Stage
from ..stage_settings import TextureSettings
from ..wording import CHECK_ENGINE, Sentence, run_stage, with_option
from ..workspace import Workspace

if TYPE_CHECKING:
    import numpy as np

    from ..texturing.paint import Painted

MIN_PHOTOS = 2


def inputs(workspace: Workspace, settings: TextureSettings) -> Any:
    if importlib.util.find_spec("xatlas") is None:
        raise UserError(Sentence("UVs need the package xatlas, which is missing: ", CHECK_ENGINE, "."), 2)
    return []


def forecast(facts: Facts) -> float:
    return 1.0 + 0.9 * (facts.settings.of(TextureSettings).texture_size / 1024) ** 2 + 0.18 * facts.photos


def run(workspace: Workspace, settings: TextureSettings, progress: Progress) -> dict[str, Any]:
    from ..files.atomic_files import atomic_folder
    from ..files.ply import columns
    from ..files.ply_mesh import read_mesh
    from ..texturing.paint import paint
    from ..texturing.texture_views import load_views
    from ..texturing.unwrap import unwrap

    table, faces = read_mesh(workspace.mesh_file)
    if not len(faces):
        raise UserError(
            Sentence(
                f"{workspace.mesh_file} has no faces: ",
                run_stage("mesh"),
                ", ",
                with_option("region", "all"),
                ".",
            )
        )
    positions, normals = columns(table, "x", "y", "z"), columns(table, "nx", "ny", "nz")
    given = columns(table, "red", "green", "blue")
    if positions is None or normals is None or given is None:
        raise UserError(Sentence(f"{workspace.mesh_file} has no normals or colors: ", run_stage("mesh"), "."))
    views = load_views(workspace.model, workspace.images, workspace.masks, settings.texture_size, progress)
    if len(views) < MIN_PHOTOS:
        progress.warning(
            "There is only one photo: the texture shows what it saw and spreads its colors elsewhere."
        )
    with atomic_folder(workspace.texture) as part:
        painted = paint(
            positions,
            normals,
            faces,
            given,
            views,
            settings.texture_size,
            lambda fineness: unwrap(positions, faces, fineness, part, progress),
            progress,
        )
        _write(part, workspace, painted, positions, normals)
    if painted.share_seen < 0.5:
        progress.warning(
            f"No photo shows {1 - painted.share_seen:.0%} of the surface, which gets the colors around it."
        )
    return {
        "message": f"{settings.texture_size} x {settings.texture_size} texels from {len(views)} photos, "
        f"{painted.share_seen:.0%} of the surface seen, {painted.fill:.0%} of the texture used",
        "size": settings.texture_size,
        "photos": len(views),
        "seen": round(painted.share_seen, 4),
        "fill": round(painted.fill, 4),
        "gains": [[round(float(value), 3) for value in gain] for gain in painted.gains],
    }


def _write(
    folder: Path, workspace: Workspace, painted: Painted, positions: np.ndarray, normals: np.ndarray
) -> None:
    import cv2

    from ..exporting.obj import write_obj
    from ..texturing.textured_mesh import TexturedMesh, write_textured

    source = painted.unwrapped.source
    mesh = TexturedMesh(
        positions[source],
        normals[source],
        painted.vertex_colors[source],
        painted.unwrapped.uv,
        source,
        painted.unwrapped.faces,
    )
    write_textured(folder / workspace.textured_mesh.name, mesh)
    image = workspace.texture_image.name
    pixels = cv2.imencode(".png", painted.image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])[1]
    (folder / image).write_bytes(pixels.tobytes())
    write_obj(folder / workspace.texture_obj.name, mesh, image, "in COLMAP's frame of the model")


STAGE = Stage(
    name="texture",
    title="Painting the texture",
    makes="Textured Mesh",
    makes_text="Cameras, cloud, and a mesh with a texture made from the photos",
    version=2,
    needs=("mesh",),
    settings=TextureSettings,
    inputs=inputs,
    run=run,
    owns=lambda workspace: (workspace.texture,),
    leaves=lambda workspace: (workspace.textured_mesh, workspace.texture_obj, workspace.texture_image),
    may_leave=lambda workspace: (workspace.texture_obj.with_suffix(".mtl"),),
    forecast=forecast,
    phases=(
        Phase("reading photos", 0.22, ends=0.5),
        Phase("unwrapping", 0.27, begins=0.5, ends=0.5),
        Phase("painting", 0.51, begins=0.5, ends=1.1),
    ),
)
