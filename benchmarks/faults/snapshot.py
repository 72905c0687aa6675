"""What a workspace holds, in a form in which two of them can be compared.

Everything up to the depth maps is the same byte for byte on every run with SIFT. COLMAP's fusion with several threads
is not, so the cloud and what hangs on it are compared by their size.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from blender_recon3d.pipeline.colmap.database import image_ids, open_database
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.files.ply import read_vertices
from blender_recon3d.pipeline.files.ply_mesh import read_mesh
from blender_recon3d.pipeline.settings import STAGES

EXACT = {
    "photos": ("photos.json", "images/*"),
    "pairs": ("pairs.txt",),
    "sfm": ("registration.json", "placement.json", "sparse/0/*.bin"),
    "dense": (
        "dense/images/*", "dense/sparse/*.bin", "dense/stereo/depth_maps/*", "dense/stereo/normal_maps/*"
    ),
}  # fmt: skip
DATABASE = (("features", "keypoints"), ("matches", "matches"), ("matches", "verified matches"))
TOLERANCE = 0.1  # of the number of points and faces, between two undisturbed runs
SCRATCH = (".part", "-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Snapshot:
    """digests: of what must be the same, by name; counts: of what may differ a little."""

    digests: dict[str, str]
    counts: dict[str, int]
    leftovers: tuple[str, ...]

    def differences(self, other: Snapshot) -> list[str]:
        """The names of what is not the same in `other`."""
        names = sorted(self.digests.keys() | other.digests.keys())
        found = [name for name in names if self.digests.get(name) != other.digests.get(name)]
        for name, count in self.counts.items():
            if abs(other.counts.get(name, 0) - count) > TOLERANCE * count:
                found.append(f"{name} ({other.counts.get(name, 0)}, not {count})")
        return found


def snapshot(root: Path, until: str = STAGES[-1]) -> Snapshot:
    """Read what the stages up to `until` have made in a workspace."""
    stages = STAGES[: STAGES.index(until) + 1]
    digests = {}
    for pattern in (pattern for stage in stages for pattern in EXACT.get(stage, ())):
        for path in sorted(root.glob(pattern)):
            digests[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    left = leftovers(root)
    with tempfile.TemporaryDirectory() as scratch:  # opening a database may write to it
        copy = Path(scratch) / "database.db"
        if (root / "database.db").exists():
            shutil.copyfile(root / "database.db", copy)
            found = _database(copy)
            digests.update({name: found[name] for stage, name in DATABASE if stage in stages})
    return Snapshot(digests, _counts(root, stages), left)


def leftovers(root: Path) -> tuple[str, ...]:
    """Files that only a run at work, or one that was killed, has."""
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


def _counts(root: Path, stages: Sequence[str]) -> dict[str, int]:
    """Points, faces and texels of those stages; 0 for what cannot be read."""
    counts = {}
    for stage, name, count in COUNTS:
        if stage in stages:
            try:
                counts[name] = count(root)
            except (OSError, UserError):
                counts[name] = 0
    return counts


def _texels(root: Path) -> int:
    with Image.open(root / "texture" / "texture.png", formats=("PNG",)) as image:
        image.load()
        return image.width * image.height


COUNTS: tuple[tuple[str, str, Callable[[Path], int]], ...] = (
    ("dense", "points of the cloud", lambda root: len(read_vertices(root / "dense" / "fusion.ply"))),
    ("mesh", "faces", lambda root: len(read_mesh(root / "mesh" / "mesh.ply")[1])),
    ("mesh", "faces before decimation", lambda root: len(read_mesh(root / "mesh" / "full.ply")[1])),
    ("texture", "textured faces", lambda root: len(read_mesh(root / "texture" / "mesh.ply")[1])),
    ("texture", "texels", _texels),
    ("texture", "lines of the OBJ", lambda root: (root / "texture" / "mesh.obj").read_bytes().count(b"\n")),
    ("texture", "size of the report", lambda root: (root / "report.html").stat().st_size),
)
