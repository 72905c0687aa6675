"""Find the engine's Python, and start the engine with it. Standard library only."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ..pipeline import paths
from ..pipeline.errors import UserError
from ..pipeline.files.user_path import user_path
from ..pipeline.photos.extensions import EXTENSIONS, VIDEO_EXTENSIONS
from ..pipeline.system.programs import NO_CURRENT_FOLDER

VARIABLE = "RECON3D_PYTHON"
READY = "ready.json"  # in an environment created by engine_setup, once it is complete
INTERPRETER = Path("Scripts", "python.exe") if sys.platform == "win32" else Path("bin", "python")
# Variables for Blender's own Python that are wrong for another one.
_FOREIGN = ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")


def find_python(
    option: str = "",
    preference: str = "",
    environ: Mapping[str, str] = os.environ,
    managed: Path | None = None,
) -> Path:
    """The interpreter of the engine's environment: the first of `option`, $RECON3D_PYTHON, `preference`, `managed` if
    it is set up, and `.venv` in a checkout. Each may also be the environment's folder.

    managed: the folder of the environment created by engine_setup; used only once it is complete.
    Raises UserError (exit code 2) if there is none, or if the given one does not exist.
    """
    candidates = (
        (option, "the engine's Python"),
        (environ.get(VARIABLE, ""), f"the engine's Python in {VARIABLE}"),
        (preference, "the engine's Python in the preferences"),
    )
    for value, what in candidates:
        if value:
            return _interpreter(user_path(value), what)
    if managed is not None and (managed / READY).is_file() and (managed / INTERPRETER).is_file():
        return (managed / INTERPRETER).absolute()
    checkout = paths.CHECKOUT / ".venv" / INTERPRETER
    if checkout.is_file():
        return checkout
    raise UserError(
        "The engine is not set up: press Set Up Engine in the add-on's preferences, or set the Python of an existing "
        f"environment with the engine's packages (docs/user/engine.md) there or in {VARIABLE}.",
        2,
    )


def _interpreter(path: Path, what: str) -> Path:
    # Not resolved: an environment's python is a link that leads out of the environment.
    interpreter = path / INTERPRETER if path.is_dir() else path
    if not interpreter.is_file():
        raise UserError(
            f"{path} ({what}) is not a Python interpreter: choose the environment's {INTERPRETER.name}.", 2
        )
    return interpreter.absolute()


def command(python: Path, arguments: list[str]) -> list[str]:
    """The command that runs the engine's command line with these arguments."""
    return [str(python), "-m", "recon3d_engine", *arguments]


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment variables for `command`: without Blender's Python, and with the engine on the path."""
    clean = {key: value for key, value in environ.items() if key not in _FOREIGN}
    clean["PYTHONPATH"] = str(paths.LAUNCH)
    clean["PYTHONSAFEPATH"] = "1"  # ignore modules in the current folder
    clean["PYTHONUTF8"] = "1"
    clean.update(NO_CURRENT_FOLDER)
    return clean


def default_workspace(photos: Path) -> Path:
    """The default workspace for a folder of photos: next to it, since photos may be read-only."""
    photos = photos.absolute()
    if not photos.name:  # a whole drive
        return photos / "recon3d"
    # By its name alone, since a path in a .blend file must not be accessed. No result ends in .mp4_recon3d.
    is_file = photos.suffix.lower() in EXTENSIONS | VIDEO_EXTENSIONS
    name = photos.stem if is_file else photos.name
    return photos.with_name(f"{name}_recon3d")
