"""Writes the locks: every package that is installed, and what it needs, with exact version and sha256.

    .venv/bin/python tools/lock_packages.py [--pytorch]

pyproject.toml is the one place of versions; uv resolves it for all supported systems and Pythons at once. The add-on
carries these locks (blender_recon3d/engine_setup/locks): `engine.txt`; `setup.txt`, uv and pip, which install it; and
`photos.txt`, `farm.txt` and `masks.txt`, what can be added to an engine. `tools/locks` has those of a checkout.
--pytorch asks pytorch.org for the sums of its own builds of torch first and keeps them in pytorch_sums.txt; without it,
those that are there are used. A build that has libraries of its own (CUDA 12.6 on Linux) is not locked: what is checked
then is in docs/user/engine.md.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).resolve().parents[1]
SUMS = ROOT / "tools" / "pytorch_sums.txt"
PYTORCH = "https://download.pytorch.org/whl"
ADDON, CHECKOUT = ROOT / "blender_recon3d" / "engine_setup" / "locks", ROOT / "tools" / "locks"
# Lock and the extras of pyproject.toml in it.
LOCKS = {
    ADDON / "engine.txt": ("engine",),
    ADDON / "setup.txt": ("setup",),
    ADDON / "photos.txt": ("engine", "photos"),
    ADDON / "farm.txt": ("engine", "farm"),
    ADDON / "masks.txt": ("masks",),
    CHECKOUT / "engine.txt": (
        "engine",
        "photos",
        "farm",
        "setup",
        "test",
        "coverage",
        "reference",
        "lint",
        "build",
    ),
    CHECKOUT / "blender.txt": ("bpy", "test", "build"),
    CHECKOUT / "lint.txt": ("lint", "types", "build"),
}
PYTHONS = ("cp311", "cp312", "cp313")
PLATFORMS = re.compile(r"any|manylinux\w*_x86_64|macosx_\w*_(arm64|universal2)|win_amd64")
# pytorch.org's builds that need nothing but what is in the lock: name, system, its wheels' platform.
BUILDS = (("cpu", "linux", "x86_64"), ("cu130", "win32", "win_amd64"), ("cu126", "win32", "win_amd64"))
NAMES = ("torch", "torchvision")
# Locks of what is added to an engine, without what it has.
ADDED = (ADDON / "photos.txt", ADDON / "farm.txt", ADDON / "masks.txt")
ALONE = (ADDON / "masks.txt",)  # without what the package needs: only a file of it is read
# In uv's markers, and true wherever the locks are used.
EVERYWHERE = (
    "((platform_machine == 'arm64' and sys_platform == 'darwin') or (platform_machine == 'x86_64' and "
    "sys_platform == 'linux') or (platform_machine == 'AMD64' and sys_platform == 'win32'))",
    "python_full_version >= '3.11' and python_full_version < '3.14' and ",
    " and python_full_version < '3.14'",
    "platform_machine == 'x86_64' and ",
    "platform_machine == 'AMD64' and ",
    "platform_machine == 'arm64' and ",
)


def resolve(extras: tuple[str, ...], folder: Path, alone: bool = False) -> list[dict]:
    """The packages of a lock, from PyPI alone, as PEP 751 has them. alone: without what they need."""
    uv = Path(sys.executable).with_name("uv")
    command = [
        str(uv) if uv.is_file() else shutil.which("uv") or "uv",
        "pip",
        "compile",
        "pyproject.toml",
        "--quiet",
    ]
    command += [word for extra in extras for word in ("--extra", extra)]
    command += ["--universal", "--python-version", "3.11", "--only-binary", ":all:", "--generate-hashes"]
    command += ["--format", "pylock.toml", "--default-index", "https://pypi.org/simple"]
    command += ["--no-deps"] if alone else []
    output = folder / "pylock.toml"
    output.unlink(missing_ok=True)
    subprocess.run([*command, "--output-file", str(output)], cwd=ROOT, check=True)
    return tomllib.loads(output.read_text("utf-8"))["packages"]


def is_supported(filename: str) -> bool:
    """Whether a wheel fits a supported system and Python."""
    for tag in parse_wheel_filename(filename)[3]:
        old_enough = re.fullmatch(r"cp3(\d+)", tag.interpreter)
        stable = tag.abi == "abi3" and old_enough and int(old_enough[1]) <= 13
        pure = tag.interpreter in ("py3", "py2") and tag.abi == "none"
        own = tag.interpreter in PYTHONS and tag.abi in (tag.interpreter, "none")
        if (stable or pure or own) and PLATFORMS.fullmatch(tag.platform):
            return True
    return False


def short(marker: str) -> str:
    """A marker without what is so on every supported system."""
    for everywhere in EVERYWHERE:
        marker = marker.replace(everywhere, "")
    return marker.removesuffix(" and ").removesuffix(" and")


def entry(name: str, version: str, marker: str, sums: list[str]) -> str:
    lines = [f"{name}=={version}" + (f" ; {marker}" if marker else "")]
    return " \\\n".join([*lines, *(f"    --hash=sha256:{digest}" for digest in sorted(sums))]) + "\n"


def entries(packages: list[dict]) -> Iterator[str]:
    """pip's lines of the packages that a supported system has."""
    for package in packages:
        wheels = package.get("wheels", [])
        sums = [
            wheel["hashes"]["sha256"]
            for wheel in wheels
            if is_supported(unquote(wheel["url"].rsplit("/", 1)[1]))
        ]
        if not sums:
            raise SystemExit(f"{package['name']}=={package['version']} has no wheel for any supported system")
        yield entry(package["name"], package["version"], short(package.get("marker", "")), sums)


def pytorch_sums() -> dict[str, str]:
    """{wheel: sha256} of pytorch.org's, as kept."""
    lines = [
        line.split() for line in SUMS.read_text("utf-8").splitlines() if line and not line.startswith("#")
    ]
    return {name: digest for digest, name in lines}


def pytorch_entries(versions: dict[str, str]) -> Iterator[str]:
    """pip's lines of pytorch.org's builds whose sums are all known; they differ from PyPI's by the version's label."""
    known = pytorch_sums()
    for build, system, platform in BUILDS:
        found = {}
        for name in NAMES:
            stem = f"{name}-{versions[name]}+{build}-"
            wheels = [
                wheel for wheel in known if wheel.startswith(stem) and wheel.endswith(f"{platform}.whl")
            ]
            if all(any(f"-{python}-{python}-" in wheel for wheel in wheels) for python in PYTHONS):
                found[name] = [known[wheel] for wheel in wheels]
        if len(found) == len(NAMES):
            for name in NAMES:
                yield entry(name, f"{versions[name]}+{build}", f"sys_platform == '{system}'", found[name])
        else:
            sys.stderr.write(
                f"{build} on {system} is not locked: {SUMS.name} does not have all of its wheels\n"
            )


def ask_pytorch(versions: dict[str, str]) -> None:
    """Keep the sums that pytorch.org's index gives for its builds of these versions. Some wheels have none there."""
    known = {}
    for build, _, platform in BUILDS:
        for name in NAMES:
            with urllib.request.urlopen(f"{PYTORCH}/{build}/{name}/", timeout=60) as answer:
                page = answer.read().decode("utf-8")
            for path, digest in re.findall(r'href="([^"#]+\.whl)#sha256=([0-9a-f]{64})"', page):
                wheel = unquote(path.rsplit("/", 1)[1])
                wanted = wheel.startswith(f"{name}-{versions[name]}+{build}-") and wheel.endswith(
                    f"{platform}.whl"
                )
                if wanted and is_supported(wheel):
                    known[wheel] = digest
    head = [line for line in SUMS.read_text("utf-8").splitlines() if line.startswith("#")]
    SUMS.write_text(
        "\n".join([*head, *(f"{known[wheel]}  {wheel}" for wheel in sorted(known))]) + "\n", "utf-8"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--pytorch", action="store_true", help="ask pytorch.org for the sums of its builds first"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = {package["name"] for package in resolve(("engine",), Path(folder))}
        for path, extras in LOCKS.items():
            packages = resolve(extras, Path(folder), path in ALONE)
            if path in ADDED:
                packages = [package for package in packages if package["name"] not in engine]
            versions = {package["name"]: package["version"] for package in packages}
            lines = list(entries(packages))
            if "torch" in versions:
                if options.pytorch:
                    ask_pytorch(versions)
                lines += pytorch_entries(versions)
            head = f"# Written by tools/lock_packages.py from pyproject.toml ({', '.join(extras)}).\n"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(head + "".join(sorted(lines)), "utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}: {len(lines)} packages\n")


if __name__ == "__main__":
    main()
