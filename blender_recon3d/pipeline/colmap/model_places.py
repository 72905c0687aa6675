"""Where COLMAP's models, and the photos that belong to them, lie in a folder. Standard library only."""

from __future__ import annotations

from pathlib import Path

ENDINGS = (".bin", ".txt")
# In our workspaces, in the folders of COLMAP's own programs, and as the folder itself.
UNDISTORTED = ("dense/sparse", "dense/0/sparse")
MODELS = (*UNDISTORTED, "refined", "sparse/0", "sparse", "0", "colmap/sparse/0", "")


def has_model(folder: Path) -> bool:
    """Whether the folder holds a COLMAP model, binary or text."""
    return any(
        (folder / f"cameras{end}").is_file() and (folder / f"images{end}").is_file() for end in ENDINGS
    )


def photos_of(model: Path, root: Path) -> Path:
    """The folder of photos that belongs to a model: beside it, a level up, in the chosen folder, or in its own."""
    places = [folder / "images" for folder in (model.parent, model.parent.parent, root, model)]
    return next((place for place in places if place.is_dir()), places[0])
