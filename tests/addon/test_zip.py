"""The add-on's zip: everything it needs, nothing else, and the same bytes every time."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def archive(tmp_path):
    sys.path.insert(0, str(ROOT))
    import build_addon

    with zipfile.ZipFile(build_addon.build(tmp_path)) as opened:
        yield opened


def test_it_holds_the_add_on_and_the_engine(archive):
    names = set(archive.namelist())
    assert {
        "__init__.py",
        "blender_manifest.toml",
        "LICENSE",
        "pipeline/__main__.py",
        "scene/importing/import_workspace.py",
    } <= names
    weights = [path.name for path in (ROOT / "vendor" / "weights").glob("[!.]*") if path.is_file()]
    assert len(weights) > 4 and {f"weights/{name}" for name in weights} <= names


def test_it_holds_nothing_else(archive):
    """Only files tracked by git, the user documents, and the lists of packages."""
    import build_addon

    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this copy is not a checkout, so nothing says which files belong to it")
    tracked = set(listed.stdout.splitlines())
    homes = {"weights/": "vendor/weights/", "licenses/": "vendor/licenses/"}
    for name in archive.namelist():
        if name in build_addon.LISTS.values():
            continue
        if name.startswith("manual/"):
            assert name.endswith((".html", ".css", ".jpg", ".png")), name
            continue
        home = next((home for start, home in homes.items() if name.startswith(start)), "blender_recon3d/")
        path = name if name == "LICENSE" else home + name.removeprefix(f"{home.split('/')[-2]}/")
        assert path in tracked, f"{name} is in the zip, but git does not have {path}"


def test_two_builds_are_equal(tmp_path):
    import build_addon

    first, second = build_addon.build(tmp_path / "a"), build_addon.build(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()


def test_the_manifest_keeps_blenders_rules(archive):
    manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert manifest["id"] == "recon3d" and "blender" not in manifest["name"].lower()
    assert manifest["blender_version_min"] == "4.2.0"
    assert manifest["license"] == [f"SPDX:{project['license']}"]
    assert manifest["version"] == project["version"]
    for reason in manifest["permissions"].values():
        assert len(reason) <= 64 and not reason.endswith(".")
