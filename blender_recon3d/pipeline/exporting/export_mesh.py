"""Export a finished workspace's textured mesh for other programs, upright and to scale.

The up axis, origin and scale in placement.json are applied. OBJ and GLB are y-up, as their readers expect; the others
are z-up, like Blender's world. LAS is the dense cloud; PNG and JPEG are pictures of the mesh from four sides.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from ..errors import UserError
from ..files.atomic_files import atomic_file
from ..files.pictures import read_picture
from ..files.ply_mesh import VERTEX, write_mesh
from ..files.texture_files import COLOR, LIGHT, NORMAL, OCCLUSION, tile_file
from ..meshing.topology import Mesh
from ..placing.placement_file import read_placement
from ..results import require
from ..system.versions import engine_version
from ..texturing.textured_mesh import TexturedMesh, read_textured
from ..wording import Sentence, run_stage, terminal_only
from ..workspace import Workspace
from .export_cloud import export_cloud
from .file_formats import FORMATS, ORTHO, PRESETS, WEB_TEXTURE, engine_endings
from .georeference import write_georeference
from .glb import GlbImage, GlbMaterial, write_glb
from .mesh_compression import MeshCompression
from .obj import ObjMaterial, beside, write_obj
from .orthophoto import write_orthophoto
from .picture import write_picture
from .print_mesh import MILLIMETERS, closed, write_3mf, write_stl

Y_UP = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
JPEG_QUALITY = 92
WEBP_QUALITY = 85
MAX_SIDE = 32_767  # pixels that OpenCV can sample from


def check_export(path: Path, workspace: Workspace, preset: str = "") -> None:
    """UserError (2) for an unsupported extension or a path where results would be overwritten."""
    supported = PRESETS[preset].endings if preset else engine_endings()
    if preset and not PRESETS[preset].engine:
        raise UserError(
            Sentence(
                f"The preset {preset} is written by Blender",
                terminal_only(f": blender -c recon3d export OUT FILE --preset {preset}"),
                ".",
            ),
            2,
        )
    if path.suffix.lower() not in supported:
        others = "" if preset else "; Blender writes others"
        raise UserError(
            f"{path} cannot be exported: its extension must be one of {', '.join(supported)}{others}.", 2
        )
    if workspace.root in path.absolute().parents:
        raise UserError(
            f"{path} is inside the workspace, which manages its own files: export to another folder.", 2
        )


def export(
    workspace: Workspace, path: Path, preset: str = "", meshopt: bool = False, pixel: float = 0.0
) -> list[Path]:
    """Write the textured mesh of a workspace to PATH; returns the files written.

    An OBJ has an MTL and a PNG or EXR of the same name, in ASCII, beside it; a GLB contains everything; a PLY has
    vertex colors instead of a texture; STL and 3MF have only the shape; LAS is the cloud; TIFF is an orthophoto, with a
    height map beside it. preset: of file_formats.PRESETS. meshopt: a compressed GLB. pixel: of the orthophoto, in
    meters.
    UserError if the stage is not done or the file cannot be written.
    """
    check_export(path, workspace, preset)
    if meshopt and path.suffix.lower() != ".glb":
        raise UserError(f"Meshopt only compresses GLB: export .glb instead of {path}.", 2)
    compression = MeshCompression() if meshopt else None
    try:
        if path.suffix.lower() in FORMATS["LAS"].endings:
            return export_cloud(workspace, path.absolute())
        if not workspace.textured_mesh.exists() or not workspace.texture_images[0].exists():
            raise UserError(
                Sentence(f"{workspace.root} has no texture yet: ", run_stage("texture", workspace.root), "."),
                2,
            )
        require(workspace, "texture")
        require(workspace, "sfm", [workspace.placement])
        mesh = read_textured(workspace.textured_mesh).moved(world_from_model(workspace))
        if path.suffix.lower() in FORMATS[ORTHO].endings:
            return write_orthophoto(workspace, path.absolute(), *_in_one(mesh, workspace), pixel)
        files = _write(path.absolute(), mesh, workspace, preset, compression)
        if (axes := _axes_of(path.suffix.lower(), preset)) is None:
            return files
        return files + write_georeference(workspace, path.absolute(), axes is Y_UP)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror or error}): export to another folder."
        ) from error


def _axes_of(ending: str, preset: str) -> np.ndarray | None:
    """The matrix [4, 4] from the world to a mesh's file; None if it is not a mesh in meters."""
    if ending in (".png", ".jpg", ".3mf") or (ending == ".stl" and preset):
        return None
    return Y_UP if ending in (".glb", ".obj") else np.eye(4)


def world_from_model(workspace: Workspace) -> np.ndarray:
    """placement.json's similarity [4, 4]; UserError if it is invalid."""
    return read_placement(workspace.placement, run_stage("sfm"))


def _write(
    path: Path, mesh: TexturedMesh, workspace: Workspace, preset: str, compression: MeshCompression | None
) -> list[Path]:
    ending = path.suffix.lower()
    if ending in (".stl", ".3mf"):
        first, faces = mesh.welded()
        scale = MILLIMETERS if preset or ending == ".3mf" else 1.0
        shape = Mesh(mesh.positions[first].astype(np.float64) * scale, faces)
        write_stl(path, closed(shape) if preset else shape) if ending == ".stl" else write_3mf(
            path, closed(shape)
        )
        return [path]
    if ending == ".ply":
        first, faces = mesh.welded()
        write_mesh(path, _colored(mesh, first), faces)
        return [path]
    if ending in (".png", ".jpg"):
        write_picture(path, *_in_one(mesh, workspace))
        return [path]
    mesh = mesh.moved(Y_UP)
    if ending == ".glb":
        materials = _materials(workspace, mesh.tiles, web=bool(preset))
        rounded = bool(preset or compression)
        write_glb(path, mesh, materials, f"Recon3D {engine_version()}", rounded, compression)
        return [path]
    written, named = [], []
    for tile in range(mesh.tiles):
        images = {}
        for name, ending in ((COLOR, ""), (NORMAL, "_normal")):
            source = tile_file(workspace.texture, name, tile, mesh.tiles)
            light = tile_file(workspace.texture, COLOR, tile, mesh.tiles, LIGHT)
            if name == COLOR and light.is_file():
                source = light
            if name == COLOR or source.is_file():
                target = beside(path, f"{ending}{source.name.removeprefix(name)}")
                with atomic_file(target) as part:
                    shutil.copyfile(source, part)
                images[name] = target.name
                written.append(target)
        named.append(ObjMaterial(images[COLOR], images.get(NORMAL, "")))
    write_obj(path, mesh, named, "y up, right-handed, in the units of the placement")
    return [path, beside(path, ".mtl"), *written]


def _materials(workspace: Workspace, tiles: int, web: bool) -> list[GlbMaterial]:
    """A material for each tile, with the maps that there are."""
    color = _web_image if web else _jpeg_image
    side = WEB_TEXTURE if web else 0
    materials = []
    for tile in range(tiles):
        files = [tile_file(workspace.texture, name, tile, tiles) for name in (COLOR, NORMAL, OCCLUSION)]
        normal, occlusion = (_map_image(file, side) if file.is_file() else None for file in files[1:])
        materials.append(GlbMaterial(color(_pixels(files[0])), normal, occlusion))
    return materials


def _jpeg_image(picture: np.ndarray) -> GlbImage:
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return GlbImage("jpeg", data.tobytes())


def _map_image(file: Path, side: int) -> GlbImage:
    """A normal or occlusion map, without loss; at most `side` pixels, 0: as it is."""
    picture = read_picture(file, cv2.IMREAD_UNCHANGED)
    return GlbImage("png", cv2.imencode(".png", _at_most(picture, side) if side else picture)[1].tobytes())


def _web_image(picture: np.ndarray) -> GlbImage:
    """The texture at a size that phones can display; WebP if OpenCV supports it, otherwise JPEG."""
    picture = _at_most(picture, WEB_TEXTURE)
    if cv2.haveImageWriter("a.webp"):
        return GlbImage(
            "webp", cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])[1].tobytes()
        )
    return _jpeg_image(picture)


def _at_most(picture: np.ndarray, side: int) -> np.ndarray:
    while max(picture.shape[:2]) > side:
        picture = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return picture


def _in_one(mesh: TexturedMesh, workspace: Workspace) -> tuple[TexturedMesh, np.ndarray]:
    """The mesh with all tiles in one picture, uint8 RGB [H, W, 3], reduced where OpenCV could not sample it."""
    pictures = [_pixels(file) for file in workspace.texture_images]
    if len(pictures) == 1:
        return mesh, pictures[0][..., ::-1]
    across = int(np.ceil(np.sqrt(mesh.tiles)))
    pictures = [_at_most(picture, MAX_SIDE // across) for picture in pictures]
    blank = np.zeros_like(pictures[0])
    pictures += [blank] * (across * across - len(pictures))
    rows = [np.hstack(pictures[first : first + across]) for first in range(0, len(pictures), across)]
    uv = np.empty_like(mesh.uv)
    for number, faces in enumerate(mesh.faces[mesh.tile_of_faces() == tile] for tile in range(mesh.tiles)):
        own = np.unique(faces)
        row, column = divmod(number, across)
        uv[own] = (mesh.uv[own] - [number - column, row + 1 - across]) / across
    return replace(mesh, uv=uv), np.vstack(rows)[..., ::-1]


def _pixels(file: Path) -> np.ndarray:
    """uint8 BGR [H, W, 3]."""
    return read_picture(file, cv2.IMREAD_COLOR)


def _colored(mesh: TexturedMesh, first: np.ndarray) -> np.ndarray:
    """The vertices with indices `first` as a table of position, normal and color."""
    table = np.empty(len(first), VERTEX)
    for axis, name in enumerate("xyz"):
        table[name], table["n" + name] = mesh.positions[first, axis], mesh.normals[first, axis]
    for channel, name in enumerate(("red", "green", "blue")):
        table[name] = mesh.colors[first, channel]
    return table
