"""The commands besides a run: inspect, export, reproject, doctor and so on. Each returns the exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ..documents.answers_json import TextAnswer
from ..documents.codec import encode
from ..documents.event import Event
from ..events import Progress
from ..files.user_path import user_path
from ..workspace import Workspace
from .answers import print_answer
from .console import Console
from .exit_codes import DONE
from .running import errors_as_events, json_sink
from .setting_options import job_settings

FRAMES = ("world", "model")  # of a mesh's coordinates


def inspect(chosen: argparse.Namespace) -> int:
    from ..inspection import describe, inspect_photos

    exclude = Workspace(chosen.output or "")
    show: Callable[[Event], None] = json_sink if chosen.json else Console()
    progress = Progress(show, stage="inspect")
    with errors_as_events(progress, chosen.json):
        found = inspect_photos(job_settings(exclude, chosen), progress, exclude.root)
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
    with errors_as_events(progress, chosen.json):
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

    return _print_text(completion(parser, chosen.shell), chosen.json)


def man(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> int:
    from .man_page import man_page

    return _print_text(man_page(parser), chosen.json)


def _print_text(text: str, as_json: bool) -> int:
    if as_json:
        print_answer(TextAnswer(text=text))
    else:
        sys.stdout.write(text)
    return DONE


def evaluate(chosen: argparse.Namespace) -> int:
    from ..evaluation import evaluate

    return evaluate.main(Workspace(chosen.output), Path(chosen.truth), chosen.json)
