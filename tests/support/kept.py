"""Files written by earlier versions (tests/kept)."""

from __future__ import annotations

import tarfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "kept"
KEPT_VERSIONS = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def unpack_workspace(version: str, folder: Path) -> Path:
    """The workspace of this version, unpacked into the folder."""
    with tarfile.open(FOLDER / version / "workspace.tar.xz") as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(folder, filter="data")
        else:  # Python 3.11.2, as in Debian 12
            archive.extractall(folder)
    return folder
