"""How long stages have taken on this machine, against what was forecast: a small file in the user's cache.

Losing it loses nothing but the better forecast. Standard library only.
"""

from __future__ import annotations

import math
from pathlib import Path

from .files import json_values
from .files.atomic_files import write_json
from .files.regular import read_regular

NEWEST = 0.3  # weight of the newest run
MOST = (
    10.0  # a run that is farther off than so many times says something about that run, not about the machine
)
MAX_BYTES = 1 << 20


def ratios(path: Path) -> dict[str, float]:
    """Real seconds over forecast seconds by stage; nothing where there is no file that can be read."""
    try:
        raw = json_values.mapping(json_values.parse(read_regular(path, MAX_BYTES)))
    except (OSError, ValueError):
        return {}
    found = {
        name: json_values.number(value) for name, value in json_values.mapping(raw.get("ratios")).items()
    }
    return {name: value for name, value in found.items() if 1 / MOST <= value <= MOST}


def learn(path: Path, seconds: dict[str, float], forecast: dict[str, float]) -> None:
    """Note what stages took that ran from beginning to end. What cannot be written is not noted."""
    known = ratios(path)
    for name, real in seconds.items():
        said = forecast.get(name, 0.0)
        if said < 1.0 or real <= 0:  # too short to say anything
            continue
        new = min(MOST, max(1 / MOST, real / said))
        old = known.get(name, new)
        known[name] = round(math.exp((1 - NEWEST) * math.log(old) + NEWEST * math.log(new)), 3)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"version": 1, "ratios": known})
    except OSError:
        return
