"""Photos that come into the chosen folders or go are noticed once copying has ended, without waiting for the disk."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from blender_recon3d.jobs import folder_changes
from blender_recon3d.jobs.folder_changes import FolderChanges, stamp


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(folder_changes, "EVERY", 0.01)
    (tmp_path / "photos" / "day 2" / "evening").mkdir(parents=True)
    (tmp_path / "photos" / "out").mkdir()
    (tmp_path / "photos" / "1.jpg").touch()
    return tmp_path / "photos"


def noticed(changes: FolderChanges, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if changes.poll():
            return True
        time.sleep(0.005)
    return False


@pytest.mark.parametrize("name", ["2.jpg", "day 2/evening/3.jpg"])
def test_a_new_file_and_one_that_goes_are_noticed(folder, name):
    changes = FolderChanges((folder,), folder / "out")
    assert not noticed(changes, 0.2)
    (folder / name).touch()
    assert noticed(changes, 20)
    changes = FolderChanges((folder,), folder / "out")
    assert not noticed(changes, 0.2)
    (folder / name).unlink()
    assert noticed(changes, 20)


def test_results_inside_the_folder_do_not_count(folder):
    before = stamp((folder,), folder / "out")
    (folder / "out" / "state.json").touch()
    assert stamp((folder,), folder / "out") == before
    assert stamp((folder,), folder / "other") != before


def test_while_files_are_still_copied_nothing_is_noticed(folder):
    changes = FolderChanges((folder,), folder / "out")
    assert not noticed(changes, 0.1)
    for second in range(1, 6):
        os.utime(folder, (second, second))  # every look finds another date
        changes._next = 0.0
        while changes._thread is None:
            assert not changes.poll()
        changes._thread.join()
        assert not changes.poll()
    assert noticed(changes, 20)


def test_a_folder_that_goes_is_noticed_too(folder):
    changes = FolderChanges((folder / "day 2", folder / "1.jpg"), folder / "out")
    assert not noticed(changes, 0.1)
    (folder / "1.jpg").unlink()
    assert noticed(changes, 20)
