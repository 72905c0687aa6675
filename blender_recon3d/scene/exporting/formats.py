"""Blender's own exporters, which are operators: each writes one object, in meters, to a file.

They are called in a scene with only the object (scratch_scene.operating_on), with options common to Blender 4.2 to 5.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bpy

from ...pipeline.exporting.file_formats import FORMATS, FileFormat

WEBP_QUALITY = 85
CENTIMETERS = 100.0  # in a meter
JPEG_QUALITY = 92  # of a GLB's textures, as the engine's: a third of the bytes of a PNG


def _glb(path: str) -> None:
    # JPEG degrades normal maps, so with one the images keep their format.
    nodes = [n for m in bpy.context.object.data.materials if m and m.node_tree for n in m.node_tree.nodes]
    image_format = "AUTO" if any(node.type == "NORMAL_MAP" for node in nodes) else "JPEG"
    bpy.ops.export_scene.gltf(
        filepath=path, export_format="GLB", export_yup=True, use_active_scene=True, export_animations=False,
        export_skins=False, export_morph=False, export_cameras=False, export_lights=False,
        export_image_format=image_format, export_image_quality=JPEG_QUALITY,
    )  # fmt: skip


def _obj(path: str) -> None:
    bpy.ops.wm.obj_export(
        filepath=path, forward_axis="NEGATIVE_Z", up_axis="Y", export_materials=True, export_uv=True,
        export_normals=True, export_colors=True, path_mode="COPY", export_animation=False,
    )  # fmt: skip


def _ply(path: str) -> None:
    bpy.ops.wm.ply_export(
        filepath=path, forward_axis="Y", up_axis="Z", export_uv=True, export_normals=True, export_colors="SRGB",
        ascii_format=False,
    )  # fmt: skip


def _stl(path: str) -> None:
    bpy.ops.wm.stl_export(filepath=path, forward_axis="Y", up_axis="Z", ascii_format=False)


def _fbx(path: str) -> None:
    bpy.ops.export_scene.fbx(
        filepath=path, object_types={"MESH"}, axis_forward="-Z", axis_up="Y", path_mode="COPY", embed_textures=True,
        bake_anim=False, colors_type="SRGB",
    )  # fmt: skip


def _usd(path: str) -> None:
    bpy.ops.wm.usd_export(filepath=path, export_materials=True, export_animation=False)


def _alembic(path: str) -> None:
    scene = bpy.context.scene
    bpy.ops.wm.alembic_export(
        filepath=path, start=scene.frame_start, end=scene.frame_end, as_background_job=False, uvs=True,
        vcolors=True, export_hair=False, export_particles=False,
    )  # fmt: skip


def has_operator(module: str, operator: str) -> bool:
    """Whether this Blender has bpy.ops.MODULE.OPERATOR. Quick, for panels: `dir` lists thousands of names."""
    try:
        getattr(getattr(bpy.ops, module), operator).get_rna_type()
    except (AttributeError, KeyError):
        return False
    return True


def write_web(path: str) -> None:
    """A GLB with WebP textures."""
    bpy.ops.export_scene.gltf(
        filepath=path, export_format="GLB", export_yup=True, use_active_scene=True, export_animations=False,
        export_skins=False, export_morph=False, export_cameras=False, export_lights=False,
        export_image_format="WEBP", export_image_quality=WEBP_QUALITY,
    )  # fmt: skip


def write_game(path: str) -> None:
    """An FBX in centimeters, Y up, without object scale and rotation, so that it imports correctly in Unity and in
    Unreal, which always assumes centimeters. The mesh is in centimeters already."""
    bpy.ops.export_scene.fbx(
        filepath=path, object_types={"MESH", "EMPTY"}, axis_forward="-Z", axis_up="Y", path_mode="COPY",
        embed_textures=True, bake_anim=False, colors_type="SRGB", apply_scale_options="FBX_SCALE_NONE",
        global_scale=1 / CENTIMETERS, bake_space_transform=True, use_custom_props=False, mesh_smooth_type="FACE",
    )  # fmt: skip


@dataclass(frozen=True)
class Exporter:
    """One of the table's formats (file_formats.py). module, operator: bpy.ops.MODULE.OPERATOR, which some builds
    lack."""

    format: FileFormat
    module: str
    operator: str
    write: Callable[[str], None]

    @property
    def title(self) -> str:
        return self.format.title

    @property
    def description(self) -> str:
        return self.format.description

    @property
    def endings(self) -> tuple[str, ...]:
        return self.format.endings

    def available(self) -> bool:
        return has_operator(self.module, self.operator)


EXPORTERS = {
    "GLB": Exporter(FORMATS["GLB"], "export_scene", "gltf", _glb),
    "FBX": Exporter(FORMATS["FBX"], "export_scene", "fbx", _fbx),
    "OBJ": Exporter(FORMATS["OBJ"], "wm", "obj_export", _obj),
    "PLY": Exporter(FORMATS["PLY"], "wm", "ply_export", _ply),
    "USD": Exporter(FORMATS["USD"], "wm", "usd_export", _usd),
    "ABC": Exporter(FORMATS["ABC"], "wm", "alembic_export", _alembic),
    "STL": Exporter(FORMATS["STL"], "wm", "stl_export", _stl),
}


@dataclass(frozen=True)
class Purpose:
    """A button in the panel. preset: for export_asset."""

    label: str
    icon: str
    preset: str
    format: str  # of EXPORTERS; empty if the engine writes it


PURPOSES = (
    Purpose("Web (GLB)", "WORLD", "WEB", "GLB"),
    Purpose("LODs (GLB)", "MOD_MULTIRES", "LODS", "GLB"),
    Purpose("Game (FBX)", "PLAY", "GAME", "FBX"),
    Purpose("Print (STL)", "MESH_CUBE", "PRINT", "STL"),
    Purpose("VFX (USD)", "VIEW_CAMERA", "VFX", "USD"),
    Purpose("Survey (LAS)", "EMPTY_ARROWS", "SURVEY", ""),
    Purpose("Orthophoto (TIFF)", "IMAGE_DATA", "ORTHO", ""),
)
