"""Optional packages that some formats need. Standard library only."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from ..errors import UserError

PINNED = {"laspy": "2.7.0", "lazrs": "0.8.2", "meshoptimizer": "0.2.30a0"}  # as in pyproject.toml, "formats"


def extra(what: str, otherwise: str, *names: str) -> Any:
    """The first of these packages, imported. UserError, which names the command that installs them, where one is
    missing. what: the format; otherwise: what can be done without."""
    try:
        modules = [importlib.import_module(name) for name in names]
    except ImportError as error:
        wanted = " ".join(f"{name}=={PINNED[name]}" for name in names)
        how = f'"{sys.executable}" -m pip install {wanted}'
        raise UserError(f"{what} needs additional packages: run {how}, or {otherwise}.", 2) from error
    return modules[0]
