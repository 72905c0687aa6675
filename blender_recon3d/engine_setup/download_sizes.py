"""How much setting the engine up downloads and takes on the disk, before anything is downloaded.

From a table that benchmarks/measure/engine_size.py makes by asking the index; nothing is asked here.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .variants import Variant, platform_key

_TABLE = Path(__file__).with_name("download_sizes.json")


@dataclass(frozen=True)
class Forecast:
    """Bytes. download: fetched when nothing is there; installed: of the environment; peak: maximum disk use while
    it is made. guessed: packages whose sizes are estimates. longest: letters of the longest name inside of it."""

    download: int
    installed: int
    guessed: tuple[str, ...]
    longest: int

    @property
    def peak(self) -> int:
        return self.download + self.installed


def forecast(variant: Variant, platform: str = "") -> Forecast | None:
    """For a build of torch on a platform (this one); None where the packages cannot be had."""
    build = table()["builds"].get(f"{platform or platform_key()}/{variant.backend or 'pypi'}")
    if build is None:
        return None
    rows = build["packages"].values()
    return Forecast(
        download=sum(row["download"] for row in rows),
        installed=sum(row["installed"] for row in rows),
        guessed=tuple(build["guessed"]),
        longest=build["longest"],
    )


@cache
def table() -> dict[str, Any]:
    """download_sizes.json: {"requirements", "measured", "pythons", "builds": {"PLATFORM/BACKEND": ...}}."""
    loaded: dict[str, Any] = json.loads(_TABLE.read_text("utf-8"))
    return loaded


def free_space(folder: Path) -> int | None:
    """Bytes free where a folder is or will be; None when the system does not say."""
    for there in (folder, *folder.parents):
        try:
            return shutil.disk_usage(there).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None


def size_text(count: float) -> str:
    """A size for people: 640 MB, 2.7 GB (decimal, as file managers and download pages have it)."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
