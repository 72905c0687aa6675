"""What the headless examples share: finding the add-on's code, their arguments, and how they end."""

from __future__ import annotations

import functools
import importlib
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import bpy


@functools.cache  # an emptied Blender no longer knows which extensions are installed
def recon3d() -> ModuleType:
    """The package: of the checkout that these files are in, else of the installed extension."""
    checkout = Path(__file__).resolve().parents[1]
    if (checkout / "blender_recon3d").is_dir():
        sys.path.insert(0, str(checkout))
        return importlib.import_module("blender_recon3d")
    for name in bpy.context.preferences.addons.keys():
        if name.rpartition(".")[2] == "recon3d":
            return importlib.import_module(name)
    raise ModuleNotFoundError(
        "Recon3D is neither installed nor beside this file: install the extension first."
    )


def module(name: str) -> ModuleType:
    """A module of the package, for example "scene.build"."""
    return importlib.import_module(f"{recon3d().__name__}.{name}")


def registered(name: str) -> ModuleType:
    """A module of the package, registered in an empty Blender."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if not hasattr(bpy.types.Scene, "recon3d"):
        recon3d().register()
    return module(name)


def arguments() -> list[str]:
    """What stands after `--`, whether Blender or Python runs the script."""
    return sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]


def printer(title: str = "") -> Callable[[object], None]:
    """For the job's state: prints a line for each stage and each tenth of it, since this may go into a log."""
    duration = module("pipeline.text").rough_duration
    shown = ""

    def show(view: object) -> None:
        nonlocal shown
        key = f"{view.stage} {int(10 * view.fraction)} {view.total}"
        if key == shown or view.state != "running":
            return
        shown = key
        left = view.seconds_left_at(time.time())
        count = f" {view.done}/{view.total}" if view.total else ""
        time_left = f", about {duration(left)} left" if left else ""
        print(
            f"{title + ' ' if title else ''}{view.stage or 'start':<9}{count} {view.message}{time_left}",
            flush=True,
        )

    return show


def end(main: Callable[[list[str]], int]) -> None:
    """Run `main` and end the process with its code: `blender -b` would end with 0 whatever happens."""
    try:
        error_type = module("pipeline.errors").UserError
    except ModuleNotFoundError as error:
        sys.exit(f"recon3d: {error}")
    try:
        code = main(arguments())
    except error_type as error:
        print(f"recon3d: {error}", file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        code = 3
    except SystemExit as error:  # argparse has said what is wrong
        code = error.code if isinstance(error.code, int) else 2
    except Exception:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    if (
        not bpy.app.binary_path
    ):  # bpy 4.2 from PyPI crashes when Python ends while classes of an add-on are registered
        os._exit(code)
    sys.exit(code)
