"""What Blender's exporters write appears whole or not at all, with all that belongs to it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from ...pipeline.errors import UserError


def write_whole(
    path: Path, write: Callable[[str], None], afterwards: Callable[[Path], None] = lambda written: None
) -> None:
    """Call `write` with a path in a folder of its own, `afterwards` with the file it has written, then move all files
    from there to where `path` is. UserError for what an operator reports; OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".recon3d-") as name:
            folder = Path(name)
            write(str(folder / path.name))
            if not (folder / path.name).is_file():
                raise UserError(
                    f"Blender did not write {path.name}: see its console, or choose another format."
                )
            afterwards(folder / path.name)
            for file in [file for file in folder.rglob("*") if file.is_file()]:
                target = path.parent / file.relative_to(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(file, target)
    except RuntimeError as error:  # what an operator reports as an error
        lines = [
            line for line in str(error).splitlines() if line.strip() and not line.startswith("Location:")
        ]
        raise UserError(f"{path} cannot be exported: {lines[-1].strip() if lines else error}") from error
