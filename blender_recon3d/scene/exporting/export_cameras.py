"""Export the scene's cameras to reconstruction and training programs, and to VFX programs.

The former get them in COLMAP's frame, relative to the Empty, for the undistorted photos; the latter in world space.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...pipeline.alignments.camera_alignment import AlignedPhoto, Alignment, Lens
from ...pipeline.alignments.camera_writers import WRITERS
from ...pipeline.errors import UserError
from ...pipeline.files.atomic_files import atomic_file
from ...pipeline.text import Said, sentences
from ..blender_lens import Pinhole
from ..cameras import KEY
from ..find_imports import find_imports
from ..importing.find_source import find_source
from ..rotations import rotation_of
from .camera_text_files import FilmCamera, chan_text, gltf_text, marker_text
from .film_cameras import film_cameras, scene_of_cameras
from .formats import has_operator
from .posed_photos import PosedPhoto, posed_photos
from .write_by_operator import write_whole

COLMAP, NERFSTUDIO = "COLMAP", "NERFSTUDIO"


@dataclass(frozen=True)
class CameraKind:
    """file: default name, empty if the kind is a folder. operator: Blender's, which some builds lack."""

    title: str
    description: str
    file: str = ""
    in_world: bool = False
    module: str = ""
    operator: str = ""

    def available(self) -> bool:
        return not self.operator or has_operator(self.module, self.operator)


KINDS = {
    COLMAP: CameraKind("COLMAP", "cameras.txt, images.txt and points3D.txt"),
    NERFSTUDIO: CameraKind("nerfstudio", "transforms.json, which names the photos", "transforms.json"),
    "METASHAPE": CameraKind("Metashape", "XML for Import Cameras", "cameras.xml"),
    "REALITYSCAN": CameraKind("RealityScan", "XMP files, to lie beside the photos"),
    "MESHROOM": CameraKind("Meshroom", "A scene of AliceVision", "cameras.sfm"),
    "INSTANT_NGP": CameraKind("instant-ngp", "transforms.json", "transforms.json"),
    "BUNDLER": CameraKind("Bundler", "bundle.out, and list.txt with the photos", "bundle.out"),
    "NVM": CameraKind("VisualSFM", "NVM, version 3", "cameras.nvm"),
    "FBX": CameraKind("FBX", "For VFX and games", "cameras.fbx", True, "export_scene", "fbx"),
    "ALEMBIC": CameraKind("Alembic", "For VFX", "cameras.abc", True, "wm", "alembic_export"),
    "USD": CameraKind("USD", "For VFX", "cameras.usdc", True, "wm", "usd_export"),
    "GLTF": CameraKind("glTF", "For the web; without animation", "cameras.gltf", True),
    "CHAN": CameraKind("Nuke", ".chan: one animated camera", "cameras.chan", True),
}


@dataclass(frozen=True)
class FilmExport:
    """Cameras that are to be written for VFX programs. kind: one of KINDS that is in the world. folder: where the file
    is written before it appears; None for one with a name of its own."""

    cameras: list[FilmCamera]
    path: Path
    kind: str
    animated: bool
    folder: Path | None = None


def export_cameras(collection: bpy.types.Collection, target: Path, kind: str, animated: bool = False) -> str:
    """Write the cameras of an import; returns a message.

    kind: of KINDS. target: the file, or the folder for COLMAP and RealityScan. animated: for VFX, one camera with one
    photo per frame. UserError if there are no cameras, or if the file cannot be written.
    """
    _check_kind(kind)
    if KINDS[kind].in_world:
        return write_film(film_export(collection, target, kind, animated))
    photos = posed_photos(collection)
    if not photos:
        raise UserError(f"{collection.name} has no cameras: import the result again.")
    try:
        if kind == COLMAP:
            _write_colmap(photos, target)
        elif kind == NERFSTUDIO:
            source = find_source(Path(collection[KEY]["workspace"]))
            paths = {each.photo: source.photo(each.photo) for each in photos}
            names = {name: _relative(path, target.parent) for name, path in paths.items() if path}
            WRITERS["nerfstudio"](target, _alignment(photos, names))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            WRITERS[kind.lower().replace("_", "-")](target, _alignment(photos))
    except OSError as error:
        raise UserError(f"{target} cannot be written ({error.strerror}): choose another folder.") from error
    return Said("Exported {cameras} cameras to {path}.", cameras=len(photos), path=target)


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise UserError(f"There is no format {kind}: choose one of {', '.join(KINDS)}.", 2)
    if not KINDS[kind].available():
        raise UserError(f"This Blender was built without {KINDS[kind].title}: choose another format.", 2)


def _alignment(photos: list[PosedPhoto], names: Mapping[str, str] | None = None) -> Alignment:
    """names: replacements, by the photos' names in the model."""
    names = names or {}
    return Alignment(
        "Blender",
        [
            AlignedPhoto(
                names.get(item.photo, item.photo),
                Lens("PINHOLE", p.width, p.height, (p.fx, p.fy, p.cx, p.cy)),
                np.column_stack([rotation_of(item.qvec), item.tvec]),
            )
            for item in photos
            for p in (item.pinhole,)
        ],
    )


# -- VFX ------------------------------------------------------------------------------------------------


def film_export(collection: bpy.types.Collection, target: Path, kind: str, animated: bool) -> FilmExport:
    """What `export_cameras` writes for a kind that is in the world. UserError."""
    _check_kind(kind)
    if kind == "GLTF" and animated:
        raise UserError("glTF has no animated lens: export single cameras, or choose another format.", 2)
    return FilmExport(film_cameras(collection), target, kind, animated or kind == "CHAN")


def words_of(export: FilmExport) -> dict[str, Any]:
    """For a second Blender."""
    return {
        "cameras": [camera.as_json() for camera in export.cameras],
        "path": str(export.path),
        "kind": export.kind,
        "animated": export.animated,
        "folder": str(export.folder) if export.folder else "",
    }


def film_from_words(words: dict[str, Any]) -> FilmExport:
    """The inverse of `words_of`."""
    cameras = [FilmCamera.from_json(camera) for camera in words["cameras"]]
    folder = Path(words["folder"]) if words["folder"] else None
    return FilmExport(cameras, Path(words["path"]), words["kind"], bool(words["animated"]), folder)


def write_film(export: FilmExport) -> str:
    """Write the file; returns a message. If animated, the names of the photos by frame are in NAME_frames.csv beside
    it. UserError."""
    cameras, target, kind, animated = export.cameras, export.path, export.kind, export.animated
    notes = []
    if kind in ("GLTF", "CHAN") and not all(camera.centered for camera in cameras):
        notes.append(
            Said("It has no shift: views are off by how far the principal point is from the middle.")
        )
    if kind == "FBX" and animated and len({camera.pinhole for camera in cameras}) > 1:
        notes.append(
            Said("FBX animates the focal length alone: sensor and shift are those of the first photo.")
        )
    texts = {"CHAN": chan_text, "GLTF": gltf_text}
    try:
        if kind in texts:
            with atomic_file(target) as part:
                part.write_text(texts[kind](cameras), "utf-8")
        else:
            with scene_of_cameras(cameras, animated):
                write_whole(target, _OPERATORS[kind], folder=export.folder)
        if animated:
            with atomic_file(target.with_name(f"{target.stem}_frames.csv")) as part:
                part.write_text(marker_text(cameras), "utf-8")
    except OSError as error:
        raise UserError(f"{target} cannot be written ({error.strerror}): choose another folder.") from error
    if animated:
        done = Said("Exported a camera of {frames} frames to {path}.", frames=len(cameras), path=target)
    else:
        done = Said("Exported {cameras} cameras to {path}.", cameras=len(cameras), path=target)
    return sentences(done, *notes)


def _fbx(path: str) -> None:
    moving = bpy.context.scene.frame_end > 1
    bpy.ops.export_scene.fbx(
        filepath=path, object_types={"CAMERA", "EMPTY"}, axis_forward="-Z", axis_up="Y", bake_anim=moving,
        bake_anim_use_all_bones=False, bake_anim_use_nla_strips=False, bake_anim_use_all_actions=False,
        bake_anim_force_startend_keying=True, bake_anim_simplify_factor=0.0,
    )  # fmt: skip


def _alembic(path: str) -> None:
    scene = bpy.context.scene
    bpy.ops.wm.alembic_export(
        filepath=path, start=scene.frame_start, end=scene.frame_end, as_background_job=False, export_hair=False,
        export_particles=False,
    )  # fmt: skip


def _usd(path: str) -> None:
    bpy.ops.wm.usd_export(filepath=path, export_animation=bpy.context.scene.frame_end > 1)


_OPERATORS: dict[str, Callable[[str], None]] = {"FBX": _fbx, "ALEMBIC": _alembic, "USD": _usd}


def import_in(scene: bpy.types.Scene) -> bpy.types.Collection:
    """The scene's import, the latest if there are several; UserError if there is none."""
    imports = find_imports(scene)
    if not imports:
        raise UserError("There are no imported cameras in this scene: import a result first.")
    return imports[-1]


# -- COLMAP ---------------------------------------------------------------------------------------------


def _write_colmap(photos: list[PosedPhoto], folder: Path) -> None:
    """Write COLMAP's text files; Python's float repr round-trips exactly."""
    numbers: dict[Pinhole, int] = {}
    images = []
    for index, item in enumerate(photos, 1):
        camera = numbers.setdefault(item.pinhole, len(numbers) + 1)
        pose = " ".join(repr(value) for value in (*item.qvec, *item.tvec))
        images.append(f"{index} {pose} {camera} {item.photo}\n\n")
    cameras = [
        f"{number} PINHOLE {p.width} {p.height} {p.fx!r} {p.fy!r} {p.cx!r} {p.cy!r}\n"
        for p, number in numbers.items()
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in (("cameras.txt", cameras), ("images.txt", images), ("points3D.txt", [])):
        with atomic_file(folder / name) as part:
            part.write_text("".join(lines), "utf-8")


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()
