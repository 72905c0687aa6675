"""Download size and disk use of the engine, known before downloading.

From a table that benchmarks/measure/engine_size.py creates by querying the index; nothing is queried here.
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
    """Bytes. download: if nothing is installed yet. installed: size of the environment. peak: maximum disk use during
    setup. guessed: packages whose sizes are estimates. longest: characters of the longest path inside it."""

    download: int
    installed: int
    guessed: tuple[str, ...]
    longest: int

    @property
    def peak(self) -> int:
        return self.download + self.installed


def forecast(variant: Variant, platform: str = "") -> Forecast | None:
    """The sizes for a torch build on a platform (default: this one); None if there are no packages for it."""
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
    """Free bytes at a folder, existing or not; None if the system does not report it."""
    for there in (folder, *folder.parents):
        try:
            return shutil.disk_usage(there).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None


def size_text(count: float) -> str:
    """A size for display: 640 MB, 2.7 GB (decimal, as in file managers and download pages)."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
