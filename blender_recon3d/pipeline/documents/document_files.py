"""Read documents from files defensively, and write them atomically. Standard library only."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from ..errors import FileFormatError
from ..files.atomic_files import read_json, write_json
from ..wording import Part
from .codec import FieldError, decode, encode

T = TypeVar("T")


def read_document(kind: type[T], path: Path, advice: str | Part) -> T:
    """The document in the file. UserError with the advice if the file is missing or not a JSON object; FileFormatError,
    which names the field, if it is invalid or from a later version."""
    return from_json(kind, read_json(path, advice), path)


def from_json(kind: type[T], raw: Any, path: Path) -> T:
    """The document from a JSON value of the file. FileFormatError as in `read_document`."""
    try:
        document = decode(kind, raw)
    except FieldError as error:
        raise FileFormatError(path, str(error)) from error
    written, known = getattr(document, "version", 1), getattr(kind, "version", 1)
    if written > known:
        raise FileFormatError(path, f"it is of version {written}, but this Recon3D reads only up to {known}")
    return document


def write_document(path: Path, document: Any, lasting: bool = True) -> None:
    """Write the file atomically. lasting: synced to disk before it returns."""
    write_json(path, encode(document), lasting)
