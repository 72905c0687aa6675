"""COLMAP's models in text, as other people's programs and editors leave them, made into what COLMAP reads.

It stops at a byte order mark, takes a line of image for one of points where a program leaves those out, cuts names at
blanks, and loses the last image where the file has no last line end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from ..files.regular import read_regular

FILES = ("cameras.txt", "images.txt", "points3D.txt", "rigs.txt", "frames.txt")
BLANK = "\x1f"  # instead of a blank in a photo's name, for COLMAP
_IMAGE = 10  # words: number, quaternion, translation, camera, name
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


def text_lines(content: bytes) -> list[str]:
    """The lines of a file but its comments, whatever ends them and whichever Unicode it is in; empty ones too, since an
    image without points has an empty second line."""
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    text = content.decode(encoding, "replace" if encoding == "utf-16" else "surrogateescape")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [line for line in lines if not line.lstrip().startswith("#")]


def image_lines(lines: list[str]) -> Iterator[tuple[str, str]]:
    """The line of each image and that of its points, empty where it is left out."""
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line.strip():
            continue
        points = ""
        if at < len(lines) and is_points(lines[at]):
            points = lines[at]
            at += 1
        yield line, points


def is_points(line: str) -> bool:
    """Whether a line holds an image's points: x, y and a point's number, over and over, or nothing. Not an image."""
    words = line.split()
    try:
        return len(words) % 3 == 0 and all(math.isfinite(float(word)) for word in words)
    except ValueError:
        return False


def write_tidy(folder: Path, target: Path) -> None:
    """The text model of `folder` in the folder `target`, with BLANK for the blanks in names. OSError where one of its
    files cannot be read; points may be missing."""
    for name in FILES:
        path = folder / name
        if name == "points3D.txt" and not path.exists():
            tidy: list[str] = []
        elif name in ("rigs.txt", "frames.txt") and not path.exists():
            continue
        else:
            lines = text_lines(read_regular(path))
            tidy = _images(lines) if name == "images.txt" else [line for line in lines if line.strip()]
        content = "".join(f"{line}\n" for line in tidy)
        (target / name).write_bytes(content.encode("utf-8", "surrogateescape"))


def _images(lines: list[str]) -> list[str]:
    tidy = []
    for image, points in image_lines(lines):
        words = image.split(maxsplit=_IMAGE - 1)
        words[_IMAGE - 1 :] = [word.strip().replace(" ", BLANK) for word in words[_IMAGE - 1 :]]
        tidy += [" ".join(words), points]
    return tidy
