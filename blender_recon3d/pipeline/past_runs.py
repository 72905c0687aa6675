"""How long stages have taken on this machine, against what was forecast: a small file in the user's cache.

A factor is kept for each size of a stage, since starting up is much of a short one's time and nothing of a long one's.
Losing the file loses nothing but the better forecast. Standard library only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from .files import json_values
from .files.atomic_files import write_json
from .files.regular import read_regular

VERSION = 2
NEWEST = 0.3  # weight of the newest run
MAX_FACTOR = 10.0  # a run that is farther off says something about that run, not about the machine
SIZE = 4.0  # times the forecast seconds from one size to the next
MAX_BYTES = 1 << 20

Factors = dict[str, dict[int, float]]  # real seconds over forecast seconds: by stage, by size


def corrected(path: Path, forecast: Mapping[str, float]) -> dict[str, float]:
    """The forecast seconds of stages, each times what stages of the nearest size have taken against theirs."""
    known = _read(path)
    found = dict(forecast)
    for name, said in forecast.items():
        sizes = known.get(name)
        if sizes and said > 0:
            found[name] = said * sizes[min(sizes, key=lambda size: abs(size - _size(said)))]
    return found


def learn(path: Path, seconds: Mapping[str, float], forecast: Mapping[str, float]) -> None:
    """Note what stages took that ran from beginning to end. What cannot be written is not noted."""
    known = _read(path)
    for name, real in seconds.items():
        said = forecast.get(name, 0.0)
        if said < 1.0 or real <= 0:  # too short to say anything
            continue
        new = min(MAX_FACTOR, max(1 / MAX_FACTOR, real / said))
        sizes = known.setdefault(name, {})
        old = sizes.get(round(_size(said)), new)
        sizes[round(_size(said))] = round(math.exp((1 - NEWEST) * math.log(old) + NEWEST * math.log(new)), 3)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"version": VERSION, "factors": known})


def _size(seconds: float) -> float:
    return math.log(seconds) / math.log(SIZE)


def _read(path: Path) -> Factors:
    """What is known; nothing where there is no file that can be read, or one of another version."""
    try:
        raw = json_values.mapping(json_values.parse(read_regular(path, MAX_BYTES)))
    except (OSError, ValueError):
        return {}
    found: Factors = {}
    for name, sizes in json_values.mapping(raw.get("factors")).items():
        for size, value in json_values.mapping(sizes).items():
            factor = json_values.number(value)
            if size.lstrip("-").isdecimal() and 1 / MAX_FACTOR <= factor <= MAX_FACTOR:
                found.setdefault(name, {})[int(size)] = factor
    return found
