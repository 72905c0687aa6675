"""recon3d doctor and recon3d weights: their output here, and without any package installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from blender_recon3d.pipeline.cli import doctor
from blender_recon3d.pipeline.cli.doctor import Finding, can_run, examine
from blender_recon3d.pipeline.cli.recon3d import main
from blender_recon3d.pipeline.models.registry import CACHE_VARIABLE
from blender_recon3d.pipeline.system.memory import memory_gb

ROOT = Path(__file__).parents[3]


def test_here_a_reconstruction_can_run(capsys):
    assert main(["doctor"]) == 0
    text = " ".join(capsys.readouterr().out.split())  # however wide the terminal is
    assert "Reconstruction works on this machine." in text
    assert "pycolmap" in text and "torch" in text
    assert re.search(r"ours on cpu: 30 photos in about .+ at preview, .+ at medium, .+ at high", text)
    assert re.search(r"arithmetic +(fp32|bf16) for the networks: .+", text)


def test_json_says_the_same(capsys):
    assert main(["doctor", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["able"] is True
    states = {finding["name"]: finding["state"] for finding in answer["findings"]}
    assert states["pycolmap"] == states["torch"] == states["torchvision"] == "ok"


def test_every_problem_comes_with_advice(monkeypatch):
    monkeypatch.setattr(doctor, "MIN_MEMORY_GB", 1e9)
    monkeypatch.setattr(doctor, "MIN_DISK_GB", 1e9)
    monkeypatch.setitem(sys.modules, "xatlas", None)  # importing it raises ImportError
    faults = [finding for finding in examine() if finding.state != doctor.OK]
    assert {"memory", "disk, current", "disk, temporary", "UVs"} <= {finding.name for finding in faults}
    assert all(finding.advice for finding in faults)


def test_only_required_packages_prevent_a_run():
    assert can_run([Finding("a", "missing", ""), Finding("b", "ok", "", needed=True)])
    assert not can_run([Finding("a", "missing", "", needed=True)])


def test_memory_is_in_gb():
    total, free = memory_gb()
    assert 0.2 < total < 20_000 and 0 < free <= total


def test_a_broken_package_is_named_and_not_fatal(tmp_path, monkeypatch):
    (tmp_path / "half_built.py").write_text("raise OSError('libX.so: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    found = doctor._import("half", "half_built", "half-built")[0]
    assert found.state == "missing" and "libX.so" in found.found
    assert "--force-reinstall half-built" in found.advice


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory) -> Path:
    """The interpreter of an environment without a single package."""
    folder = tmp_path_factory.mktemp("bare") / "env"
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run_bare(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [python, "-m", "blender_recon3d.pipeline", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_without_any_package_the_doctor_says_what_is_missing(bare_python):
    answer = run_bare(bare_python, "doctor", "--json")
    assert answer.returncode == 1, answer.stderr
    states = {finding["name"]: finding["state"] for finding in json.loads(answer.stdout)["findings"]}
    for name in ("numpy", "opencv", "pillow", "pycolmap", "torch"):
        assert states[name] == "missing"
    text = run_bare(bare_python, "doctor").stdout
    assert "Reconstruction does not work on this machine yet" in text and "-m pip install pycolmap" in text


def test_without_any_package_the_weights_are_listed(bare_python):
    answer = run_bare(bare_python, "weights", "list")
    assert answer.returncode == 0, answer.stderr
    assert "superglue" in answer.stdout


def test_the_list_of_weights_names_license_and_use(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)  # of the terminal that the tests run in; a pipe has none
    assert main(["weights", "list"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "superglue-indoor" in line)
    assert "NO" in line and "Magic Leap" in line
    assert main(["weights", "list", "--json"]) == 0
    assert {row["network"] for row in json.loads(capsys.readouterr().out)["weights"]} == {
        "superpoint", "superglue", "efficientnet_b0", "aliked_descriptors", "lightglue",
    }  # fmt: skip


def test_fetching_shows_the_license_and_requires_accepting_it(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    assert main(["weights", "fetch", "superpoint"]) == 2
    said = capsys.readouterr().err
    assert "non-commercial" in said and "--accept-license" in said
    assert not list(tmp_path.rglob("*.pth"))
    assert main(["weights", "fetch"]) == 2
    assert main(["weights", "fetch", "nothing-of-that-name"]) == 2
    assert main(["weights", "list", "superpoint"]) == 2


def test_the_commands_need_no_heavy_import():
    """Everything that the command line imports before it has read its arguments is standard library."""
    code = "import sys, blender_recon3d.pipeline.cli.recon3d, blender_recon3d.pipeline.cli.doctor; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in answer.stdout.split()}
    assert not loaded & {"torch", "pycolmap", "cv2", "numpy", "PIL", "scipy", "bpy"}
