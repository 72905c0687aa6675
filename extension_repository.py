"""A static repository of extensions: a folder for any web server, from which Blender installs and updates the add-on.

Blender reads `index.json`, people read `index.html`; both are made from the zips in the folder, as
`blender --command extension server-generate --html` makes them. The newest version is offered. To take a version back,
delete its zip and make the index again: Blender then offers the one before.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import tomllib
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

_COPIED = (
    "schema_version", "id", "name", "tagline", "version", "type", "maintainer", "license", "blender_version_min",
    "blender_version_max", "website", "permissions", "tags", "platforms",
)  # fmt: skip


def write_repository(folder: Path) -> list[str]:
    """Write index.json and index.html for the zips in a folder; the versions that are there, the newest first."""
    packages = sorted((package(path) for path in folder.glob("*.zip")), key=_age, reverse=True)
    if not packages:
        raise FileNotFoundError(
            f"{folder} holds no zip of an extension: run build_addon.py with --repository."
        )
    offered: dict[str, dict[str, Any]] = {}
    for entry in packages:
        offered.setdefault(entry["id"], entry)
    index = {"version": "v1", "blocklist": [], "data": list(offered.values())}
    (folder / "index.json").write_text(json.dumps(index, indent=2), "utf-8")
    (folder / "index.html").write_text(page(packages), "utf-8")
    return [entry["version"] for entry in packages]


def package(path: Path) -> dict[str, Any]:
    """What index.json says of a zip: from its manifest, and how large it is and its sum."""
    with zipfile.ZipFile(path) as archive:
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    entry = {key: manifest[key] for key in _COPIED if key in manifest}
    content = path.read_bytes()
    entry["archive_url"] = f"./{quote(path.name)}"
    entry["archive_size"] = len(content)
    entry["archive_hash"] = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return entry


def page(packages: list[dict[str, Any]]) -> str:
    """For people: every version with a link that can be dragged into Blender, or downloaded."""
    rows = "".join(_row({key: html.escape(str(value)) for key, value in entry.items()}) for entry in packages)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Blender extensions</title></head>\n'
        "<body>\n<p>Drag a link into Blender to install it. To get updates, add the address of this page with "
        "<code>index.json</code> at its end in Blender under Preferences &gt; Get Extensions &gt; Repositories.</p>\n"
        f"<table>\n<tr><th>Extension</th><th>Description</th><th>Blender</th><th>Size</th></tr>\n{rows}</table>\n"
        "</body>\n</html>\n"
    )


def _row(entry: dict[str, str]) -> str:
    """With what Blender wants to know of a link that is dragged into it. entry: escaped."""
    asks = urlencode({"repository": "./index.json", "blender_version_min": entry["blender_version_min"]})
    link = f"{entry['archive_url']}?{html.escape(asks)}"
    return (
        f'<tr><td><a href="{link}">{entry["name"]} {entry["version"]}</a></td><td>{entry["tagline"]}</td>'
        f"<td>{entry['blender_version_min']} or later</td><td>{int(entry['archive_size']) / 1e6:.1f} MB</td></tr>\n"
    )


def _age(entry: dict[str, Any]) -> tuple[str, list[int], bool]:
    """Newer versions are greater; 1.0.0 is newer than 1.0.0-beta."""
    numbers = [int(part) for part in re.findall(r"\d+", entry["version"].partition("-")[0])]
    return entry["id"], numbers, "-" not in entry["version"]
