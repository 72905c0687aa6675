"""Blender's own exporters, which are operators: each writes one object, in meters, to a file.

They are called in a scene that holds the object alone (evaluation.operating_on). Options by the names that 4.2 to 5.2
share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bpy

JPEG_QUALITY = 92  # of a GLB's textures, as the engine's: a third of the bytes of a PNG


def _glb(path: str) -> None:
    # A normal map suffers from JPEG, so with one the images keep the format that they have.
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


@dataclass(frozen=True)
class Exporter:
    """endings: the first is the usual one. module, operator: bpy.ops.MODULE.OPERATOR, which some builds lack."""

    title: str
    description: str
    endings: tuple[str, ...]
    module: str
    operator: str
    write: Callable[[str], None]

    def available(self) -> bool:
        return self.operator in dir(getattr(bpy.ops, self.module))


EXPORTERS = {
    "GLB": Exporter(
        "glTF (GLB)", "One file with texture, for games and the web; Y up", (".glb",), "export_scene", "gltf", _glb
    ),
    "FBX": Exporter(
        "FBX", "One file with texture, for Unity, Unreal and other 3D programs; Y up", (".fbx",), "export_scene",
        "fbx", _fbx,
    ),
    "OBJ": Exporter("OBJ", "With an MTL file and the texture beside it; Y up", (".obj",), "wm", "obj_export", _obj),
    "PLY": Exporter("PLY", "With vertex colors; Z up", (".ply",), "wm", "ply_export", _ply),
    "USD": Exporter(
        "USD", "With textures beside it, or in it as .usdz; Z up", (".usdc", ".usdz", ".usd", ".usda"),
        "wm", "usd_export", _usd,
    ),
    "STL": Exporter(
        "STL", "For 3D printing: shape only, checked to be watertight; Z up", (".stl",), "wm", "stl_export", _stl
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Purpose:
    """What an asset is exported for: the format and its options. scale: of lengths in the file."""

    label: str
    icon: str
    preset: str
    fill: bool = False
    scale: float = 1.0


PURPOSES = (
    Purpose("Web (GLB)", "WORLD", "GLB"),
    Purpose("Game (FBX)", "PLAY", "FBX"),
    Purpose("Print (STL)", "MESH_CUBE", "STL", fill=True, scale=1000.0),  # slicers read millimeters
    Purpose("VFX (USD)", "VIEW_CAMERA", "USD"),
)
