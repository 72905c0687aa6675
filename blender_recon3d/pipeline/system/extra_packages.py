"""Optional packages that some features need. Standard library only."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from ..errors import UserError

# The versions of pyproject.toml's optional dependencies, by their name there.
PINNED = {"formats": {"laspy": "2.7.0", "lazrs": "0.8.2", "meshoptimizer": "0.2.30a0"}}


def extra(what: str, otherwise: str, *names: str) -> Any:
    """The first of these packages, imported. UserError, which names the command that installs them, where one is
    missing. what: the feature; otherwise: what can be done without."""
    try:
        modules = [importlib.import_module(name) for name in names]
    except ImportError as error:
        versions = {name: version for group in PINNED.values() for name, version in group.items()}
        wanted = " ".join(f"{name}=={versions[name]}" for name in names)
        how = f'"{sys.executable}" -m pip install {wanted}'
        raise UserError(f"{what} needs additional packages: run {how}, or {otherwise}.", 2) from error
    return modules[0]
