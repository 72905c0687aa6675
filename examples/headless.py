"""What the headless examples share: finding the add-on's code, their arguments, and how they end."""

from __future__ import annotations

import functools
import importlib
import sys
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


def arguments() -> list[str]:
    """What stands after `--`, whether Blender or Python runs the script."""
    return sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]


def save(path: Path) -> None:
    """Save the .blend with the photos' paths relative to it, so that the folder can be moved."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for image in bpy.data.images:
        if image.filepath and not image.packed_file:
            try:
                image.filepath = bpy.path.relpath(image.filepath, start=str(path.parent))
            except ValueError:
                continue  # on another drive (Windows)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), relative_remap=False)


def end(main: Callable[[list[str]], int]) -> None:
    """Run `main` and end the process with its code: `blender -b` would end with 0 whatever happens."""
    try:
        error_type = module("pipeline.events").UserError
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
    sys.exit(code)
