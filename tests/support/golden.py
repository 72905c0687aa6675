"""The content of the golden files in tests/golden. After an intended change, write them again and check the difference:

    make golden        (python -m tests.support.golden)

help.txt: the help of every command. events.jsonl: what a run says on fake stages: done, resumed, and stopped by an
error. documents: one example of each document, with every key.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import typing
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import UnionType
from typing import Any
from unittest.mock import patch

import pytest

from blender_recon3d.pipeline.cli.parser import make_parser
from blender_recon3d.pipeline.documents.codec import encode
from blender_recon3d.pipeline.documents.tables import DOCUMENTS
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Event, Progress, as_line
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.fake_stages import fake_stages

FOLDER = Path(__file__).resolve().parents[1] / "golden"


def help_of_all() -> str:
    """The help of `recon3d`, of `run`, and for each other command the lines that `run` does not have."""
    parser = make_parser()
    (adding,) = (action for action in parser._actions if hasattr(action, "choices") and action.choices)
    of_run = _help(adding.choices["run"])
    parts = [_help(parser), of_run]
    for name, command in adding.choices.items():
        if name != "run":
            lines = [line for line in _help(command).splitlines() if line not in of_run.splitlines()]
            parts.append("\n".join(lines))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _help(parser: Any) -> str:
    """Without its usage, which repeats the options; not wrapped, and the same in every Python."""
    with patch.dict(os.environ, COLUMNS="1000"):
        text = parser.format_help()
    head, _, rest = text.partition("\n\n")
    name = re.match(r"usage: (recon3d(?: \w+)?)", head)
    rest = re.sub(
        r"(-\w) ([A-Z]+), (--[\w-]+) \2", r"\1, \3 \2", rest
    )  # "-o OUT, --output OUT", before Python 3.13
    rest = re.sub(r"\n {20,}(?=\S)", "  ", rest)
    rest = re.sub(r"(?<=\S) {2,}", "  ", rest)
    return f"# {name.group(1) if name else ''}\n{rest}"


def events_of_a_run() -> str:
    """On fake stages: a run, a longer one, and one that fails. Times and fingerprints are masked."""
    said: list[Event] = []
    with pytest.MonkeyPatch.context() as monkeypatch, tempfile.TemporaryDirectory() as folder:
        fakes = fake_stages(monkeypatch)
        workspace = Workspace(Path(folder) / "w")
        progress = Progress(said.append)
        run_job(workspace, JobSettings.build(photos="/photos", features="sift", until="dense"), progress)
        run_job(workspace, JobSettings.build(photos="/photos", features="sift", until="texture"), progress)

        def fail(name: str) -> None:
            raise UserError("The photos are gone: choose others.", 2)

        fakes.at = fail
        try:
            run_job(workspace, JobSettings.build(photos="/photos", features="sift", frames=9), progress)
        except UserError:
            pass
    return "".join(_masked(as_line(event)) + "\n" for event in said)


def _masked(line: str) -> str:
    line = re.sub(r'("(?:time|seconds|peak_memory_mb)": )[\d.]+', r"\g<1>0", line)
    return re.sub(r'"[0-9a-f]{16,}"', '"FINGERPRINT"', line)


def example(kind: Any) -> Any:
    """A value of a document's type, with every field filled."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (UnionType, typing.Union):
        return example(next(argument for argument in arguments if argument is not type(None)))
    if origin is dict:
        return {"name": example(arguments[1])}
    if origin is list or (origin is tuple and arguments[-1] is Ellipsis):
        return origin([example(arguments[0])])
    if origin is tuple:
        return tuple(map(example, arguments))
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        found = {}
        for item in fields(kind):
            known = not item.metadata.get("unknown")
            own = item.default if item.name == "version" else example(hints[item.name])
            found[item.name] = own if known else {}
        return kind(**found)
    if issubclass(kind, StrEnum):
        return next(iter(kind))
    return {int: 1, float: 0.5, str: "text", bool: True}.get(kind, "anything")


def document_file(title: str) -> str:
    """The golden file of a document, relative to tests/golden; title: as in DOCUMENTS."""
    return f"documents/{title.replace('/', '-').replace(' ', '-').removesuffix('.json')}.json"


def document(kind: type) -> str:
    return json.dumps(encode(example(kind)), indent=1) + "\n"


def contents() -> dict[str, Callable[[], str]]:
    """The required content by the file's path in tests/golden."""
    found: dict[str, Callable[[], str]] = {"help.txt": help_of_all, "events.jsonl": events_of_a_run}
    for title, kind, _ in DOCUMENTS:
        if kind is not Event:
            found[document_file(title)] = partial(document, kind)
    return found


def main() -> None:
    for name, made in contents().items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made(), "utf-8")


if __name__ == "__main__":
    main()
