"""Make the output of Blender's exporters atomic, including companion files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from ...pipeline.errors import UserError


def write_whole(
    path: Path,
    write: Callable[[str], None],
    afterwards: Callable[[Path], None] = lambda written: None,
    folder: Path | None = None,
) -> None:
    """Call `write` with a path in a folder of its own, `afterwards` with the file it has written, then move all files
    from there to where `path` is. folder: that folder, in that of the path, for whoever may have to remove it; by
    default one with a new name. UserError for what an operator reports; OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _folder_of_its_own(path, folder) as folder:
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


def scratch_name(path: Path) -> Path:
    """A new name for a temporary folder beside `path`."""
    return path.with_name(f".recon3d-{uuid4().hex[:8]}")


@contextmanager
def _folder_of_its_own(path: Path, folder: Path | None) -> Iterator[Path]:
    folder = folder or scratch_name(path)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
