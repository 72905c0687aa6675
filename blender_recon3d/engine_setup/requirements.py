"""The engine's pinned requirements from pyproject.toml, which the add-on's zip contains as lists."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence

from ..pipeline import paths
from ..pipeline.errors import UserError

# Extra of pyproject.toml and name of its list in the zip, one `name==version` per line.
LISTS = {"engine": "engine_requirements.txt", "setup": "setup_requirements.txt"}


def pins(extra: str = "engine") -> tuple[str, ...]:
    """`name==version` of every package in an extra: "engine", or "setup" (the tools that install it).

    Raises UserError if the add-on's files are incomplete.
    """
    shipped = paths.PACKAGE / LISTS[extra]
    if shipped.is_file():
        return tuple(line for line in shipped.read_text("utf-8").split() if line)
    project = paths.CHECKOUT / "pyproject.toml"
    try:
        return tuple(tomllib.loads(project.read_text("utf-8"))["project"]["optional-dependencies"][extra])
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{shipped} is missing: reinstall the add-on.") from error


def pinned(name: str, extra: str = "setup") -> str:
    """`name==version` of one package of an extra."""
    return next(pin for pin in pins(extra) if pin.partition("==")[0] == name)


def versions(requirements: Sequence[str]) -> dict[str, str]:
    """{normalized name: version} of pins."""
    return {normalized(name): version for name, _, version in (pin.partition("==") for pin in requirements)}


def normalized(name: str) -> str:
    """A distribution's normalized name (PEP 503)."""
    return name.strip().lower().replace("_", "-").replace(".", "-")
