"""Measured times of stages on this machine against their forecasts: a small file in the user's cache.

A factor is kept per size of a stage, since startup dominates a short one and does not matter for a long one. Without
the file, forecasts are only less accurate. Standard library only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from .files import json_values
from .files.atomic_files import write_json
from .files.regular import read_regular

VERSION = 3
NEWEST = 0.5  # weight of the newest run; before the first one the factor is 1, since one run may have been disturbed
MAX_FACTOR = 4.0  # a run that is further off was special and says nothing about the machine
SIZE = 4.0  # ratio of the forecast seconds of consecutive sizes
MAX_BYTES = 1 << 20

Factors = dict[str, dict[int, float]]  # real seconds over forecast seconds: by stage, by size


def corrected(path: Path, forecast: Mapping[str, float]) -> dict[str, float]:
    """The forecast seconds of stages, each times the factor of past runs of the nearest size."""
    known = _read(path)
    seconds = dict(forecast)
    for name, expected in forecast.items():
        sizes = known.get(name)
        if sizes and expected > 0:
            seconds[name] = expected * sizes[min(sizes, key=lambda size: abs(size - _size(expected)))]
    return seconds


def learn(path: Path, seconds: Mapping[str, float], forecast: Mapping[str, float]) -> None:
    """Record the times of stages that ran from beginning to end. A failure to write is ignored."""
    known = _read(path)
    for name, real in seconds.items():
        expected = forecast.get(name, 0.0)
        if expected < 1.0 or real <= 0:  # too short to mean anything
            continue
        new = min(MAX_FACTOR, max(1 / MAX_FACTOR, real / expected))
        sizes = known.setdefault(name, {})
        old = sizes.get(round(_size(expected)), 1.0)
        sizes[round(_size(expected))] = round(
            math.exp((1 - NEWEST) * math.log(old) + NEWEST * math.log(new)), 3
        )
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"version": VERSION, "factors": known})


def _size(seconds: float) -> float:
    return math.log(seconds) / math.log(SIZE)


def _read(path: Path) -> Factors:
    """The known factors; empty if the file cannot be read or is of another version."""
    try:
        raw = json_values.mapping(json_values.parse(read_regular(path, MAX_BYTES)))
    except (OSError, ValueError):
        return {}
    factors: Factors = {}
    for name, sizes in json_values.mapping(raw.get("factors")).items():
        for size, value in json_values.mapping(sizes).items():
            factor = json_values.number(value)
            if size.lstrip("-").isdecimal() and 1 / MAX_FACTOR <= factor <= MAX_FACTOR:
                factors.setdefault(name, {})[int(size)] = factor
    return factors
