"""The rows that items of work carry: features of photos, and matches of pairs, each set in a small database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..workspace import Workspace
from .calls import pycolmap
from .database import image_ids, open_database, read_pairs, write_pairs


def take_pairs(database: Path, names: Sequence[tuple[str, str]], into: Workspace) -> None:
    """Copy what a database has of these pairs, with the same image ids, and list them in pairs.txt."""
    write_pairs(into.pairs, names)
    with open_database(database) as source, open_database(into.database) as target:
        ids = image_ids(source)
        with pycolmap.DatabaseTransaction(target):
            for first, second in names:
                _copy_pair(source, target, ids[first], ids[second])


def add_rows(item: Workspace, workspace: Workspace) -> None:
    """Add an item's rows to the workspace's database. Matches replace those that are there; features do not."""
    with open_database(item.database) as source, open_database(workspace.database) as target:
        ids = image_ids(target)
        with pycolmap.DatabaseTransaction(target):
            for name, number in image_ids(source).items():
                if name in ids and not target.exists_descriptors(ids[name]):
                    if not target.exists_keypoints(ids[name]):
                        target.write_keypoints(ids[name], source.read_keypoints(number))
                    target.write_descriptors(ids[name], source.read_descriptors(number))
            for first, second in read_pairs(item.pairs) if item.pairs.exists() else ():
                if first in ids and second in ids:
                    _copy_pair(source, target, ids[first], ids[second])


def _copy_pair(source: Any, target: Any, first: int, second: int) -> None:
    if source.exists_matches(first, second):
        if target.exists_matches(first, second):
            target.delete_matches(first, second)
        target.write_matches(first, second, source.read_matches(first, second))
    if source.exists_two_view_geometry(first, second) and not target.exists_two_view_geometry(first, second):
        target.write_two_view_geometry(first, second, source.read_two_view_geometry(first, second))
