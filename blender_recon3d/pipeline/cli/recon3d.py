"""The command line: `recon3d run`, a command for each stage, doctor, weights and evaluate."""

from __future__ import annotations

import sys

from ..documents.answers_json import ErrorAnswer
from ..errors import Cancelled, UserError
from ..stage import STAGES
from ..system import startup, worker
from ..system.shortage import out_of_memory
from ..text import printable
from ..wording import to_json
from .answers import print_answer
from .exit_codes import BAD_USAGE, CANCELLED, CANCELLED_TEXT, DONE, FAILED, NO_MEMORY_TEXT
from .parser import make_parser


def main(arguments: list[str] | None = None) -> int:
    """Entry point of `recon3d`; returns the exit code. arguments: by default the process's own."""
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
    print(f"recon3d: cannot write output ({lost.strerror or lost}).", file=sys.stderr)
    return FAILED


def _main(arguments: list[str]) -> int:
    try:
        chosen = make_parser().parse_args(arguments)
        if getattr(chosen, "only", "") == "photos" and chosen.output is None:
            chosen.output, chosen.photos = chosen.photos[0], chosen.photos[1:]
        chosen.arguments = arguments
        return int(chosen.command(chosen))
    except SystemExit as end:  # --help
        return int(end.code or 0) if not isinstance(end.code, str) else BAD_USAGE
    except UserError as error:
        return _failed(arguments, error.sentence, error.exit_code, error.reported)
    except (Cancelled, KeyboardInterrupt):
        return _failed(arguments, CANCELLED_TEXT, CANCELLED)
    except OSError as error:
        where = error.filename or "a file"
        text = f"{where} cannot be read or written ({error.strerror or error}): check it, and try again."
        return _failed(arguments, text, FAILED)
    except Exception as error:
        if not out_of_memory(error):
            raise
        if worker.is_worker():  # before its job could report it: the parent process does
            return worker.NO_MEMORY
        return _failed(arguments, NO_MEMORY_TEXT, FAILED)


def _failed(arguments: list[str], text: str, code: int, reported: bool = False) -> int:
    """Say why the command failed, with --json as a document too, unless it is an event already; the exit code."""
    if "--json" in arguments and not reported:
        print_answer(ErrorAnswer(error=text, exit_code=code, parts=to_json(text)))
    print(f"recon3d: {printable(text)}", file=sys.stderr)
    return code
