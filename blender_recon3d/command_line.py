"""`blender -c recon3d ...`: the engine's command line, plus commands that run in Blender.

    blender -c recon3d run PHOTOS -o OUT [--blend FILE.blend] [engine options]
    blender -c recon3d import FOLDER FILE.blend [--preview PICTURE.png]
    blender -c recon3d export FOLDER FILE ... [--preset NAME]
    blender -c recon3d cameras SCENE.blend FILE.json    a scene's cameras, for recon3d import
    blender -c recon3d setup [--remove | --photo-formats | --mask-network]
    blender -c recon3d doctor, inspect, evaluate, ...        engine commands

Exit codes are the engine's: 0 done, 1 failed, 2 wrong usage or input, 3 cancelled or paused.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import bpy

from .pipeline.errors import UserError
from .pipeline.text import printable

NAME = "recon3d"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see blender -c {NAME} --help)", 2)


def main(words: list[str]) -> int:
    """Called by Blender with the arguments after `-c recon3d`; returns the exit code."""
    try:
        if not words or words[0] in ("-h", "--help"):
            sys.stdout.write(f"{__doc__}\n")
            return 0
        if words[0] == "import":
            return _import(words[1:])
        if words[0] == "export":
            return _export(words[1:])
        if words[0] == "cameras":
            return _cameras(words[1:])
        if words[0] == "setup":
            return _set_up(words[1:])
        return _engine(words)
    except UserError as error:
        print(f"recon3d: {error}", file=sys.stderr)
        return error.exit_code


def _engine(words: list[str]) -> int:
    """Run the engine in this terminal; our own option --blend then saves its result as a .blend."""
    from . import preferences
    from .engine_setup import engine_process

    parser = _Parser(prog=f"blender -c {NAME}", add_help=False, allow_abbrev=False)
    parser.add_argument("--blend", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    chosen, _ = parser.parse_known_args(words)
    if words[0] == "weights" and "fetch" in words and not bpy.app.online_access:
        raise UserError(
            "Blender is not allowed to go online: allow it in Preferences > System > Network, or with --online-mode.",
            2,
        )
    if chosen.blend:
        at = words.index("--blend") if "--blend" in words else -1
        words = (
            words[:at] + words[at + 2 :]
            if at >= 0
            else [word for word in words if not word.startswith("--blend=")]
        )
        if chosen.output is None:
            raise UserError("--blend needs -o OUT, the workspace folder.", 2)
    code = subprocess.call(
        engine_process.command(preferences.find_python(), words), env=engine_process.environment()
    )
    if code == 0 and chosen.blend:
        return _save(chosen.output, chosen.blend, None)
    return code


def _import(words: list[str]) -> int:
    parser = _Parser(
        prog=f"blender -c {NAME} import", description="Save a finished workspace as a .blend file."
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("blend", metavar="FILE.blend", type=Path)
    parser.add_argument("--preview", metavar="PICTURE.png", type=Path)
    chosen = parser.parse_args(words)
    return _save(chosen.folder, chosen.blend, chosen.preview)


def _save(folder: Path, blend: Path, picture: Path | None) -> int:
    from . import api
    from .scene.preview import render_preview

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    result = api.import_result(folder)
    api.save(blend)
    print(printable(" ".join([result.summary(), *result.notes, f"Saved {blend}."])))
    if picture:
        render_preview(result, picture.absolute())
        print(printable(f"Rendered {picture}."))
    return 0


def _export(words: list[str]) -> int:
    from . import api
    from .jobs.engine_export import export_by_engine
    from .pipeline.exporting.file_formats import PRESETS
    from .scene.stepwise import run

    parser = _Parser(
        prog=f"blender -c {NAME} export", description="Export a finished mesh for other programs."
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("files", metavar="FILE", type=Path, nargs="+")
    parser.add_argument("--preset", choices=tuple(PRESETS))
    chosen, unknown = parser.parse_known_args(words)
    cameras = any(word.partition("=")[0] == "--cameras" for word in unknown)
    engine = [path for path in chosen.files if cameras or _of_engine(path, chosen.preset)]
    options = [*(["--preset", chosen.preset] if chosen.preset else []), *unknown]
    for path in engine:
        print(printable(run(export_by_engine(chosen.folder, path.absolute(), options))))
    if unknown and not engine:
        raise UserError(f"Unknown option: {' '.join(unknown)} (see blender -c {NAME} --help).", 2)
    rest = [path for path in chosen.files if path not in engine]
    presets = [_preset(path, chosen.preset) for path in rest]
    if not rest:
        return 0
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    api.import_result(chosen.folder)
    for path, preset in zip(rest, presets, strict=True):
        print(printable(api.export_asset(path.absolute(), preset)))
    return 0


def _of_engine(path: Path, preset: str | None) -> bool:
    """Whether the engine alone writes it: folders for training, the cloud, pictures."""
    from .pipeline.exporting.file_formats import FORMATS

    if not path.suffix and not preset:
        return True
    formats = [each for each in FORMATS.values() if path.suffix.lower() in each.endings]
    return preset == "survey" or any(not each.blender for each in formats)


def _preset(path: Path, purpose: str | None) -> str:
    """The preset for this file extension or purpose."""
    from .pipeline.exporting.file_formats import PRESETS
    from .scene.exporting.export_asset import PURPOSES
    from .scene.exporting.formats import EXPORTERS

    if purpose:
        preset = PRESETS[purpose]
        written = purpose.upper() in PURPOSES and path.suffix.lower() != ".3mf"
        if not written or path.suffix.lower() not in preset.endings:
            raise UserError(f"{path} cannot be exported for {purpose}: use {', '.join(preset.endings)}.", 2)
        return purpose.upper()
    exporter = next((name for name, kind in EXPORTERS.items() if path.suffix.lower() in kind.endings), "")
    if not exporter:
        endings = ", ".join(ending for kind in EXPORTERS.values() for ending in kind.endings)
        raise UserError(f"{path} cannot be exported: its extension must be one of {endings}.", 2)
    return exporter


def _cameras(words: list[str]) -> int:
    from .scene.exporting.scene_cameras import write_scene_cameras

    parser = _Parser(prog=f"blender -c {NAME} cameras", description="A scene's cameras, for recon3d import.")
    parser.add_argument("blend", metavar="SCENE.blend", type=Path)
    parser.add_argument("file", metavar="FILE.json", type=Path)
    chosen = parser.parse_args(words)
    if not chosen.blend.is_file():
        raise UserError(f"{chosen.blend} does not exist: name a .blend file.", 2)
    try:
        bpy.ops.wm.open_mainfile(filepath=str(chosen.blend.absolute()), load_ui=False)
    except RuntimeError as error:
        raise UserError(f"{chosen.blend} cannot be opened: {error}", 2) from error
    print(printable(write_scene_cameras(bpy.context.scene, chosen.file.absolute())))
    return 0


def _set_up(words: list[str]) -> int:
    from .jobs import setup_session

    parser = _Parser(prog=f"blender -c {NAME} setup", description="Set up the engine, or remove it.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--remove", action="store_true")
    what.add_argument("--photo-formats", action="store_true", help="add RAW, OpenEXR and JPEG XL to it")
    what.add_argument("--mask-network", action="store_true", help="add the weights of the network for masks")
    chosen = parser.parse_args(words)
    if chosen.remove:
        print(setup_session.remove())
        return 0
    if chosen.photo_formats:
        setup_session.add_photo_formats()
        print(setup_session.wait())
        return 0
    if chosen.mask_network:
        setup_session.add_mask_network()
        print(setup_session.wait())
        return 0
    print("\n".join(setup_session.plan().lines))
    setup_session.set_up()
    print(setup_session.wait())
    return 0


class _Registered:
    handle: object = None


def register() -> None:
    if hasattr(bpy.utils, "register_cli_command"):
        _Registered.handle = bpy.utils.register_cli_command(NAME, main)


def unregister() -> None:
    if _Registered.handle is not None:
        bpy.utils.unregister_cli_command(_Registered.handle)
        _Registered.handle = None
