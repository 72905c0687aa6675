"""Read files of other programs defensively, since they are untrusted."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from ...errors import FileFormatError
from ...files import json_values
from ...files.regular import read_regular

MAX_BYTES = 2 << 30


def read_text(path: Path) -> str:
    try:
        return read_regular(path, MAX_BYTES).decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise FileFormatError(path, error.strerror or str(error)) from error


def read_json(path: Path) -> Any:
    try:
        return json_values.parse(read_text(path))
    except ValueError as error:
        raise FileFormatError(path, f"it is not JSON ({error})") from error


def read_xml(path: Path) -> ElementTree.Element:
    text = read_text(path)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # entities can expand without limit
        raise FileFormatError(path, "it declares a document type, which files of these programs never do")
    try:
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise FileFormatError(path, f"it is not XML ({error})") from error
