"""Find damaged packages: a killed process leaves files missing or truncated, and pip and uv check only names and
versions. The size of every installed file is compared with its package's RECORD; contents are not read."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

from . import target as folder
from .requirements import normalized


def remove_damaged(target: Path) -> list[str]:
    """Remove damaged packages from the environment so that they are reinstalled; returns their names."""
    site = folder.site_packages(target)
    if site is None:
        return []
    damaged = []
    for path in sorted(site.iterdir()):
        if path.name.startswith("~"):  # pip's name for packages being replaced
            folder.delete(path)
        elif path.suffix == ".dist-info" and not is_whole(path):
            _take_out(path, target)
            damaged.append(normalized(path.stem.rpartition("-")[0]))
    return damaged


def is_whole(dist_info: Path) -> bool:
    """Whether all files of a package exist with their recorded sizes."""
    if not (dist_info / "METADATA").is_file():
        return False
    try:
        for path, size in _recorded(dist_info):
            if size is not None and path.stat().st_size != size:
                return False
    except (OSError, ValueError, csv.Error):
        return False
    return True


def _recorded(dist_info: Path) -> Iterator[tuple[Path, int | None]]:
    """(file, size or None) of each line of RECORD except compiled files."""
    count = 0
    with open(dist_info / "RECORD", encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            if not row or row[0].endswith(".pyc"):
                continue
            count += 1
            yield dist_info.parent / row[0], int(row[2]) if len(row) > 2 and row[2] else None
    if count == 0:
        raise ValueError(f"{dist_info} has an empty RECORD")


def _take_out(dist_info: Path, target: Path) -> None:
    """Delete a package's files in RECORD that are inside the environment, then its dist-info."""
    root = os.path.join(os.path.abspath(target), "")
    try:
        for path, _ in _recorded(dist_info):
            inside = os.path.normpath(path)
            # Names in RECORD are untrusted, and a link in the path may lead anywhere.
            if inside.startswith(root) and os.path.realpath(os.path.dirname(inside)).startswith(
                os.path.join(os.path.realpath(target), "")
            ):
                Path(inside).unlink(missing_ok=True)
    except (OSError, ValueError, csv.Error):
        pass  # remaining files are overwritten
    folder.delete(dist_info)
