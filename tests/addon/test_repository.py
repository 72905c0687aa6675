"""The repository of extensions, as a folder for a web server. A real Blender installs from it in tests/gui."""

import hashlib
import json
import zipfile

import pytest

from extension_repository import write_repository

MANIFEST = """schema_version = "1.0.0"
id = "recon3d"
version = "{version}"
name = "Recon3D"
tagline = "Photos in & mesh out"
maintainer = "We"
type = "add-on"
blender_version_min = "4.2.0"
license = ["SPDX:GPL-3.0-or-later"]
"""


def zip_of(folder, version):
    path = folder / f"recon3d-{version}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("blender_manifest.toml", MANIFEST.format(version=version))
    return path


def test_the_newest_version_is_offered_and_all_are_on_the_page(tmp_path):
    for version in ("0.9.0", "0.10.0", "0.10.0-beta"):
        zip_of(tmp_path, version)
    assert write_repository(tmp_path) == ["0.10.0", "0.10.0-beta", "0.9.0"]
    index = json.loads((tmp_path / "index.json").read_text())
    (entry,) = index["data"]
    content = (tmp_path / "recon3d-0.10.0.zip").read_bytes()
    assert index["version"] == "v1" and entry["version"] == "0.10.0"
    assert entry["archive_url"] == "./recon3d-0.10.0.zip" and entry["archive_size"] == len(content)
    assert entry["archive_hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    page = (tmp_path / "index.html").read_text()
    assert page.count("<a href") == 3 and "Photos in &amp; mesh out" in page


def test_a_version_is_withdrawn_by_deleting_its_zip(tmp_path):
    zip_of(tmp_path, "0.9.0")
    newer = zip_of(tmp_path, "1.0.0")
    write_repository(tmp_path)
    newer.unlink()
    write_repository(tmp_path)
    assert json.loads((tmp_path / "index.json").read_text())["data"][0]["version"] == "0.9.0"


def test_an_empty_folder_is_not_a_repository(tmp_path):
    with pytest.raises(FileNotFoundError, match="no zip"):
        write_repository(tmp_path)
