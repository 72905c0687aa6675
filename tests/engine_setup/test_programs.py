"""Nothing in the current folder is used: no program, no module, and no settings of uv."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from blender_recon3d.engine_setup import package_sources as places
from blender_recon3d.engine_setup import pythons, tools, variants
from blender_recon3d.engine_setup.package_sources import Sources
from blender_recon3d.pipeline.system import programs
from tests.support.packages import path_with, run

PROGRAMS = ("uv", "python3.11", "python3.12", "python3.13", "python3", "python", "nvidia-smi")


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A current folder with a program of each name, for Linux and for Windows; each records when it runs."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in PROGRAMS:
        for ending in ("", ".EXE", ".exe", ".bat"):
            program = folder / f"{name}{ending}"
            program.write_text(f"#!/bin/sh\necho > '{folder}/run'\necho uv 99.0.0\n")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("path", ["", ".", os.pathsep, f"{os.pathsep}/nowhere", "sub/.."])
@pytest.mark.parametrize("windows", [False, True])
def test_no_program_of_the_current_folder_is_taken(planted, monkeypatch, path, windows):
    """With PATH as Windows reads it: the current folder comes first regardless of PATH."""
    if windows:
        real = programs.find_program
        for module in (tools, pythons, variants):
            monkeypatch.setattr(
                module, "find_program", lambda name, environ=os.environ: real(name, environ, True)
            )
    monkeypatch.setenv("PATH", path)
    environ = {"PATH": path}
    assert tools.find_uv(planted / "target", environ) is None
    assert {found.path for found in pythons.usable(environ)} <= {sys.executable}
    assert variants._capabilities() == []
    assert not (planted / "run").exists()


def test_what_is_on_the_path_is_found(planted):
    """The same files in a folder on PATH."""
    found = tools.find_uv(Path("/nowhere"), {"PATH": str(planted)})
    assert found and found.command == (str(planted / "uv"),) and (planted / "run").exists()


def test_modules_of_the_current_folder_are_not_imported(planted):
    (planted / "ensurepip.py").write_text("raise SystemExit('the wrong one')")
    environ = places.environment(Sources(), os.environ, planted / "cache")
    result = subprocess.run(
        [sys.executable, "-m", "ensurepip", "--version"], env=environ, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr


def test_uvs_settings_in_the_current_folder_are_not_read(planted, tmp_path, index, target):
    """Neither wrong sources nor settings that stop uv altogether."""
    (planted / "uv.toml").write_text('index-url = "http://127.0.0.1:1/simple"\nno-index = "broken"\n')
    extra = {"UV_DEFAULT_INDEX": index.as_uri()}
    code, said = run(
        "install", "--target", target, "--lock", index / "lock.txt", PATH=path_with("uv"), **extra
    )
    assert (code, said) == (0, "")
