"""Versions of the engine and its packages. Standard library only: nothing heavy is imported for them."""

from __future__ import annotations

import platform
import re
from importlib import metadata

from ..paths import MANIFEST

DISTRIBUTION = "blender-recon3d"
# Distributions by common name; the first installed one counts.
PACKAGES = {
    "torch": ("torch",),
    "torchvision": ("torchvision",),
    "pycolmap": ("pycolmap", "pycolmap-cuda12", "pycolmap-cuda13"),
    "opencv": (
        "opencv-python-headless",
        "opencv-python",
        "opencv-contrib-python-headless",
        "opencv-contrib-python",
    ),
    "numpy": ("numpy",),
    "scipy": ("scipy",),
    "xatlas": ("xatlas",),
    "pillow": ("pillow",),
    "pillow-heif": ("pillow-heif",),
    "safetensors": ("safetensors",),
    "psutil": ("psutil",),
    "jinja2": ("jinja2",),
}


def engine_version() -> str:
    """The engine's own version: of the package, or of the extension that contains it."""
    try:
        match = re.search(r'^version\s*=\s*"([^"]+)"', MANIFEST.read_text("utf-8"), re.MULTILINE)
    except (OSError, UnicodeDecodeError):
        match = None
    return match.group(1) if match else package_version((DISTRIBUTION,)) or "unknown"


def package_version(names: tuple[str, ...]) -> str | None:
    """The version of the first of these distributions that is installed."""
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def versions() -> dict[str, str | None]:
    """By name: recon3d, python, platform and the packages; None if not installed."""
    return {
        "recon3d": engine_version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: package_version(names) for name, names in PACKAGES.items()},
    }
