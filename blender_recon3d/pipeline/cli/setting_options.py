"""Command-line options generated from the settings' declarations, and the job that a command line describes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ..documents.state_json import StageState
from ..errors import UserError
from ..files.atomic_files import read_json
from ..files.user_path import user_path
from ..setting_field import AUTO, Setting
from ..settings import JobSettings, by_option, keep_front_end, merged, spread
from ..settings_file import Given, job_of, read_settings
from ..stage_settings import FeaturesSettings
from ..workspace import Workspace
from .exit_codes import BAD_USAGE

_UNITS = {"px": "PX", "GB": "GB"}


def add_settings(parser: argparse.ArgumentParser, until: bool) -> None:
    """Add options for all settings, without defaults, so that values from a file or the workspace's job are kept.

    until: whether the command takes the last stage, too.
    """
    parser.add_argument(
        "--settings", metavar="FILE.json", help="a file with settings by stage; options take precedence"
    )
    for option, group in by_option().items():
        if not group[0].no_option and (until or option != "until"):
            add_option(parser, group[0])
    parser.add_argument("--fresh", action="store_true", help="start over, replacing earlier results")
    parser.add_argument("--json", action="store_true", help="events on stdout, one JSON object per line")


def add_option(parser: argparse.ArgumentParser, declared: Setting) -> None:
    """The option of one setting; earlier names are accepted and not listed."""
    name, earlier = flag(declared.option), [flag(name) for name in declared.was]
    common: dict[str, Any] = {"dest": declared.option, "default": None}
    if isinstance(declared.default, bool):
        parser.add_argument(name, action=argparse.BooleanOptionalAction, help=_help(declared), **common)
        if declared.off:
            words: dict[str, Any] = {"action": "store_const", "const": False, "help": argparse.SUPPRESS}
            parser.add_argument(flag(declared.off), **words, **common)
        return
    common["type"] = _reader(declared)
    if declared.choices and not declared.other and len(declared.choices) < 5:
        common["metavar"] = f"{{{','.join(declared.choices)}}}"
    else:
        common["metavar"] = metavar(declared)
    parser.add_argument(name, help=_help(declared), **common)
    if earlier:
        parser.add_argument(*earlier, help=argparse.SUPPRESS, **common)


def flag(name: str) -> str:
    """The option for a setting: --max-faces for max_faces."""
    return f"--{name.replace('_', '-')}"


def metavar(declared: Setting) -> str:
    """The placeholder of its value in help: N, PX, DIR."""
    if isinstance(declared.default, int | float):
        return _UNITS.get(declared.unit, "N")
    if declared.choices:
        return "NAME"
    return {"folder": "DIR", "file": "FILE"}.get(declared.path, "TEXT")


def _help(declared: Setting) -> str:
    """The help, the choices if the metavar does not list them, and the default."""
    parts = [declared.help]
    if declared.choices and (declared.other or len(declared.choices) >= 5):
        parts.append(", ".join(declared.choices) + (f", or {declared.other}" if declared.other else ""))
    if declared.zero:
        parts.append(f"0: {declared.zero}")
    if declared.automatic:
        parts.append(f"{AUTO}: {declared.automatic.says}")
    if declared.by_quality:
        parts.append(f"{AUTO}: {declared.sizes}" if declared.may_be_auto else declared.sizes)
    elif declared.automatic and not declared.default:
        parts.append(f"default {AUTO}")
    elif isinstance(declared.default, bool):
        parts.append("on by default" if declared.default else "off by default")
    elif isinstance(declared.default, int | float):
        parts.append(f"default {declared.default:,}")
    elif declared.default:
        parts.append(f"default {declared.default}")
    return "; ".join(parts).replace("%", "%%")


def _reader(declared: Setting) -> Callable[[str], Any]:
    """The converter for argparse, which adds the option's name to errors."""

    def read(text: str) -> Any:
        value: Any = text
        if text == AUTO and declared.may_be_auto:
            return AUTO  # `spread` converts it
        if isinstance(declared.default, int | float):
            try:
                value = type(declared.default)(text)
            except (ValueError, OverflowError):
                pass
        problem = declared.problem(value)
        if problem:
            raise argparse.ArgumentTypeError(f"{text[:80]!r}: {problem}")
        return value

    return read


def given_options(chosen: argparse.Namespace) -> dict[str, Any]:
    """The settings given on the command line, by option; files and folders as absolute paths."""
    options: dict[str, Any] = {}
    for option, group in by_option().items():
        value = getattr(chosen, option, None)
        if value is None or group[0].no_option:
            continue
        if group[0].path and value and user_path(value).exists():
            value = str(user_path(value).absolute())
        options[option] = value
    return options


def job_settings(workspace: Workspace, chosen: argparse.Namespace, only: str = "") -> JobSettings:
    """The job of this command. Command-line options take precedence over the file of --settings.

    only: for the command of a single stage; the workspace's job is then used, with these changes.
    """
    name = getattr(chosen, "settings", None)
    file = read_settings(user_path(name)) if name else Given()
    options = given_options(chosen)
    quality, until = options.pop("quality", "") or file.quality, options.pop("until", "") or file.until
    photos = tuple(str(user_path(path).absolute()) for path in getattr(chosen, "photos", None) or ())
    if photos:
        options["photos"] = photos
    values = merged(file.values, spread(options))
    if only and workspace.job.exists():
        raw = read_json(workspace.job, "start with recon3d run PHOTOS -o OUT")
        job = job_of(raw, workspace.job)
        return JobSettings.from_values(
            merged(job.values(), values), quality or job.quality, until or job.until
        )
    if not values["photos"].get("sources"):
        if only:
            text = f"{workspace.root} has no job yet: start with recon3d run PHOTOS -o OUT."
        else:
            text = "No photos were given: name a folder, files or a video, or set photos.sources in the settings file."
        raise UserError(text, BAD_USAGE)
    if not chosen.fresh:
        values = keep_front_end(values, front_end_before(workspace))
    return JobSettings.from_values(values, quality or "medium", until or "dense")


def front_end_before(workspace: Workspace) -> str:
    """The front-end that has found the workspace's features, which `auto` keeps; empty if there are none."""
    if workspace.read_state().stage("features").state == StageState.NOT_RUN or not workspace.job.exists():
        return ""
    try:
        job = job_of(read_json(workspace.job, ""), workspace.job)
    except UserError:  # a damaged job.json will be replaced
        return ""
    return job.of(FeaturesSettings).front_end
