"""`recon3d export`: mesh, cloud, cameras or a folder for training, by the file's extension and the options."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ..documents.answers_json import ExportAnswer
from ..documents.event import Event
from ..errors import UserError
from ..events import Progress
from ..exporting.export_options import TrainingOptions
from ..files.user_path import user_path
from ..text import printable
from ..workspace import Workspace
from .answers import print_answer
from .console import Console
from .exit_codes import BAD_USAGE, DONE


def export(chosen: argparse.Namespace) -> int:
    """Write all files, or raise UserError at the first that cannot be written."""
    workspace = Workspace(chosen.output)
    if chosen.cameras and chosen.preset:
        raise UserError("--cameras and --preset cannot be combined: export twice.", BAD_USAGE)
    written: list[str] = []
    for name in chosen.export:
        files, messages = _one(workspace, user_path(name), chosen)
        written += [str(file) for file in files]
        if not chosen.json:
            sys.stdout.write("".join(f"{printable(line)}\n" for line in messages))
    if chosen.json:
        print_answer(ExportAnswer(files=written))
    return DONE


def ortho(chosen: argparse.Namespace) -> int:
    """`recon3d ortho`: an orthophoto and its height map."""
    from ..exporting.export_mesh import export as export_mesh
    from ..exporting.file_formats import FORMATS, ORTHO

    path = user_path(chosen.file)
    if path.suffix.lower() not in FORMATS[ORTHO].endings:
        raise UserError(f"{path} cannot be written: give it the extension .tif.", BAD_USAGE)
    if not 0 <= chosen.pixel < float("inf"):
        raise UserError(f"--pixel is {chosen.pixel}: it must be greater than zero.", BAD_USAGE)
    files = [str(file) for file in export_mesh(Workspace(chosen.output), path, pixel=chosen.pixel)]
    if chosen.json:
        print_answer(ExportAnswer(files=files))
    else:
        sys.stdout.write("".join(f"{printable(file)}\n" for file in files))
    return DONE


def _one(workspace: Workspace, path: Path, chosen: argparse.Namespace) -> tuple[list[Path], list[str]]:
    """The files, and messages about them."""
    if chosen.cameras:
        from ..alignments.write_alignment import write_alignment

        path = path.absolute()
        return [path], [write_alignment(workspace, path, chosen.cameras, chosen.undistorted)]
    if not path.suffix and not chosen.preset:
        from ..exporting.training_folder import write_training_folder

        show: Callable[[Event], None] = (lambda event: None) if chosen.json else Console()
        options = TrainingOptions(chosen.size, chosen.factors, chosen.link)
        message = write_training_folder(workspace, path, options, Progress(show, stage="export"))
        return [path.absolute()], [message]
    from ..alignments.map_offset import map_sentence
    from ..exporting.export_mesh import export

    files = export(workspace, path, chosen.preset or "", chosen.meshopt)
    on_map = map_sentence(workspace) if path.suffix.lower() in (".obj", ".ply", ".glb") else ""
    return files, [*map(str, files), *[on_map] * bool(on_map)]
