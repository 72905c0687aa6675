"""Download and disk size of the engine's setup, for every system and build of torch, from the package index.

    .venv/bin/python -m benchmarks.measure.engine_size [--write] [--torch-cpu WHEEL]

uv resolves the pins for each system; sizes come from the index's JSON (PEP 691), unpacked sizes and the longest name
from the wheels' tables of contents, fetched by range requests. --write saves the table for the add-on
(engine_setup/download_sizes.json) and in benchmarks/results/engine_size.md. The sizes of pytorch.org's builds are
estimates (GUESSED), except for --torch-cpu, a file of torch for Linux without CUDA.
"""

from __future__ import annotations

import argparse
import datetime
import io
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.tags import cpython_tags
from packaging.utils import parse_wheel_filename

from benchmarks.common.places import ROOT
from blender_recon3d.engine_setup.requirements import normalized, pinned, pins

TABLE = ROOT / "blender_recon3d" / "engine_setup" / "download_sizes.json"
RESULT = ROOT / "benchmarks" / "results" / "engine_size.md"
INDEX = "https://pypi.org/simple"
PYTHONS = ("3.11", "3.12", "3.13")
MEASURED_PYTHON = "3.13"
# Name, uv's name of the platform, tags of its wheels.
PLATFORMS = {
    "linux-x86_64": ("x86_64-manylinux_2_28", [f"manylinux_2_{n}_x86_64" for n in range(28, 4, -1)]
        + ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]),
    "darwin-arm64": ("aarch64-apple-darwin",
        [f"macosx_{n}_0_{kind}" for n in range(14, 10, -1) for kind in ("arm64", "universal2")]),
    "win32-amd64": ("x86_64-pc-windows-msvc", ["win_amd64"]),
}  # fmt: skip
CUDA_ONLY = ("nvidia-", "cuda-", "triton")
# Bytes (download, installed) of pytorch.org's builds of torch and torchvision: not looked up at pytorch.org, but based
# on the sizes of earlier releases' files.
GUESSED = {
    "linux-x86_64/cpu": {"torch": (192e6, 700e6), "torchvision": (2e6, 6e6)},
    "linux-x86_64/cu126": {"torch": (850e6, 1.7e9), "torchvision": (8e6, 20e6), "nvidia and triton": (2.2e9, 4.2e9)},
    "win32-amd64/cu130": {"torch": (1.9e9, 3.2e9), "torchvision": (8e6, 20e6)},
    "win32-amd64/cu126": {"torch": (2.6e9, 4.4e9), "torchvision": (8e6, 20e6)},
}  # fmt: skip


class RangeFile(io.RawIOBase):
    """A file on a server, of which only what is read is downloaded."""

    def __init__(self, url: str, size: int) -> None:
        self.url, self.size, self.at = url, size, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset + (0, self.at, self.size)[whence]
        return self.at

    def readinto(self, buffer: Any) -> int:
        end = min(self.at + len(buffer), self.size)
        if end <= self.at:
            return 0
        request = urllib.request.Request(self.url, headers={"Range": f"bytes={self.at}-{end - 1}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            data = answer.read()
        buffer[: len(data)] = data
        self.at += len(data)
        return len(data)


def ask(name: str) -> list[dict[str, Any]]:
    """The index's files for a package."""
    headers = {"Accept": "application/vnd.pypi.simple.v1+json"}
    request = urllib.request.Request(f"{INDEX}/{normalized(name)}/", headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        files: list[dict[str, Any]] = json.load(answer)["files"]
    return files


def best_wheel(name: str, version: str, python: str, tags: list[str]) -> dict[str, Any] | None:
    """The index's entry of the wheel that pip and uv would choose; None if there is none."""
    numbers = tuple(int(part) for part in python.split("."))
    supported = list(cpython_tags(numbers, platforms=tags))
    supported += [type(supported[0])(f"py{numbers[0]}", "none", platform) for platform in (*tags, "any")]
    rank = {tag: number for number, tag in enumerate(supported)}
    best, found = len(rank), None
    for entry in ask(name):
        if not entry["filename"].endswith(".whl"):
            continue
        _, wheel_version, _, wheel_tags = parse_wheel_filename(entry["filename"])
        if str(wheel_version) != version:
            continue
        own = min((rank[tag] for tag in wheel_tags if tag in rank), default=best)
        if own < best:
            best, found = own, entry
    return found


def resolve(uv: str, platform: str) -> dict[str, str]:
    """{name: version} of everything the pins need on a platform, from PyPI alone."""
    command = [
        uv,
        "pip",
        "compile",
        "-",
        "--no-config",
        "--default-index",
        INDEX,
        "--no-header",
        "--no-annotate",
    ]
    command += [
        "--only-binary",
        ":all:",
        "--python-version",
        MEASURED_PYTHON,
        "--python-platform",
        platform,
        "-q",
    ]
    environ = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"}  # the oldest version that torch is built for
    pinned_text = "\n".join(pins())
    said = subprocess.run(
        command, input=pinned_text, env=environ, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return {name: version for name, _, version in (line.partition("==") for line in said.split())}


def contents(archive: zipfile.ZipFile) -> tuple[int, int]:
    """(bytes unpacked and compiled, letters of the longest name)."""
    files = archive.infolist()
    # pip compiles Python files when installing, Python itself when running them, to about their size again.
    compiled = sum(info.file_size for info in files if info.filename.endswith(".py"))
    return sum(info.file_size for info in files) + compiled, max(map(len, archive.namelist()))


def measure(name: str, version: str, tags: list[str]) -> tuple[dict[str, Any], int]:
    """The table's row of a package, and the longest name in it."""
    entry = best_wheel(name, version, MEASURED_PYTHON, tags)
    if entry is None:
        raise SystemExit(f"{name}=={version} has no wheel for {tags[0]}")
    file = io.BufferedReader(RangeFile(entry["url"], entry["size"]), 2**20)
    with zipfile.ZipFile(file) as archive:
        installed, longest = contents(archive)
    return {"version": version, "download": entry["size"], "installed": installed}, longest


def builds(uv: str, torch_cpu: Path | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and entry of every build in the table."""
    for platform, (uv_name, tags) in PLATFORMS.items():
        packages, longest = {}, 0
        for name, version in {**resolve(uv, uv_name), **dict([pinned("uv").split("==")])}.items():
            packages[name], length = measure(name, version, tags)
            longest = max(longest, length)
            sys.stderr.write(f"{platform} {name} {packages[name]}\n")
        # Everything in an environment is below lib/python3.13/site-packages or Lib/site-packages.
        longest += len("lib/python3.13/site-packages/")
        yield f"{platform}/pypi", {"packages": packages, "guessed": [], "longest": longest}
        for build, guesses in GUESSED.items():
            if build.startswith(platform):
                yield build, guess(packages, guesses, longest, torch_cpu if build.endswith("/cpu") else None)


def guess(
    packages: dict[str, Any], guesses: dict[str, Any], longest: int, torch: Path | None
) -> dict[str, Any]:
    """The entry of a build at pytorch.org: PyPI's packages, with others in place of torch and CUDA's packages."""
    rows = {name: row for name, row in packages.items() if not name.startswith(CUDA_ONLY)}
    for name, (download, installed) in guesses.items():
        version = packages.get(name, {}).get("version", "")
        rows[name] = {"version": version, "download": round(download), "installed": round(installed)}
    guessed = list(guesses)
    if torch:
        with zipfile.ZipFile(torch) as archive:
            rows["torch"] |= {"download": torch.stat().st_size, "installed": contents(archive)[0]}
        guessed.remove("torch")
    return {"packages": rows, "guessed": guessed, "longest": longest}


def pythons() -> dict[str, list[str]]:
    """The Pythons for which every pin has a wheel, by platform."""
    found = {}
    for platform, (_, tags) in PLATFORMS.items():
        split = [pin.split("==") for pin in pins()]
        found[platform] = [
            python
            for python in PYTHONS
            if all(best_wheel(name, version, python, tags) for name, version in split)
        ]
    return found


def markdown(table: dict[str, Any]) -> str:
    """The table for people."""
    lines = [
        "# What setting the engine up downloads", "",
        f"`benchmarks.measure.engine_size`, {table['measured']}, Python {MEASURED_PYTHON}; MB of 10^6 bytes, "
        "uv among the packages. PyPI's builds are measured; what pytorch.org has is estimated where it says so.", "",
        "| system/build of torch | packages | download MB | installed MB | largest downloads (MB) | estimated |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, build in table["builds"].items():
        rows = build["packages"]
        total = [round(sum(row[key] for row in rows.values()) / 1e6) for key in ("download", "installed")]
        largest = sorted(rows, key=lambda package: -rows[package]["download"])[:3]
        text = ", ".join(f"{package} {rows[package]['download'] / 1e6:.0f}" for package in largest)
        estimated = ", ".join(build["guessed"]) or "-"
        lines.append(f"| {name} | {len(rows)} | {total[0]:,} | {total[1]:,} | {text} | {estimated} |")
    lines += ["", "Pythons for which every pin has a wheel:", ""]
    lines += [f"- {platform}: {', '.join(found)}" for platform, found in table["pythons"].items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--write", action="store_true", help="put the table into the add-on and benchmarks/results"
    )
    parser.add_argument(
        "--torch-cpu", type=Path, metavar="WHEEL", help="torch for Linux from pytorch.org/whl/cpu"
    )
    options = parser.parse_args()
    uv = shutil.which("uv")
    if uv is None:
        raise SystemExit(f"uv is not on the path: pip install {pinned('uv')}")
    table = {
        "requirements": list(pins()),
        "measured": datetime.date.today().isoformat(),
        "pythons": pythons(),
        "builds": dict(builds(uv, options.torch_cpu)),
    }
    sys.stdout.write(markdown(table))
    if options.write:
        TABLE.write_text(json.dumps(table, indent=1) + "\n", "utf-8")
        RESULT.write_text(markdown(table), "utf-8")


if __name__ == "__main__":
    main()
