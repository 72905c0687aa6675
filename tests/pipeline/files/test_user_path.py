"""Paths as people give them never end in anything but a path."""

from pathlib import Path

from blender_recon3d.pipeline.files.user_path import user_path


def test_home_folders_are_found():
    assert user_path("~/photos") == Path.home() / "photos"


def test_what_is_no_home_stays_as_it_is():
    """Path.expanduser raises RuntimeError for the first and ValueError for the second."""
    assert user_path("~nobody-of-that-name/photos") == Path("~nobody-of-that-name/photos")
    assert user_path("~\0/photos") == Path("~\0/photos")
