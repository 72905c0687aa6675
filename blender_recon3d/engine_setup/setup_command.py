"""The command line of the setup process, and how it is stopped.

Exit codes: 0 done, 1 failed, 2 bad usage or input, 3 cancelled.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..pipeline.errors import Cancelled, UserError
from ..pipeline.events import Progress, append_event
from ..pipeline.files.user_path import user_path
from ..pipeline.workspace import Workspace
from . import error_messages, locks
from . import target as folder
from .command_runner import Runner
from .install import Setup
from .locks import own
from .package_sources import Sources
from .planning import plan
from .redaction import redact
from .variants import NAMES, choose

EXTRAS = ("photos", "masks")  # locks of optional packages


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="engine_setup", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    helps = {
        "install": "set up, or repair",
        "add": "add optional packages to an engine that is set up",
        "plan": "print what install would do",
        "state": "missing, ready, broken or outdated",
        "remove": "delete the environment",
    }
    for name, text in helps.items():
        sub = commands.add_parser(name, help=text)
        sub.add_argument("--target", type=Path, required=True, metavar="DIR", help="the environment's folder")
        if name in ("install", "plan", "add"):
            _add_options(sub)
        if name == "add":
            sub.add_argument(
                "extra", choices=EXTRAS, help="photos: RAW, OpenEXR and JPEG XL; masks: the network for masks"
            )
    sub = commands.add_parser("lock", help="write a lock for your own packages")
    sub.add_argument(
        "--find-links", type=Path, required=True, metavar="DIR", help="a folder with their wheels"
    )
    sub.add_argument("--lock", default="", metavar="FILE", help="the lock to extend, instead of the add-on's")
    options = parser.parse_args(arguments)
    try:
        return _COMMANDS[options.command](options)
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--variant",
        choices=NAMES,
        default="auto",
        help="torch build (default: the best one for this machine)",
    )
    parser.add_argument(
        "--index", action="append", default=[], metavar="URL", help="index instead of PyPI; may be repeated"
    )
    parser.add_argument("--find-links", default="", metavar="DIR", help="folder or page with wheels")
    parser.add_argument("--proxy", default="", metavar="URL", help="instead of HTTPS_PROXY")
    parser.add_argument(
        "--lock",
        default="",
        metavar="FILE",
        help="checksums of your own packages (command lock)",
    )
    parser.add_argument("--offline", action="store_true", help="download nothing")


def _sources(options: argparse.Namespace) -> Sources:
    return Sources(" ".join(options.index), options.find_links, options.proxy, options.offline, options.lock)


def _plan(options: argparse.Namespace) -> int:
    sources = _sources(options)
    planned = plan(
        options.target,
        options.variant,
        sources.index,
        sources.find_links,
        sources.proxy,
        not sources.offline,
        sources.lock,
    )
    sys.stdout.write("\n".join((*planned.lines, *planned.problems)) + "\n")
    return 0 if planned.able else 2


def _state(options: argparse.Namespace) -> int:
    sys.stdout.write(folder.state(options.target) + "\n")
    return 0


def _remove(options: argparse.Namespace) -> int:
    folder.remove(options.target)
    return 0


def _install(options: argparse.Namespace) -> int:
    return install(options.target, options.variant, _sources(options))


def _add(options: argparse.Namespace) -> int:
    return _run(options.target, options.variant, _sources(options), os.environ, options.extra)


def _lock(options: argparse.Namespace) -> int:
    sys.stdout.write(own.text(own.with_wheels(locks.read("engine", options.lock), options.find_links)))
    return 0


_COMMANDS = {
    "install": _install,
    "add": _add,
    "plan": _plan,
    "state": _state,
    "remove": _remove,
    "lock": _lock,
}


def install(target: Path, variant: str, sources: Sources, environ: Mapping[str, str] = os.environ) -> int:
    """Set up or repair the environment in TARGET; events and log go to TARGET/../setup. Returns the exit code.

    Raises UserError if it cannot start: another process is running, or its folder cannot be created.
    """
    return _run(target, variant, sources, environ)


def _run(target: Path, variant: str, sources: Sources, environ: Mapping[str, str], extra: str = "") -> int:
    """As `install`; with an extra, add its packages instead."""
    target = user_path(target).absolute()
    chosen = choose(variant)
    with folder.locked(target) as workspace:
        workspace.clear_cancel()
        stop = _Stop(workspace)
        progress = Progress(lambda event: append_event(workspace.events, event), stop.asked)
        setup = Setup(target, chosen, sources, dict(environ), progress, Runner(workspace.log, stop.asked))
        try:
            setup.add(extra) if extra else setup.run()
        except Cancelled:
            workspace.clear_cancel()
            setup.progress.info("Cancelled: Set Up Engine continues where it stopped.")
            return 3
        except (UserError, OSError) as error:
            text = error if isinstance(error, UserError) else error_messages.for_os_error(error, str(target))
            setup.progress.emit("error", redact(str(text)))
            sys.stderr.write(f"error: {redact(str(text))}\n")
            return error.exit_code if isinstance(error, UserError) else 1
    return 0


class _Stop:
    """Whether to stop: the file `cancel` exists, or a signal was received."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._signalled = False
        for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._signal)

    def _signal(self, number: int, frame: object) -> None:
        self._signalled = True

    def asked(self) -> bool:
        return self._signalled or self._workspace.is_cancelled()
