"""Paths from users always become paths."""

from pathlib import Path

from blender_recon3d.pipeline.files.user_path import user_path


def test_home_folders_are_found():
    assert user_path("~/photos") == Path.home() / "photos"


def test_other_tildes_stay_unchanged():
    """Path.expanduser raises RuntimeError for the first and ValueError for the second."""
    assert user_path("~nobody-of-that-name/photos") == Path("~nobody-of-that-name/photos")
    assert user_path("~\0/photos") == Path("~\0/photos")
