"""The commands besides a run: inspect, export, reproject, doctor and so on. Each returns the exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ..documents.codec import encode
from ..documents.event import Event
from ..errors import UserError
from ..events import Progress
from ..files.user_path import user_path
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


def completion(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> int:
    from .completion import completion

    sys.stdout.write(completion(parser, chosen.shell))
    return DONE


def man(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> int:
    from .man_page import man_page

    sys.stdout.write(man_page(parser))
    return DONE


def evaluate(chosen: argparse.Namespace) -> int:
    from ..evaluation import evaluate

    return evaluate.main(Workspace(chosen.output), Path(chosen.truth), chosen.json)
