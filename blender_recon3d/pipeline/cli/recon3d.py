"""The command line: `recon3d run`, a command for each stage, doctor, weights and evaluate."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from ..claim import is_ours, unwritable
from ..errors import Cancelled, UserError
from ..events import Event, Progress, append_event
from ..files.plain_files import open_plain
from ..files.user_path import user_path
from ..files.whole_files import read_json
from ..models import front_ends
from ..settings import CAMERA_MODELS, DEVICES, PRECISIONS, QUALITIES, STAGES, JobSettings
from ..system import startup, worker
from ..system.child import end_with_parent
from ..system.library_exit import end_at_once
from ..system.shortage import out_of_memory
from ..system.streams import Surviving
from ..text import printable
from ..workspace import Workspace
from .console import Console

DONE, FAILED, BAD_USAGE, CANCELLED = 0, 1, 2, 3
PATIENCE = 4.0  # seconds a cancelled stage is given to end by itself
CANCELLED_TEXT = "Cancelled; run the same command again to go on."
NO_MEMORY_TEXT = "Out of memory: use --quality preview, or close other programs."


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (see {self.prog} --help)", BAD_USAGE)


def main(arguments: list[str] | None = None) -> int:
    """Entry point of `recon3d`; returns the exit code. arguments: the process's own when there are none."""
    if arguments is not None:
        return _main(arguments)
    startup.begin()
    if worker.is_worker():
        return worker.worker_code(_main(sys.argv[1:]))
    startup.signals_interrupt()
    code = _main(sys.argv[1:])
    sys.stdout.flush()
    lost = getattr(sys.stdout, "error", None)
    if lost is None or code != DONE or (sys.argv[1:2] and sys.argv[1] in ("run", *STAGES)):
        return code
    print(f"recon3d: what it had to say could not be written ({lost.strerror or lost}).", file=sys.stderr)
    return FAILED


def _main(arguments: list[str]) -> int:
    try:
        chosen = _parser().parse_args(arguments)
        if getattr(chosen, "only", "") == "photos" and chosen.output is None:
            chosen.output, chosen.photos = chosen.photos[0], chosen.photos[1:]
        chosen.arguments = arguments
        return int(chosen.command(chosen))
    except SystemExit as end:  # --help
        return int(end.code or 0) if not isinstance(end.code, str) else BAD_USAGE
    except UserError as error:
        print(f"recon3d: {printable(str(error))}", file=sys.stderr)
        return error.exit_code
    except (Cancelled, KeyboardInterrupt):
        print(f"recon3d: {CANCELLED_TEXT}", file=sys.stderr)
        return CANCELLED
    except OSError as error:
        where = error.filename or "a file"
        text = f"{where} cannot be read or written ({error.strerror or error}): check it, and try again."
        print(f"recon3d: {printable(text)}", file=sys.stderr)
        return FAILED
    except Exception as error:
        if not out_of_memory(error):
            raise
        if worker.is_worker():  # before its job could say so: the process that started it does
            return worker.NO_MEMORY
        print(f"recon3d: {NO_MEMORY_TEXT}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="recon3d", description="Photographs in; cameras, a dense cloud and a mesh out.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="everything: photos, a folder of them or a video")
    run.add_argument("photos", nargs="+", metavar="PHOTOS", help="a folder, photo files, or a video")
    run.add_argument("-o", "--output", required=True, metavar="OUT", help="the workspace folder")
    run.add_argument("--until", choices=STAGES, help="last stage (default dense)")
    run.add_argument(
        "--export",
        metavar="FILE",
        action="append",
        help="then write the textured mesh (.obj, .ply, .glb) or a picture of it (.png, .jpg)",
    )
    _add_settings(run)
    run.set_defaults(command=_run)

    for name in STAGES:
        stage = commands.add_parser(name, help=f"one stage: {name}")
        if name == "photos":
            stage.add_argument("photos", nargs="+", metavar="PHOTOS", help="with -o; without, OUT itself")
            stage.add_argument("-o", "--output", metavar="OUT", help="the workspace folder, to begin one")
        else:
            stage.add_argument("output", metavar="OUT", help="the workspace folder")
        _add_settings(stage)
        stage.set_defaults(command=_run, only=name)

    inspect = commands.add_parser("inspect", help="what photos there are, and how long they will take")
    inspect.add_argument("photos", nargs="+", metavar="PHOTOS", help="a folder, photo files, or a video")
    inspect.add_argument(
        "-o", "--output", metavar="OUT", help="the workspace that is meant; nothing is written"
    )
    inspect.add_argument("--until", choices=STAGES, help="last stage (default dense)")
    _add_settings(inspect)
    inspect.set_defaults(command=_inspect)

    export = commands.add_parser("export", help="the textured mesh for other programs, standing upright")
    export.add_argument("output", metavar="OUT", help="the workspace folder")
    export.add_argument(
        "export",
        metavar="FILE",
        nargs="+",
        help="by its ending: .obj, .ply, .glb, or a picture of it: .png, .jpg",
    )
    export.set_defaults(command=_export)

    doctor = commands.add_parser("doctor", help="what works here, and what to do about what does not")
    doctor.add_argument("--json", action="store_true", help="for machines")
    doctor.set_defaults(command=_doctor)

    weights = commands.add_parser("weights", help="what is bundled and what can be fetched")
    weights.add_argument("action", choices=("list", "fetch"))
    weights.add_argument("name", nargs="?", metavar="NAME", help="what to fetch")
    weights.add_argument("--accept-licence", action="store_true", help="after reading it")
    weights.add_argument("--json", action="store_true", help="for machines")
    weights.set_defaults(command=_weights)

    place = commands.add_parser("place", help="scale and heading, from GPS, markers or a number")
    place.add_argument("output", metavar="OUT", help="the workspace folder")
    place.add_argument("--gps", action="store_true", help="metres, x east and y north, from the photos' EXIF")
    place.add_argument(
        "--marker-size", type=float, metavar="M", help="side of the ArUco markers in view, metres"
    )
    place.add_argument("--marker-dictionary", default="4X4_50", metavar="D", help="theirs (4X4_50)")
    place.add_argument("--scale", type=float, metavar="S", help="metres a unit of the model")
    place.set_defaults(command=_place)

    evaluate = commands.add_parser("evaluate", help="errors against ground truth")
    evaluate.add_argument("output", metavar="OUT", help="the workspace folder")
    evaluate.add_argument(
        "--truth", required=True, metavar="DIR", help="cameras and, if there is one, surface"
    )
    evaluate.add_argument("--json", action="store_true", help="for machines")
    evaluate.set_defaults(command=_evaluate)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """Options that change a job. They have no defaults here, so that those of the workspace's job hold."""
    add = parser.add_argument
    add("--device", choices=DEVICES, help="where networks and depth run (default auto)")
    add("--quality", choices=QUALITIES, help="default medium")
    add("--features", choices=front_ends.NAMES, help="the front-end")
    add("--weights", metavar="W", help="bundled, official, or a folder")
    add("--precision", choices=PRECISIONS, help="the networks' arithmetic (default auto: by the processor)")
    add("--pairs", metavar="P", help="auto, exhaustive, sequential, retrieval, or a file")
    add(
        "--neighbours", type=int, metavar="K", help="retrieval: most similar photos each is matched with (20)"
    )
    add(
        "--window",
        type=int,
        metavar="N",
        help="sequential: photos on either side that each is matched with (10)",
    )
    add("--match-threshold", type=float, metavar="S", help="SuperGlue: least score of a match (0.2)")
    add(
        "--min-inliers", type=int, metavar="N", help="fewest verified matches of a pair (SIFT 15, learned 30)"
    )
    add("--max-error", type=float, metavar="PX", help="verification: largest epipolar error (4)")
    add("--seed", type=int, metavar="N", help="seed of random sampling (0)")
    add(
        "--fixed-intrinsics",
        action="store_const",
        const=False,
        dest="refine_intrinsics",
        help="leave focal length and distortion as given, for calibrated cameras",
    )
    add("--min-model-size", type=int, metavar="N", help="fewest photos of a model worth keeping (3)")
    add("--mapper", choices=("incremental", "global"), help="default incremental")
    add("--dense", choices=("auto", "colmap", "torch"), help="how depth is estimated")
    add("--masks", metavar="DIR", help="masks named like the photos; black is ignored")
    add("--camera-model", choices=CAMERA_MODELS, metavar="M", help=f"one of {', '.join(CAMERA_MODELS)}")
    add("--camera-params", metavar="P", help="known intrinsics, comma separated, in COLMAP's order")
    add("--grouping", choices=("auto", "single", "each"), help="photos that share a camera")
    add("--frames", type=int, metavar="N", help="frames to take from a video")
    add("--keep-blurred", action="store_const", const=True, help="use badly blurred photos too")
    add("--max-keypoints", type=int, metavar="N", help="most keypoints a photo")
    add("--feature-size", type=int, metavar="PX", help="longest side for features")
    add("--dense-size", type=int, metavar="PX", help="longest side for depth")
    add("--views", type=int, metavar="N", help="depth: photos that each is compared with (4)")
    add("--min-views", type=int, metavar="N", help="views that must agree on a dense point")
    add("--faces", type=int, metavar="N", help="most faces of the mesh (medium 200,000)")
    add("--region", choices=("auto", "all"), help="mesh what the cameras stand round, or all")
    add("--crop", metavar="BOX", help="mesh only a box: 12 numbers of a 3x4 matrix, or a JSON file")
    add("--clean", choices=("auto", "off"), help="outliers and islands of the cloud go before meshing")
    add("--mesh-depth", type=int, metavar="N", help="depth of Poisson's octree (0: from the cloud)")
    add("--closed", action="store_const", const=True, help="a closed mesh, for printing")
    add("--cloud", metavar="PLY", help="mesh this cloud instead of dense/fusion.ply")
    add("--texture", type=int, metavar="PX", dest="texture_size", help="side of the texture (medium 4096)")
    add("--memory", type=float, metavar="GB", help="most memory that depth, fusion and meshing take (4)")
    add("--fresh", action="store_true", help="start again, whatever is there")
    add("--json", action="store_true", help="events on stdout, one JSON object a line")


def setting_names() -> set[str]:
    """The options that change a job, by the names that `JobSettings.build` takes."""
    parser = argparse.ArgumentParser()
    _add_settings(parser)
    return (set(vars(parser.parse_args([]))) - {"fresh", "json"}) | {"until"}


def _run(chosen: argparse.Namespace) -> int:
    workspace = Workspace(chosen.output)
    if not worker.is_worker():
        return _run_guarded(chosen, workspace)
    end_with_parent()
    only = getattr(chosen, "only", "")
    show: Callable[[Event], None] = _json_sink if chosen.json else Console(_real_stderr())

    def sink(event: Event) -> None:
        with contextlib.suppress(OSError):  # a full disk is told by what comes next, on the terminal
            append_event(workspace.events, event)
        show(event)

    try:
        exports = _checked_exports(chosen, workspace)
        settings = job_settings(workspace, chosen, only)
        from ..job import held  # numpy and more: where there is no memory, even that fails

        # Held before anything is written: a folder of the user's, or another run's, stays as it is.
        with held(workspace, settings), _stoppable(workspace, sink) as cancelled, _log_to(workspace):
            progress = Progress(sink, cancelled, "job")
            code = _run_reporting(workspace, settings, progress, chosen.fresh, only)
            if code == DONE and exports:
                _write_exports(workspace, exports, progress.for_stage("export"))
            return code
    except UserError as error:  # refused before it began: nothing to add to another run's events
        data = {"remedy": error.remedy, "exit_code": error.exit_code}
        show(Event(time.time(), "job", "error", message=str(error), data=data))
        return error.exit_code


def _checked_exports(chosen: argparse.Namespace, workspace: Workspace) -> list[Path]:
    """The files of --export, which make the texture the last stage; UserError when one of them cannot be."""
    paths = [user_path(name) for name in getattr(chosen, "export", None) or ()]
    if paths:
        from ..exporting.export_mesh import check_export

        for path in paths:
            check_export(path, workspace)
        if (chosen.until or STAGES[-1]) != STAGES[-1]:
            raise UserError("--export writes the textured mesh: leave --until out.", BAD_USAGE)
        chosen.until = STAGES[-1]
    return paths


def _write_exports(workspace: Workspace, paths: list[Path], progress: Progress) -> None:
    from ..exporting.export_mesh import export

    for path in paths:
        progress.info(", ".join(str(written) for written in export(workspace, path)))


def _run_guarded(chosen: argparse.Namespace, workspace: Workspace) -> int:
    """Do the work in another process; should that end without a word, say so as an event and in a sentence."""
    end = worker.run_worker(chosen.arguments, workspace.log)
    if end.exit_code is not None:
        return end.exit_code
    code = CANCELLED if end.stopped else FAILED
    if end.stopped:
        sentence, remedy = CANCELLED_TEXT, "again"
    else:
        sentence, remedy = worker.crash_sentence(end, workspace.root, workspace.log)
    event = Event(time.time(), "job", "error", message=sentence, data={"remedy": remedy, "exit_code": code})
    # Not where the worker was still to be refused: the folder, or the run that is at work there, is another's.
    with contextlib.suppress(OSError):  # the disk may be what is full
        if is_ours(workspace) and workspace.holder() is None:
            append_event(workspace.events, event)
    (_json_sink if chosen.json else Console())(event)
    return code


def _run_reporting(
    workspace: Workspace, settings: JobSettings, progress: Progress, fresh: bool, only: str
) -> int:
    """Run the job; every way it can end is an event and an exit code."""
    from ..job import disk_error, run_held_job

    try:
        run_held_job(workspace, settings, progress, fresh=fresh, only=only)
        return DONE
    except UserError as error:
        if not error.reported:
            raise
        return error.exit_code
    except Cancelled:
        progress.emit("error", CANCELLED_TEXT, exit_code=CANCELLED)
        return CANCELLED
    except OSError as error:
        progress.emit("error", str(disk_error(error, workspace)), exit_code=FAILED)
        return FAILED
    except Exception as error:  # the last stop: a person gets a sentence, the log the trace
        import traceback

        traceback.print_exc()
        if out_of_memory(error):
            progress.emit("error", NO_MEMORY_TEXT, exit_code=FAILED, remedy="preview")
            return FAILED
        text = f"An unexpected error ({type(error).__name__}: {error}): {workspace.log} holds what to report."
        progress.emit("error", text, exit_code=FAILED, remedy="log")
        return FAILED


def job_settings(workspace: Workspace, chosen: argparse.Namespace, only: str = "") -> JobSettings:
    """The job of this command: for one stage of a workspace that has a job, that job with the given changes."""
    given = {name: value for name in setting_names() if (value := getattr(chosen, name, None)) is not None}
    for name in ("masks", "pairs", "weights", "crop", "cloud"):
        if given.get(name) and user_path(given[name]).exists():
            given[name] = str(user_path(given[name]).absolute())
    photos = tuple(str(user_path(path).absolute()) for path in getattr(chosen, "photos", None) or ())
    if not only or not workspace.job.exists():
        if not photos:
            raise UserError(
                f"{workspace.root} holds no job yet: start with recon3d run PHOTOS -o OUT.", BAD_USAGE
            )
        return JobSettings.build(photos=photos, **given)
    job = JobSettings.from_json(
        read_json(workspace.job, "start with recon3d run PHOTOS -o OUT"), workspace.job
    )
    if photos:
        given["photos"] = photos
    return job.changed(**given)


def _real_stderr() -> Any:
    """The terminal, also while file descriptor 2 goes to the log."""
    return Surviving(os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace", buffering=1))


def _json_sink(event: Event) -> None:
    sys.stdout.write(json.dumps(dataclasses.asdict(event)) + "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def _log_to(workspace: Workspace) -> Iterator[None]:
    """Everything that libraries write to the standard error goes to log.txt for the time being."""
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        log = open_plain(workspace.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except OSError as error:
        raise unwritable(workspace, error) from error
    os.dup2(log, 2)
    os.close(log)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)


@contextlib.contextmanager
def _stoppable(workspace: Workspace, sink: Callable[[Event], None]) -> Iterator[Callable[[], bool]]:
    """A function that tells whether to stop: after SIGINT, SIGTERM or a `cancel` file in the workspace.

    A library call that does not come back within PATIENCE is left behind by ending the process: all results
    are written whole, so that this costs no more than the stage (or item) under way.
    """
    asked = threading.Event()
    over = threading.Event()

    def on_signal(number: int, frame: Any) -> None:
        asked.set()

    def watch() -> None:
        while not (asked.is_set() or workspace.is_cancelled()):
            if over.wait(0.2):
                return
        if not over.wait(PATIENCE):
            data = {"exit_code": CANCELLED}
            sink(Event(time.time(), "job", "error", message=CANCELLED_TEXT, data=data))
            os._exit(worker.worker_code(CANCELLED))

    # COLMAP installs handlers of its own when it is loaded, and must not do so after ours.
    from ..colmap import calls as _colmap  # noqa: F401

    end_at_once()
    before = {number: signal.signal(number, on_signal) for number in startup.STOP_SIGNALS}
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield lambda: asked.is_set() or workspace.is_cancelled()
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)


def _inspect(chosen: argparse.Namespace) -> int:
    from ..photos.inspection import describe, inspect_photos

    without = Workspace(chosen.output or "")
    settings = job_settings(without, chosen)
    show: Callable[[Event], None] = _json_sink if chosen.json else Console()
    progress = Progress(show, stage="inspect")
    found = inspect_photos(settings, progress, without.root)
    if chosen.json:
        progress.emit("done", **found)
    else:
        sys.stdout.write(describe(found) + "\n")
    return DONE


def _export(chosen: argparse.Namespace) -> int:
    from ..exporting.export_mesh import export

    for name in chosen.export:
        for path in export(Workspace(chosen.output), user_path(name)):
            sys.stdout.write(f"{printable(str(path))}\n")
    return DONE


def _doctor(chosen: argparse.Namespace) -> int:
    from . import doctor

    return doctor.main(chosen.json)


def _weights(chosen: argparse.Namespace) -> int:
    from . import weights_command

    return weights_command.main(chosen.action, chosen.name, chosen.accept_licence, chosen.json)


def _place(chosen: argparse.Namespace) -> int:
    from ..placing import place_command

    wish = place_command.Wish(chosen.gps, chosen.marker_size, chosen.marker_dictionary, chosen.scale)
    return place_command.main(Workspace(chosen.output), wish)


def _evaluate(chosen: argparse.Namespace) -> int:
    from ..evaluation import evaluate

    return evaluate.main(Workspace(chosen.output), Path(chosen.truth), chosen.json)
