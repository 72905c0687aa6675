"""The table of export formats, and whether the engine or Blender writes them. Standard library only.

It is used by the command line, Blender's panel, the API and the manual (docs/user/clean-and-export.md).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FileFormat:
    """endings: the default first; none for a folder. engine, blender: whether they can write it."""

    title: str
    description: str
    endings: tuple[str, ...]
    engine: bool = False
    blender: bool = False


FORMATS = {
    "GLB": FileFormat(
        "glTF (GLB)", "One file with texture, for games and the web; Y up", (".glb",), engine=True, blender=True
    ),
    "FBX": FileFormat(
        "FBX", "One file with texture, for Unity, Unreal and other 3D programs; Y up", (".fbx",), blender=True
    ),
    "OBJ": FileFormat(
        "OBJ", "With an MTL file and the texture beside it; Y up", (".obj",), engine=True, blender=True
    ),
    "PLY": FileFormat("PLY", "With vertex colors; Z up", (".ply",), engine=True, blender=True),
    "USD": FileFormat(
        "USD", "With textures beside it, or in it as .usdz; Z up", (".usdc", ".usdz", ".usd", ".usda"), blender=True
    ),
    "ABC": FileFormat("Alembic", "Shape, UV map and vertex colors, for VFX; Y up", (".abc",), blender=True),
    "STL": FileFormat(
        "STL", "For 3D printing: shape only, checked to be watertight; Z up", (".stl",), engine=True, blender=True
    ),
    "3MF": FileFormat("3MF", "For 3D printing, in millimeters; Z up", (".3mf",), engine=True),
    "LAS": FileFormat(
        "LAS", "The dense cloud for surveying, in map coordinates where it has GPS; Z up", (".las", ".laz"),
        engine=True,
    ),
    "ORTHO": FileFormat(
        "Orthophoto", "The mesh from above and its heights as GeoTIFF, on the map where the photos have GPS",
        (".tif", ".tiff"), engine=True,
    ),
    "PICTURE": FileFormat("Picture", "The mesh from four sides", (".png", ".jpg"), engine=True),
    "SPLATS": FileFormat(
        "3DGS Folder", "Undistorted photos, cameras and points, for Gaussian splatting and NeRF", (), engine=True,
        blender=True,
    ),
}  # fmt: skip


WEB_TEXTURE = 2048  # pixels of a side, at most


@dataclass(frozen=True)
class Preset:
    """A purpose, with its format and options. format: the default one, of FORMATS."""

    title: str
    description: str
    format: str
    endings: tuple[str, ...]
    engine: bool = False


PRESETS = {
    "web": Preset(
        "Web",
        "A small GLB: WebP texture of at most 2,048 pixels, and 16-bit coordinates or at most 100,000 faces",
        "GLB",
        (".glb",),
        engine=True,
    ),
    "lods": Preset(
        "LODs", "A GLB with five levels of detail (MSFT_lod), each with half the faces of the one before", "GLB",
        (".glb",),
    ),
    "game": Preset(
        "Game", "FBX with three LODs and a collision hull, named for Unreal and Unity", "FBX", (".fbx",)
    ),
    "print": Preset(
        "Print", "Watertight, in millimeters: 3MF or STL", "3MF", (".3mf", ".stl"), engine=True
    ),
    "vfx": Preset("VFX", "USD or Alembic with the cameras", "USD", (".usdc", ".usdz", ".usd", ".usda", ".abc")),
    "survey": Preset(
        "Survey", "The dense cloud as LAS, in UTM where the photos have GPS", "LAS", (".las", ".laz"), engine=True
    ),
}  # fmt: skip


SPLATS, SURVEY, ORTHO = (
    "SPLATS",
    "SURVEY",
    "ORTHO",
)  # written by the engine even from Blender, since no scene is needed


def ending_of(name: str) -> str:
    """The default extension of a format, or of a preset in capitals; empty for a folder."""
    endings = FORMATS[name].endings if name in FORMATS else PRESETS[name.lower()].endings
    return endings[0] if endings else ""


def engine_endings() -> tuple[str, ...]:
    return tuple(ending for each in FORMATS.values() if each.engine for ending in each.endings)


def table() -> str:
    """The table in the manual."""
    rows = ["| format | endings | `recon3d export` | Blender | |", "|---|---|---|---|---|"]
    for name, each in FORMATS.items():
        endings = ", ".join(each.endings) or "a folder"
        marks = " | ".join("yes" if there else "" for there in (each.engine, each.blender))
        rows.append(f"| {name} | {endings} | {marks} | {each.description} |")
    rows += ["", "| preset | endings | `recon3d export` | Blender | |", "|---|---|---|---|---|"]
    for name, preset in PRESETS.items():
        marks = " | ".join(("yes" if preset.engine else "", "" if preset.engine and name != "web" else "yes"))
        rows.append(f"| {name} | {', '.join(preset.endings)} | {marks} | {preset.description} |")
    return "\n".join(rows) + "\n"
