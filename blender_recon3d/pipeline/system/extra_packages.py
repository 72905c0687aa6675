"""Optional packages that some features need. Standard library only."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

from ..errors import UserError

# The versions of pyproject.toml's optional dependencies, by their name there; packages by the name to import.
PINNED = {
    "farm": {"distributed": "2026.8.0"},
    "formats": {"laspy": "2.7.0", "lazrs": "0.8.2", "meshoptimizer": "0.2.30a0"},
    "photos": {"rawpy": "0.28.0", "OpenEXR": "3.5.3", "pillow_jxl": "1.3.8"},
}
DISTRIBUTIONS = {"pillow_jxl": "pillow-jxl-plugin"}  # where the package has another name


def extra(what: str, otherwise: str, *names: str) -> Any:
    """The first of these packages, imported. UserError, which names the command that installs them, where one is
    missing. what: the feature; otherwise: what can be done without."""
    try:
        modules = [importlib.import_module(name) for name in names]
    except ImportError as error:
        text = f"{what} needs additional packages: run {install_command(*names)}, or {otherwise}."
        raise UserError(text, 2) from error
    return modules[0]


def is_installed(name: str) -> bool:
    """Whether an optional package can be imported."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # half removed
        return False


def install_command(*names: str) -> str:
    """The command that installs these packages into this Python."""
    versions = {name: version for group in PINNED.values() for name, version in group.items()}
    wanted = " ".join(f"{DISTRIBUTIONS.get(name, name)}=={versions[name]}" for name in names)
    return f'"{sys.executable}" -m pip install {wanted}'
