"""Photos to a .blend without a window.

    blender -b --python examples/reconstruct.py -- PHOTOS OUT.blend [engine options ...]
    python examples/reconstruct.py -- PHOTOS OUT.blend [engine options ...]          (with bpy from PyPI)

The engine runs in its own process, with its own Python: --engine-python PATH, or $RECON3D_PYTHON, or the one in
the add-on's preferences, or `.venv` beside a checkout. All other options are the engine's (`recon3d run --help`);
-o DIR names the workspace, by default OUT_recon3d beside OUT.blend. Ends with the engine's code: 0 done, 1 failed,
2 bad usage or input, 3 cancelled.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))
import headless


def main(words: list[str]) -> int:
    engine, supervisor, text = (headless.module(name) for name in ("engine", "supervisor", "ui.text"))
    preferences, build = headless.module("preferences"), headless.module("scene.build")
    chosen, options = parse(words)
    photos, blend = Path(chosen.photos).absolute(), Path(chosen.blend).absolute()
    workspace = Path(chosen.output).absolute() if chosen.output else blend.with_name(f"{blend.stem}_recon3d")
    python = engine.find_python(chosen.engine_python, preferences.engine_python())
    command = engine.command(python, ["run", str(photos), "-o", str(workspace), *options])

    shown = ""

    def show(view: object) -> None:
        """A line for each stage and each tenth of it: this may be going into a log."""
        nonlocal shown
        tenth = int(10 * view.fraction)
        key = f"{view.stage} {tenth} {view.total}"
        if key != shown and view.state == supervisor.RUNNING:
            shown = key
            left = view.left_at(time.time())
            count = f" {view.done}/{view.total}" if view.total else ""
            print(
                f"{view.stage or 'start':<9}{count} {view.message}{f', {text.duration(left)} left' if left else ''}"
            )
            sys.stdout.flush()

    view = supervisor.EngineJob(command, engine.environment(), workspace).wait(show)
    if view.state == supervisor.CANCELLED:
        print(f"recon3d: {view.message}", file=sys.stderr)
        return 3
    if view.state == supervisor.FAILED:
        print(f"recon3d: {view.message}", file=sys.stderr)
        return view.exit_code

    bpy.ops.wm.read_factory_settings(use_empty=True)
    result = build.import_workspace(workspace)
    headless.module("scene.views").show_result(result)
    headless.save(blend)
    print(" ".join([result.summary(), *result.notes, f"Saved {blend}."]))
    return 0


def parse(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """This script's own arguments, and those that are the engine's."""
    parser = argparse.ArgumentParser(
        prog="reconstruct.py", description=__doc__.splitlines()[0], allow_abbrev=False
    )
    parser.add_argument("photos", metavar="PHOTOS", help="a folder of photos, or a video")
    parser.add_argument("blend", metavar="OUT.blend")
    parser.add_argument("-o", "--output", metavar="DIR", help="the workspace")
    parser.add_argument(
        "--engine-python", default="", metavar="PATH", help="the Python of the engine's environment"
    )
    return parser.parse_known_args(words)


headless.end(main)
