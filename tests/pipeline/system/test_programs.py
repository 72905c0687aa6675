"""Programs are found in PATH's folders, never in the current one."""

import os
import shutil
import stat

import pytest

from blender_recon3d.pipeline.system.programs import absolute_path_list, find_program


def program(folder, name):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """The current folder, with a program that must not run."""
    folder = tmp_path / "hostile"
    program(folder, "uv.EXE")
    program(folder, "uv")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("path", ["", ".", os.pathsep, f".{os.pathsep}", "hostile/.."])
def test_the_current_folder_is_skipped(hostile, windows, path):
    assert find_program("uv", {"PATH": path, "PATHEXT": ".EXE"}, windows) is None
    assert find_program("uv", {}, windows) is None


def test_the_current_folder_does_not_hide_the_one_in_path(hostile, tmp_path):
    good = program(tmp_path / "good", "uv.EXE")
    environ = {"PATH": os.pathsep.join(["", ".", str(tmp_path / "good")]), "PATHEXT": ".COM;.EXE"}
    assert find_program("uv", environ, windows=True) == good
    assert find_program("uv.EXE", environ, windows=True) == good


def test_it_finds_what_the_system_finds():
    assert find_program("sh") == shutil.which("sh")
    assert find_program("no such program") is None


def test_path_lists_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    value = os.pathsep.join(["", "src", str(tmp_path / "other")])
    assert absolute_path_list(value) == [str(tmp_path / "src"), str(tmp_path / "other")]
