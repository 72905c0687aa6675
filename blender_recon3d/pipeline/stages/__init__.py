"""The stages, in the order in which data runs through them. A stage never calls another.

Each module has the same three functions, which the runner (`..job`) uses:

    inputs(workspace, settings)         what the result hangs on besides the settings and the stages before
                                        (files, weights), as something JSON can hold
    reset(workspace)                    remove what the stage has made, whole or in part
    run(workspace, settings, progress)  do it, continuing from what is there, as far as that is whole; returns a
                                        summary for people

What a finished stage leaves stands in `..results`.
"""

from __future__ import annotations

import importlib
from typing import Any, Protocol, cast

from ..events import Progress
from ..workspace import Workspace


class Stage(Protocol):
    """What a stage's module offers."""

    def inputs(self, workspace: Workspace, settings: Any) -> Any: ...
    def reset(self, workspace: Workspace) -> None: ...
    def run(self, workspace: Workspace, settings: Any, progress: Progress) -> dict[str, Any]: ...


def load_stage(name: str) -> Stage:
    """The stage's module, imported only now: some need torch or pycolmap, which take seconds to load."""
    return cast(Stage, importlib.import_module(f".{name}", __package__))
