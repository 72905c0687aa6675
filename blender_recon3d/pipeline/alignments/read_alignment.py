"""Detect which program a project is from, and read its alignment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import FileFormatError, UserError
from ..files.regular import read_regular
from .camera_alignment import Alignment, Sizes
from .project_files import FORMATS, THEIRS, has_xmp


def read_alignment(path: Path, sizes: Sizes) -> Alignment:
    """Read a project. UserError if it does not exist, is of an unknown kind, or has no aligned photos."""
    alignment = reader_of(path)(path, sizes)
    if not alignment.photos:
        why = (
            " ".join(alignment.notes)
            or "None of its photos has a pose, or none of them is among the given photos."
        )
        raise UserError(f"{path} has no usable cameras. {why}", 2)
    return alignment


def reader_of(path: Path) -> Callable[[Path, Sizes], Alignment]:
    """The reader of a project's format. UserError where the project is not there or of no known kind."""
    if not path.exists():
        raise UserError(f"{path} does not exist: give the project, of {FORMATS}.", 2)
    from .readers import (
        read_baf,
        read_bundler,
        read_colmap,
        read_meshroom,
        read_metashape,
        read_nvm,
        read_realityscan,
    )

    ending = path.suffix.lower()
    if path.is_dir():
        return read_realityscan.read_xmp if has_xmp(path) else read_colmap.read
    named = {
        ".xml": read_metashape.read, ".csv": read_realityscan.read_csv,
        ".xmp": read_realityscan.read_xmp, ".sfm": read_meshroom.read, ".baf": read_baf.read,
        ".out": read_bundler.read, ".nvm": read_nvm.read, ".bin": read_colmap.read, ".txt": read_colmap.read,
    }  # fmt: skip
    if ending in named:
        return named[ending]
    if ending == ".json":
        return _json_reader(path)
    if ending in THEIRS:
        raise FileFormatError(path, f"export the cameras from its program as one of {FORMATS}")
    raise FileFormatError(path, f"it is not a project that Recon3D can read: {FORMATS}")


def _json_reader(path: Path) -> Callable[[Path, Sizes], Alignment]:
    from .readers import read_meshroom, read_openmvg, read_opensfm, read_transforms

    content = read_regular(path)
    for mark, reader in (
        (b'"sfm_data_version"', read_openmvg.read),
        (b'"transform_matrix"', read_transforms.read),
        (b'"shots"', read_opensfm.read),
        (b'"intrinsicId"', read_meshroom.read),
    ):
        if mark in content:
            return reader
    raise FileFormatError(path, f"it is not a project that Recon3D can read: {FORMATS}")
