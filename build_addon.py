"""Makes the add-on's zip: python build_addon.py --output DIR, or in a repository of extensions: --repository DIR

The zip holds what git would ship of `blender_recon3d` at its root, the license, the engine's pinned requirements, the
user's documents as `manual/`, and the bundled weights as `weights/`. Two builds of the same files give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from blender_recon3d.engine_setup.requirements import LISTS, pins
from extension_repository import write_repository
from manual_pages import pages

ROOT = Path(__file__).resolve().parent
PACKAGE = ROOT / "blender_recon3d"
WEIGHTS = ROOT / "vendor" / "weights"
LICENSES = ROOT / "vendor" / "licenses"
SUFFIXES = {".py", ".toml", ".json", ".html", ".css", ".txt", ".md", ".csv"}
TIMESTAMP = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold


def contents() -> Iterator[tuple[str, bytes]]:
    """Name in the zip and bytes of everything that ships."""
    for extra, name in LISTS.items():
        yield name, "".join(f"{pin}\n" for pin in pins(extra)).encode()
    for name, content in pages(ROOT / "docs" / "user"):
        yield f"manual/{name}", content
    for name, path in files():
        yield name, path.read_bytes()


def files() -> Iterator[tuple[str, Path]]:
    """Name in the zip and file of everything that ships as it is."""
    yield "LICENSE", ROOT / "LICENSE"
    for path in PACKAGE.rglob("*"):
        inside = path.relative_to(PACKAGE)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in inside.parts)
        if path.is_file() and path.suffix in SUFFIXES and not hidden:
            yield inside.as_posix(), path
    for folder, name in ((WEIGHTS, "weights"), (LICENSES, "licenses")):
        for path in folder.rglob("*") if folder.is_dir() else ():
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
                yield f"{name}/{path.relative_to(folder).as_posix()}", path


def build(output: Path) -> Path:
    """Write the zip into the folder and return its path."""
    manifest = tomllib.loads((PACKAGE / "blender_manifest.toml").read_text("utf-8"))
    output.mkdir(parents=True, exist_ok=True)
    target = output / f"{manifest['id']}-{manifest['version']}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(contents()):
            entry = zipfile.ZipInfo(name, TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # Unix, whichever system builds it
            archive.writestr(entry, content)
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--output", type=Path, metavar="DIR", help="where the zip is put")
    place.add_argument(
        "--repository",
        type=Path,
        metavar="DIR",
        help="a folder for a web server, from which Blender installs and updates; older zips in it stay",
    )
    chosen = parser.parse_args()
    target = build(chosen.output or chosen.repository)
    sys.stdout.write(f"{target}\n")
    if chosen.repository:
        versions = ", ".join(write_repository(chosen.repository))
        sys.stdout.write(f"{chosen.repository / 'index.json'}: {versions}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
