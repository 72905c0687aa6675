"""The mesh in the photos' colors: texture/ with mesh.ply, mesh.obj, mesh.mtl and texture.png, in the model's frame.

filled.png marks what no photo shows; normal.png and occlusion.png are made if asked for. With several tiles (UDIM),
each image is one file per tile: see `files/texture_files.py`.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..events import Progress
from ..files.texture_files import COLOR, LIGHT, MAPS, tile_files
from ..job_forecast import Facts
from ..stage import Phase, Stage
from ..stage_settings import TextureSettings
from ..wording import CHECK_ENGINE, Sentence, run_stage, with_option
from ..workspace import Workspace

if TYPE_CHECKING:
    import numpy as np

    from ..texturing.paint import Painted, Tile
    from ..texturing.textured_mesh import TexturedMesh

MIN_PHOTOS = 2
USUAL_TILES = 2  # where the photos' detail decides


def inputs(workspace: Workspace, settings: TextureSettings) -> Any:
    if importlib.util.find_spec("xatlas") is None:
        raise UserError(Sentence("UVs need the package xatlas, which is missing: ", CHECK_ENGINE, "."), 2)
    if settings.texture_format == "exr":
        from ..texturing.light_image import check_exr

        check_exr()
    return []


def forecast(facts: Facts) -> float:
    settings = facts.settings.of(TextureSettings)
    tiles = settings.texture_tiles or USUAL_TILES
    texels = tiles * (settings.texture_size / 1024) ** 2
    maps = 40.0 * (settings.occlusion_map or settings.delight > 0) + 0.5 * texels * settings.normal_map
    return 1.0 + 0.9 * texels + 0.09 * facts.photos * (1 + tiles) + maps


def run(workspace: Workspace, settings: TextureSettings, progress: Progress) -> dict[str, Any]:
    from ..files.atomic_files import atomic_folder
    from ..files.ply import columns
    from ..files.ply_mesh import read_mesh
    from ..placing.metric import millimeters
    from ..texturing.occlusion import ambient_occlusion
    from ..texturing.originals import with_originals
    from ..texturing.paint import Delight, paint
    from ..texturing.photo_detail import density_of
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
    colors = columns(table, "red", "green", "blue")
    if positions is None or normals is None or colors is None:
        raise UserError(Sentence(f"{workspace.mesh_file} has no normals or colors: ", run_stage("mesh"), "."))
    density = density_of(workspace.model, positions, normals, faces)
    tiles = settings.texture_tiles or density.tiles(settings.texture_size)
    progress.info(density.sentence(settings.texture_size, tiles, millimeters(workspace)))
    most_pixels = settings.texture_size * tiles
    views = load_views(workspace.model, workspace.images, workspace.masks, most_pixels, progress)
    deep, white = settings.texture_format != "png", 1.0
    if deep:
        views, white = with_originals(views, workspace.used_photos(), progress)
    if len(views) < MIN_PHOTOS:
        progress.warning(
            "There is only one photo: the texture shows what it saw and spreads its colors elsewhere."
        )
    with atomic_folder(workspace.texture) as part:
        light = None
        if settings.occlusion_map or settings.delight > 0:
            light = ambient_occlusion(positions, normals, faces, progress)
        painted = paint(
            positions,
            normals,
            faces,
            colors,
            views,
            settings.texture_size,
            lambda fineness: unwrap(positions, faces, fineness, part, progress, tiles),
            progress,
            deep,
            Delight(settings.delight, light) if light is not None and settings.delight > 0 else None,
        )
        mesh = _write_mesh(part, workspace, painted, positions, normals)
        for number, tile in enumerate(painted.tiles):
            _write_images(part, tile, number, len(painted.tiles), settings.texture_format, white)
        _write_maps(part, workspace, mesh, settings, light if settings.occlusion_map else None, progress)
    if painted.share_seen < 0.5:
        progress.warning(
            f"No photo shows {1 - painted.share_seen:.0%} of the surface, which gets the colors around it."
        )
    count = f"{len(painted.tiles)} tiles of " * (len(painted.tiles) > 1)
    return {
        "message": f"{count}{settings.texture_size} x {settings.texture_size} texels from {len(views)} photos, "
        f"{painted.share_seen:.0%} of the surface seen, {painted.fill:.0%} of the texture used",
        "size": settings.texture_size,
        "tiles": len(painted.tiles),
        "photos": len(views),
        "seen": round(painted.share_seen, 4),
        "fill": round(painted.fill, 4),
        "gains": [[round(float(value), 3) for value in gain] for gain in painted.gains],
    }


def _write_mesh(
    folder: Path, workspace: Workspace, painted: Painted, positions: np.ndarray, normals: np.ndarray
) -> TexturedMesh:
    from ..exporting.obj import ObjMaterial, write_obj
    from ..files.texture_files import COLOR, tile_file
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
    count = len(painted.tiles)
    materials = [ObjMaterial(tile_file(folder, COLOR, number, count).name) for number in range(count)]
    write_obj(folder / workspace.texture_obj.name, mesh, materials, "in COLMAP's frame of the model")
    return mesh


def _write_maps(
    folder: Path,
    workspace: Workspace,
    mesh: TexturedMesh,
    settings: TextureSettings,
    light: np.ndarray | None,
    progress: Progress,
) -> None:
    """The maps that were asked for. light [V]: of the vertices of mesh/mesh.ply."""
    from ..files.ply import columns
    from ..files.ply_mesh import read_mesh
    from ..files.texture_files import NORMAL, OCCLUSION, tile_file
    from ..texturing.surface_maps import COARSER, Detail, normal_map, occlusion_map

    size = max(1, settings.texture_size // COARSER)
    if settings.normal_map:
        table, _ = read_mesh(workspace.full_mesh_file)
        points, normals = columns(table, "x", "y", "z"), columns(table, "nx", "ny", "nz")
        if points is None or normals is None:
            raise UserError(Sentence(f"{workspace.full_mesh_file} has no normals: ", run_stage("mesh"), "."))
        detail = Detail.of(points, normals)
        for tile in range(mesh.tiles):
            progress.check()
            image = normal_map(mesh, detail, size, tile)
            _write_png(tile_file(folder, NORMAL, tile, mesh.tiles), image[..., ::-1])
    if light is not None:
        for tile in range(mesh.tiles):
            progress.check()
            image = occlusion_map(mesh, light[mesh.source], size, tile)
            _write_png(tile_file(folder, OCCLUSION, tile, mesh.tiles), image)


def _write_png(path: Path, pixels: np.ndarray) -> None:
    import cv2

    path.write_bytes(cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes())


def _images(workspace: Workspace) -> list[Path]:
    """Those that not every texture has."""
    images = [file for name in MAPS for file in tile_files(workspace.texture, name)]
    return [*images, *tile_files(workspace.texture, COLOR, LIGHT)]


def _write_images(folder: Path, tile: Tile, number: int, tiles: int, kind: str, white: float) -> None:
    """A tile's images. white: the light that is white."""
    import numpy as np

    from ..files.texture_files import COLOR, FILLED, tile_file
    from ..photos.deep_pixels import decoded
    from ..texturing.light_image import write_exr

    image = tile.image
    if kind == "exr":
        write_exr(tile_file(folder, COLOR, number, tiles, LIGHT), decoded(image / 255) * white)
    if kind == "png16":
        image = np.rint(np.clip(image, 0, 255) * 257).astype(np.uint16)
    elif image.dtype != np.uint8:
        image = np.rint(np.clip(image, 0, 255)).astype(np.uint8)
    _write_png(tile_file(folder, COLOR, number, tiles), image[..., ::-1])
    _write_png(tile_file(folder, FILLED, number, tiles), tile.filled)


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
    leaves=lambda workspace: (workspace.textured_mesh, workspace.texture_obj, *workspace.texture_images),
    may_leave=lambda workspace: (workspace.texture_obj.with_suffix(".mtl"), *_images(workspace)),
    forecast=forecast,
    phases=(
        Phase("reading photos", 0.22, ends=0.5),
        Phase("unwrapping", 0.27, begins=0.5, ends=0.5),
        Phase("painting", 0.51, begins=0.5, ends=1.1),
    ),
)
