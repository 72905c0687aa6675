"""Properties of a project that can be determined without reading all of it. Standard library only."""

from __future__ import annotations

import functools
from pathlib import Path

from ..files.regular import read_regular

FORMATS = (
    "Metashape (cameras as .xml), RealityScan (.csv, or a folder of .xmp), Meshroom (.sfm, .json, .baf), OpenMVG "
    "(sfm_data.json), OpenSfM (reconstruction.json), nerfstudio and instant-ngp (transforms.json), Bundler (.out), "
    "VisualSFM (.nvm) or COLMAP (a folder)"
)
# Of alignments that are written (write_alignment.py).
CAMERA_FORMATS = (
    "colmap",
    "metashape",
    "realityscan",
    "meshroom",
    "nerfstudio",
    "instant-ngp",
    "bundler",
    "nvm",
)
# What other programs call their projects, and what they leave that no reader here takes.
_NAMES = ("transforms.json", "sfm_data.json", "reconstruction.json", "cameras.xml")
_ENDINGS = (".nvm", ".sfm", ".out", ".baf")
THEIRS = (".psx", ".psz", ".rcproj", ".rsproj", ".mg", ".mvs", ".abc")
_COUNT = 8  # bytes of a binary file of points before the first
_HEAD = 1 << 16  # bytes that identify the program of a JSON file


def has_tracks(path: str) -> bool:
    """Whether the project has observations of its points, so that no features are needed. Quick, and never raises.

    path: empty if there is no project.
    """
    if not path:
        return False
    project = Path(path)
    try:
        stamp = project.stat().st_mtime_ns
    except OSError:
        return False
    return _has_tracks(project, stamp)


@functools.lru_cache(maxsize=16)
def _has_tracks(path: Path, stamp: int) -> bool:
    ending = path.suffix.lower()
    if path.is_dir() or ending in (".bin", ".txt"):
        folder = path if path.is_dir() else path.parent
        return not has_xmp(folder) and any(_holds_points(file) for file in folder.rglob("points3D.*"))
    if ending in (".nvm", ".out", ".baf"):
        return True
    if ending in (".json", ".sfm"):
        try:
            content = read_regular(path)
        except OSError:
            return False
        return (b'"observations"' in content and b'"x"' in content) or (
            b'"shots"' in content[:_HEAD] and path.with_name("tracks.csv").is_file()
        )
    return False


def _holds_points(file: Path) -> bool:
    """Whether a points file of COLMAP has any: cameras may be exported without points."""
    try:
        if file.suffix == ".bin":
            return file.stat().st_size > _COUNT
        with open(file, "rb") as content:
            lines = content.read(_HEAD).splitlines()
    except OSError:
        return False
    return any(line.strip() and not line.startswith((b"#", b"\xef\xbb\xbf#")) for line in lines)


def has_xmp(folder: Path) -> bool:
    """Whether the folder contains XMP files and no COLMAP model."""
    is_model = any((folder / name).is_file() for name in ("cameras.bin", "cameras.txt"))
    return not is_model and any(file.suffix.lower() == ".xmp" for file in folder.rglob("*"))


def projects_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files directly in a folder that look like alignments of other programs, and project files from which their
    program must export one first."""
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return [], []
    read = [path for path in files if path.name.lower() in _NAMES or path.suffix.lower() in _ENDINGS]
    return read, [path for path in files if path.suffix.lower() in THEIRS]
