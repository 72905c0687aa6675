"""Export a finished workspace's textured mesh for other programs, upright and to scale.

The up axis, origin and scale in placement.json are applied. OBJ and GLB are y-up, as their readers expect; the others
are z-up, like Blender's world. LAS is the dense cloud; PNG and JPEG are pictures of the mesh from four sides.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np

from ..errors import UserError
from ..files.atomic_files import atomic_file
from ..files.pictures import read_picture
from ..files.ply_mesh import VERTEX, write_mesh
from ..meshing.topology import Mesh
from ..placing.placement_file import read_placement
from ..results import require
from ..system.versions import engine_version
from ..texturing.textured_mesh import TexturedMesh, read_textured
from ..wording import Sentence, run_stage, terminal_only
from ..workspace import Workspace
from .export_cloud import export_cloud
from .file_formats import FORMATS, ORTHO, PRESETS, WEB_TEXTURE, engine_endings
from .glb import GlbImage, write_glb
from .mesh_compression import MeshCompression
from .obj import beside, write_obj
from .orthophoto import write_orthophoto
from .picture import write_picture
from .print_mesh import MILLIMETERS, closed, write_3mf, write_stl

Y_UP = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
JPEG_QUALITY = 92
WEBP_QUALITY = 85


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
        more = "" if preset else "; Blender writes others"
        raise UserError(
            f"{path} cannot be exported: its extension must be one of {', '.join(supported)}{more}.", 2
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
        if not workspace.textured_mesh.exists() or not workspace.texture_image.exists():
            raise UserError(
                Sentence(f"{workspace.root} has no texture yet: ", run_stage("texture", workspace.root), "."),
                2,
            )
        require(workspace, "texture")
        require(workspace, "sfm", [workspace.placement])
        mesh = read_textured(workspace.textured_mesh).moved(world_from_model(workspace))
        if path.suffix.lower() in FORMATS[ORTHO].endings:
            return write_orthophoto(workspace, path.absolute(), mesh, _texture(workspace)[..., ::-1], pixel)
        return _write(path.absolute(), mesh, workspace, preset, compression)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror or error}): export to another folder."
        ) from error


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
        write_picture(path, mesh, _texture(workspace)[..., ::-1])
        return [path]
    mesh = mesh.moved(Y_UP)
    if ending == ".glb":
        image = _web_image(workspace) if preset else _jpeg_image(workspace)
        write_glb(path, mesh, image, f"Recon3D {engine_version()}", bool(preset or compression), compression)
        return [path]
    texture = workspace.texture_light if workspace.texture_light.exists() else workspace.texture_image
    image_path = beside(path, texture.suffix)
    with atomic_file(image_path) as part:
        shutil.copyfile(texture, part)
    write_obj(path, mesh, image_path.name, "y up, right-handed, in the units of the placement")
    return [path, beside(path, ".mtl"), image_path]


def _jpeg_image(workspace: Workspace) -> GlbImage:
    data = cv2.imencode(".jpg", _texture(workspace), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return GlbImage("jpeg", data.tobytes())


def _web_image(workspace: Workspace) -> GlbImage:
    """The texture at a size that phones can display; WebP if OpenCV supports it, otherwise JPEG."""
    picture = _texture(workspace)
    while max(picture.shape[:2]) > WEB_TEXTURE:
        picture = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    if cv2.haveImageWriter("a.webp"):
        return GlbImage(
            "webp", cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])[1].tobytes()
        )
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return GlbImage("jpeg", data.tobytes())


def _texture(workspace: Workspace) -> np.ndarray:
    """uint8 BGR [H, W, 3]."""
    return read_picture(workspace.texture_image, cv2.IMREAD_COLOR)


def _colored(mesh: TexturedMesh, first: np.ndarray) -> np.ndarray:
    """The vertices with indices `first` as a table of position, normal and color."""
    table = np.empty(len(first), VERTEX)
    for axis, name in enumerate("xyz"):
        table[name], table["n" + name] = mesh.positions[first, axis], mesh.normals[first, axis]
    for channel, name in enumerate(("red", "green", "blue")):
        table[name] = mesh.colors[first, channel]
    return table
