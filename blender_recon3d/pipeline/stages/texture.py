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
    if settings.texture_format == "exr":
        from ..texturing.light_image import check_exr

        check_exr()
    return []


def forecast(facts: Facts) -> float:
    return 1.0 + 0.9 * (facts.settings.of(TextureSettings).texture_size / 1024) ** 2 + 0.18 * facts.photos


def run(workspace: Workspace, settings: TextureSettings, progress: Progress) -> dict[str, Any]:
    from ..files.atomic_files import atomic_folder
    from ..files.ply import columns
    from ..files.ply_mesh import read_mesh
    from ..texturing.originals import with_originals
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
    deep, white = settings.texture_format != "png", 1.0
    if deep:
        views, white = with_originals(views, workspace.used_photos(), progress)
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
            deep,
        )
        _write_mesh(part, workspace, painted, positions, normals)
        _write_images(part, workspace, painted.image, settings.texture_format, white)
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


def _write_mesh(
    folder: Path, workspace: Workspace, painted: Painted, positions: np.ndarray, normals: np.ndarray
) -> None:
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
    write_obj(folder / workspace.texture_obj.name, mesh, image, "in COLMAP's frame of the model")


def _write_images(folder: Path, workspace: Workspace, image: np.ndarray, kind: str, white: float) -> None:
    """image RGB [S, S, 3] in 0..255. white: the light that is white."""
    import cv2
    import numpy as np

    from ..photos.deep_pixels import decoded
    from ..texturing.light_image import write_exr

    if kind == "exr":
        write_exr(folder / workspace.texture_light.name, decoded(image / 255) * white)
    if kind == "png16":
        image = np.rint(np.clip(image, 0, 255) * 257).astype(np.uint16)
    elif image.dtype != np.uint8:
        image = np.rint(np.clip(image, 0, 255)).astype(np.uint8)
    pixels = cv2.imencode(".png", image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])[1]
    (folder / workspace.texture_image.name).write_bytes(pixels.tobytes())


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
    may_leave=lambda workspace: (workspace.texture_obj.with_suffix(".mtl"), workspace.texture_light),
    forecast=forecast,
    phases=(
        Phase("reading photos", 0.22, ends=0.5),
        Phase("unwrapping", 0.27, begins=0.5, ends=0.5),
        Phase("painting", 0.51, begins=0.5, ends=1.1),
    ),
)
