"""The commands besides a run: inspect, export, reproject, doctor and so on. Each returns the exit code."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from ..documents.codec import encode
from ..errors import UserError
from ..events import Event, Progress
from ..files.user_path import user_path
from ..text import printable
from ..workspace import Workspace
from .console import Console
from .exit_codes import DONE
from .running import json_sink
from .setting_options import job_settings

FRAMES = ("world", "model")  # of a mesh's coordinates


def inspect(chosen: argparse.Namespace) -> int:
    from ..inspection import describe, inspect_photos

    exclude = Workspace(chosen.output or "")
    show: Callable[[Event], None] = json_sink if chosen.json else Console()
    progress = Progress(show, stage="inspect")
    try:
        found = inspect_photos(job_settings(exclude, chosen), progress, exclude.root)
    except UserError as error:
        if chosen.json:
            progress.emit("error", error.sentence, exit_code=error.exit_code, remedy=error.remedy)
        raise
    if chosen.json:
        progress.emit("done", **encode(found))
    else:
        sys.stdout.write(describe(found) + "\n")
    return DONE


def export(chosen: argparse.Namespace) -> int:
    from ..exporting.export_mesh import export

    written: list[str] = []
    for name in chosen.export:
        if chosen.cameras:
            from ..alignments.write_alignment import write_alignment

            path = user_path(name).absolute()
            said = write_alignment(Workspace(chosen.output), path, chosen.cameras, chosen.undistorted)
            written.append(str(path))
            if not chosen.json:
                sys.stdout.write(printable(said) + "\n")
            continue
        files = [str(path) for path in export(Workspace(chosen.output), user_path(name))]
        written += files
        if not chosen.json:
            sys.stdout.write("".join(f"{printable(file)}\n" for file in files))
    if chosen.json:
        sys.stdout.write(json.dumps({"version": 1, "files": written}) + "\n")
    return DONE


def reproject(chosen: argparse.Namespace) -> int:
    from ..exporting.reprojected_texture import reproject

    show: Callable[[Event], None] = json_sink if chosen.json else Console()
    progress = Progress(show, stage="texture")
    paths = user_path(chosen.mesh), user_path(chosen.texture)
    found = reproject(Workspace(chosen.output), *paths, chosen.texture_size, chosen.frame, progress)
    progress.emit("done", found.pop("message"), **found)
    return DONE


def doctor(chosen: argparse.Namespace) -> int:
    from . import doctor

    return doctor.main(chosen.json)


def weights(chosen: argparse.Namespace) -> int:
    from . import weights_command

    return weights_command.main(chosen.action, chosen.name, chosen.accept_license, chosen.json)


def place(chosen: argparse.Namespace) -> int:
    from ..placing import place_command

    wish = place_command.PlacementRequest(
        chosen.gps, chosen.marker_size, chosen.marker_dictionary, chosen.scale
    )
    return place_command.main(Workspace(chosen.output), wish, chosen.json)


def evaluate(chosen: argparse.Namespace) -> int:
    from ..evaluation import evaluate

    return evaluate.main(Workspace(chosen.output), Path(chosen.truth), chosen.json)
