"""The asset to a file: the mesh as it stands in the world, in meters, with its modifiers and texture.

A preset is one of exporters.EXPORTERS, or SPLATS for a folder that 3D Gaussian Splatting starts from.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import bpy
from mathutils import Matrix

from ...pipeline.errors import UserError
from ...pipeline.files.regular import is_utf8
from ...pipeline.text import printable
from ..find_imports import workspace_of
from ..meshes.fill_holes import fill_holes
from ..meshes.mesh_object import triangles_of
from ..meshes.open_edges import openness
from ..meshes.surfaces import surface_of
from ..modes import object_mode
from ..scratch_scene import evaluated_mesh, operating_on, scratch
from ..world_matrices import world_matrix
from .formats import EXPORTERS, Exporter
from .named_textures import named_textures, rename_material_file
from .splat_folder import write_splat_folder

SPLATS = "SPLATS"
PRESETS = (*EXPORTERS, SPLATS)


def export_asset(
    collection: bpy.types.Collection, path: Path, preset: str, fill: bool = False, scale: float = 1.0
) -> str:
    """Write an import's mesh (surfaces.surface_of says which) to a file; a sentence with what was written.

    path: gets the preset's ending where it has none of it; a folder for SPLATS. fill: close the holes first, on a
    copy. scale: of lengths in the file; 1000 for what reads millimeters. UserError where there is no mesh, or the file
    cannot be written: then an earlier file of that name is whole.
    """
    if preset == SPLATS:
        return write_splat_folder(workspace_of(collection), path.absolute())
    if preset not in EXPORTERS:
        raise UserError(f"There is no preset {preset}: choose one of {', '.join(PRESETS)}.", 2)
    exporter = EXPORTERS[preset]
    if not exporter.available():
        raise UserError(f"This Blender was built without {exporter.title}: choose another format.", 2)
    if not (scale > 0):
        raise UserError("The scale must be greater than zero.", 2)
    if not is_utf8(path.name):
        raise UserError(
            f"{printable(str(path))} cannot be exported, since its name is not UTF-8: choose another name.", 2
        )
    if path.suffix.lower() not in exporter.endings:
        path = path.with_name(path.name + exporter.endings[0])
    with object_mode():
        source = surface_of(collection)
        meters = bpy.context.scene.unit_settings.scale_length or 1.0
        mesh = evaluated_mesh(source, path.stem)
        with scratch(mesh) as thing:
            mesh.transform(Matrix.Scale(scale * meters, 4) @ world_matrix(source))
            filled = _filled(mesh) if fill else ""
            faces = len(mesh.polygons)
            _drop_unused(mesh, preset)
            checked = openness(triangles_of(mesh)[1]).sentence() if preset == "STL" else ""
            _write(exporter, thing, path.absolute())
    return " ".join(part for part in (f"Exported {faces:,} faces to {path}.", filled, checked) if part)


def _drop_unused(mesh: bpy.types.Mesh, preset: str) -> None:
    """Selections and such, which some formats would carry along, and in GLB colors that a texture makes needless."""
    textured = any(
        node.type == "TEX_IMAGE" for m in mesh.materials if m and m.node_tree for node in m.node_tree.nodes
    )
    for attribute in [a for a in mesh.attributes if not a.is_internal and not a.is_required]:
        is_color = attribute.name in mesh.color_attributes
        is_uv = attribute.name in mesh.uv_layers
        if not (is_color or is_uv) or (is_color and textured and preset == "GLB"):
            mesh.attributes.remove(mesh.attributes[attribute.name])


def _filled(mesh: bpy.types.Mesh) -> str:
    count = fill_holes(mesh)
    return f"{count:,} holes were filled." if count != 1 else "One hole was filled."


def _write(exporter: Exporter, thing: bpy.types.Object, path: Path) -> None:
    """Into a folder of its own first, so that a file appears whole, with all that belongs to it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=path.parent, prefix=".recon3d-") as folder,
            tempfile.TemporaryDirectory(prefix="recon3d-") as textures,
        ):
            with operating_on(thing), named_textures(thing.data, path, Path(textures)):
                exporter.write(str(Path(folder) / path.name))
            if path.suffix.lower() == ".obj":
                rename_material_file(Path(folder) / path.name)
            written = [file for file in Path(folder).rglob("*") if file.is_file()]
            if not (Path(folder) / path.name).is_file():
                raise UserError(
                    f"Blender did not write {path.name}: see its console, or choose another format."
                )
            for file in written:
                target = path.parent / file.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(file, target)
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): choose another folder.") from error
    except RuntimeError as error:  # what an operator reports as an error
        lines = [
            line for line in str(error).splitlines() if line.strip() and not line.startswith("Location:")
        ]
        raise UserError(f"{path} cannot be exported: {lines[-1].strip() if lines else error}") from error
