"""The content of a workspace, in a form that can be compared byte for byte."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blender_recon3d.pipeline.colmap.database import image_ids, open_database
from blender_recon3d.pipeline.stage import STAGES

FILES = {
    "photos": ("photos.json", "images/*"),
    "pairs": ("pairs.txt",),
    "sfm": ("registration.json", "placement.json", "sparse/0/*.bin"),
    "refine": ("refined/*",),
    "dense": (
        "dense/images/*", "dense/sparse/*.bin", "dense/stereo/depth_maps/*", "dense/stereo/normal_maps/*",
        "dense/fusion.ply",
    ),
    "mesh": ("mesh/*.ply",),
    "texture": ("texture/*",),
}  # fmt: skip
DATABASE = (("features", "keypoints"), ("matches", "matches"), ("matches", "verified matches"))
REPORTS = ("mesh/mesh.json", "report.json", "report.html")  # which contain times
SCRATCH = (".part", "-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Snapshot:
    """Digests of what must be the same, by name, and files that should not exist."""

    digests: dict[str, str]
    leftovers: tuple[str, ...]

    def differences(self, other: Snapshot) -> list[str]:
        """The names of what differs in `other`."""
        names = sorted(self.digests.keys() | other.digests.keys())
        return [name for name in names if self.digests.get(name) != other.digests.get(name)]


def snapshot(root: Path, until: str = STAGES[-1]) -> Snapshot:
    """Read the results of the stages up to `until` in a workspace."""
    stages = STAGES[: STAGES.index(until) + 1]
    digests = {}
    for pattern in (pattern for stage in stages for pattern in FILES.get(stage, ())):
        for path in sorted(root.glob(pattern)):
            digests[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    for name in REPORTS if until == STAGES[-1] else ():
        if (root / name).exists() and (root / name).stat().st_size:
            digests[name] = "there"
    left = leftovers(root)
    with tempfile.TemporaryDirectory() as scratch:  # opening a database may write to it
        copy = Path(scratch) / "database.db"
        if (root / "database.db").exists():
            shutil.copyfile(root / "database.db", copy)
            found = _database(copy)
            digests.update({name: found[name] for stage, name in DATABASE if stage in stages})
    return Snapshot(digests, left)


def leftovers(root: Path) -> tuple[str, ...]:
    """Files that exist only during a run, or after one was killed."""
    found = [path for path in root.rglob("*") if path.name.endswith(SCRATCH)]
    return tuple(sorted(str(path.relative_to(root)) for path in found))


def _database(path: Path) -> dict[str, str]:
    """Digests of the contents; SQLite's file itself depends on the order of writing."""
    keypoints, matches, verified = (hashlib.sha256() for _ in range(3))
    with open_database(path) as database:
        ids = image_ids(database)
        names = sorted(ids)
        for name in names:
            keypoints.update(np.ascontiguousarray(database.read_keypoints(ids[name])).tobytes())
        for place, first in enumerate(names):
            for second in names[place + 1 :]:
                pair = ids[first], ids[second]
                if database.exists_matches(*pair):
                    matches.update(f"{first} {second}".encode() + database.read_matches(*pair).tobytes())
                if database.exists_two_view_geometry(*pair):
                    geometry = database.read_two_view_geometry(*pair)
                    verified.update(f"{first} {second}".encode() + geometry.inlier_matches.tobytes())
    return {
        "keypoints": keypoints.hexdigest(),
        "matches": matches.hexdigest(),
        "verified matches": verified.hexdigest(),
    }
