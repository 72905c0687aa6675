"""Copies features and matches from the database of an earlier run, for the photos and pairs that both have."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..files.atomic_files import link_or_copy
from ..workspace import Workspace
from .calls import pycolmap
from .database import create_database, image_ids, open_database, read_pairs
from .database_check import database_problem


def take_features(workspace: Workspace, names: Mapping[str, str]) -> int:
    """Returns the number of photos restored. names: each photo's earlier name, by its current one.

    Features of networks are files, which the stage copies into the database; SIFT's are in the database alone.
    """
    earlier = Workspace(workspace.earlier)
    if earlier.features.is_dir():
        workspace.features.mkdir(exist_ok=True)
        restored = 0
        for now, before in names.items():
            old, new = earlier.features / f"{before}.npz", workspace.features / f"{now}.npz"
            if old.exists() and not new.exists():
                link_or_copy(old, new)
                restored += 1
        return restored
    if not earlier.database.exists() or database_problem(earlier.database):
        return 0
    if not workspace.database.exists():
        create_database(workspace)
    restored = 0
    with open_database(earlier.database) as old, open_database(workspace.database) as new:
        old_ids, new_ids = image_ids(old), image_ids(new)
        with pycolmap.DatabaseTransaction(new):
            for now, before in names.items():
                source, target = old_ids.get(before), new_ids.get(now)
                if source is None or target is None or not old.exists_descriptors(source):
                    continue
                if not new.exists_keypoints(target):
                    new.write_keypoints(target, old.read_keypoints(source))
                if not new.exists_descriptors(target):
                    new.write_descriptors(target, old.read_descriptors(source))
                    restored += 1
    return restored


def take_matches(workspace: Workspace, names: Mapping[str, str], verified: bool) -> int:
    """Returns the number of listed pairs restored: those whose photos have the same keypoints. verified: restore their
    verification too."""
    earlier = Workspace(workspace.earlier)
    if not earlier.database.exists() or database_problem(earlier.database):
        return 0
    restored = 0
    with open_database(earlier.database) as old, open_database(workspace.database) as new:
        old_ids, new_ids = image_ids(old), image_ids(new)
        same = {
            now
            for now, before in names.items()
            if before in old_ids
            and now in new_ids
            and np.array_equal(old.read_keypoints(old_ids[before]), new.read_keypoints(new_ids[now]))
        }
        with pycolmap.DatabaseTransaction(new):
            for first, second in read_pairs(workspace.pairs):
                if first not in same or second not in same:
                    continue
                source = old_ids[names[first]], old_ids[names[second]]
                target = new_ids[first], new_ids[second]
                if old.exists_matches(*source) and not new.exists_matches(*target):
                    new.write_matches(*target, old.read_matches(*source))
                    restored += 1
                if (
                    verified
                    and old.exists_two_view_geometry(*source)
                    and not new.exists_two_view_geometry(*target)
                ):
                    new.write_two_view_geometry(*target, old.read_two_view_geometry(*source))
    return restored
