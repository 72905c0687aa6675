"""The commands besides a run: inspect, export, reproject, doctor and so on. Each returns the exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from ..documents.answers_json import PauseAnswer, TextAnswer
from ..documents.codec import encode
from ..documents.event import Event
from ..events import Progress
from ..files.user_path import user_path
from ..text import printable
from ..workspace import Workspace
from .answers import print_answer
from .console import Console
from .exit_codes import DONE, PAUSED_TEXT
from .running import errors_as_events, json_sink
from .setting_options import job_settings

FRAMES = ("world", "model")  # of a mesh's coordinates


def inspect(chosen: argparse.Namespace) -> int:
    from ..inspection import describe, inspect_photos

    exclude = Workspace(chosen.output or "")
    show: Callable[[Event], None] = json_sink if chosen.json else Console()
    progress = Progress(show, stage="inspect")
    with errors_as_events(progress, chosen.json):
        document = inspect_photos(job_settings(exclude, chosen), progress, exclude.root)
    if chosen.json:
        progress.emit("done", **encode(document))
    else:
        sys.stdout.write(describe(document) + "\n")
    return DONE


def reproject(chosen: argparse.Namespace) -> int:
    from ..exporting.reprojected_texture import reproject

    show: Callable[[Event], None] = json_sink if chosen.json else Console()
    progress = Progress(show, stage="texture")
    paths = user_path(chosen.mesh), user_path(chosen.texture)
    with errors_as_events(progress, chosen.json):
        result = reproject(Workspace(chosen.output), *paths, chosen.texture_size, chosen.frame, progress)
    progress.emit("done", result.pop("message"), **result)
    return DONE


def doctor(chosen: argparse.Namespace) -> int:
    from . import doctor

    return doctor.main(chosen.json)


def worker(chosen: argparse.Namespace) -> int:
    from ..farm import run_worker

    return run_worker(chosen.address)


def weights(chosen: argparse.Namespace) -> int:
    from . import weights_command

    return weights_command.main(chosen.action, chosen.name, chosen.accept_license, chosen.json)


def place(chosen: argparse.Namespace) -> int:
    from ..placing import place_command

    wish = place_command.PlacementRequest(
        chosen.gps, chosen.marker_size, chosen.marker_dictionary, chosen.scale
    )
    return place_command.main(Workspace(chosen.output), wish, chosen.json)


def clean(chosen: argparse.Namespace) -> int:
    from ..superfluous_files import clean

    answer = clean(Workspace(chosen.output), chosen.yes)
    if chosen.json:
        print_answer(answer)
        return DONE
    for each in answer.files:
        size = f"{each.bytes / 2**20:8.1f} MB"
        sys.stdout.write(f"{size}  {printable(each.path)}, which the stage {each.stage} can make again\n")
    megabytes = f"{answer.bytes / 2**20:.1f} MB"
    if not answer.files:
        sys.stdout.write("Nothing to remove: all files belong to results.\n")
    elif answer.removed:
        sys.stdout.write(f"{megabytes} removed; all results are still there.\n")
    else:
        sys.stdout.write(f"{megabytes} can be removed: add --yes to do so. All results stay.\n")
    return DONE


def pause(chosen: argparse.Namespace) -> int:
    from ..pausing import pause

    paused = pause(Workspace(chosen.output))
    if chosen.json:
        print_answer(PauseAnswer(paused=paused))
    else:
        sys.stdout.write(f"{PAUSED_TEXT}\n" if paused else "The run had ended before it could pause.\n")
    return DONE


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
