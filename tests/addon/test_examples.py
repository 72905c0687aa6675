"""The recipes of the manual, run as a user runs them: python examples/X.py -- ... with bpy from PyPI."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from tests.support.made_workspaces import png, ring, write_binary, write_workspace

ROOT = Path(__file__).resolve().parents[2]


def run(name: str, *words: object) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "examples" / name), "--", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=dict(os.environ))


def test_a_turntable_goes_around_any_colmap_model(tmp_path):
    write_binary(tmp_path / "m" / "sparse" / "0", ring())
    result = run("turntable.py", tmp_path / "m", tmp_path / "out", "--frames", 2, "--size", 64)
    assert result.returncode == 0, result.stderr
    first, second = (tmp_path / "out" / f"000{i}.png" for i in (1, 2))
    assert first.read_bytes() != second.read_bytes()  # another side of the model


def test_a_folder_is_imported_with_a_picture(tmp_path):
    root = write_workspace(tmp_path / "w", ring())
    words = (root, tmp_path / "a.blend", "--preview", tmp_path / "a.png", "--size", 96, 64)
    result = run("import_workspace.py", *words)
    assert result.returncode == 0, result.stderr
    assert "Imported 5 cameras" in result.stdout
    assert (tmp_path / "a.blend").exists() and (tmp_path / "a.png").exists()


def test_a_batch_continues_after_a_failure(engine_python, tmp_path, monkeypatch):
    """None of these can be reconstructed: each says so, and the exit code is not 0."""
    monkeypatch.setenv("RECON3D_PYTHON", str(engine_python))
    for name in ("first", "second"):
        (tmp_path / "in" / name).mkdir(parents=True)
    (tmp_path / "in" / "second" / "a.png").write_bytes(png(np.zeros((300, 300, 3), np.uint8)))
    result = run("batch.py", tmp_path / "in", tmp_path / "out", "--quality", "preview")
    assert result.returncode == 1, result.stderr
    assert "first: No photos were found" in result.stderr and "second: 1 of 1 photos" in result.stderr
