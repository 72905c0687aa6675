"""Exports that the engine makes of a workspace, which need no scene: photos in full size, the cloud on a map."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from .. import preferences
from ..engine_setup import engine_process
from ..pipeline.errors import UserError
from ..pipeline.system.process_group import last_words
from ..pipeline.workspace import Workspace


def is_of_engine(workspace: Path) -> bool:
    """Whether the engine has made it, rather than COLMAP."""
    return Workspace(workspace).state_file.is_file()


def export_by_engine(workspace: Path, path: Path, words: Iterable[str] = ()) -> str:
    """`recon3d export` of a workspace, waited for; a sentence. words: more of the command line. UserError."""
    said = ["export", str(workspace), str(path), *words, "--json"]
    command = engine_process.command(preferences.find_python(), said)
    with tempfile.TemporaryDirectory(prefix="recon3d-") as folder:
        errors = Path(folder) / "errors.txt"
        with open(errors, "wb") as file:
            done = subprocess.run(
                command, env=engine_process.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=file, check=False,
            )  # fmt: skip
        if done.returncode:
            raise UserError(last_words(errors)[0] or f"The engine could not export {path}.", done.returncode)
    files = json.loads(done.stdout)["files"]
    return f"Exported {', '.join(files)}."
