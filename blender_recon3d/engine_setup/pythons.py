"""Choose the environment's Python: this one, or another on this machine, or one downloaded by uv.

A version is supported if every pinned package has a wheel for it; benchmarks.measure.engine_size checks which do.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..pipeline.system.programs import find_program

OLDEST, NEWEST = (3, 11), (3, 13)  # xatlas 0.0.11 has no wheels for 3.14
SPECIFIER = ">=3.11,<3.14"  # the same for uv
# Prints the properties of an interpreter. GIL: pycolmap has no wheels for free-threaded builds.
_PROBE = (
    "import sys, json, importlib.util as u, sysconfig;"
    "print(json.dumps([sys.executable, list(sys.version_info[:3]), sys.maxsize > 2**32,"
    " bool(sysconfig.get_config_var('Py_GIL_DISABLED')),"
    " *(bool((spec := u.find_spec(name)) and spec.origin) for name in ('venv', 'ensurepip'))]))"
)


@dataclass(frozen=True)
class Python:
    """An interpreter. venv, ensurepip: whether it has these modules, which Debian packages separately."""

    path: str
    version: tuple[int, int, int]
    fits: bool
    venv: bool = True
    ensurepip: bool = True

    @property
    def text(self) -> str:
        return ".".join(map(str, self.version))


def fits(version: tuple[int, int, int], wide: bool = True, without_gil: bool = False) -> bool:
    """Whether the engine's packages are available for this Python."""
    return OLDEST <= version[:2] <= NEWEST and wide and not without_gil


def supported() -> str:
    """For people."""
    return f"Python {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]} (64 bits)"


def probe(path: str, environ: Mapping[str, str]) -> Python | None:
    """The properties of an interpreter; None if it does not run."""
    try:
        result = subprocess.run(
            [path, "-I", "-c", _PROBE],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
        )
        executable, version, wide, without_gil, venv, ensurepip = json.loads(result.stdout)
    except (OSError, ValueError, TypeError, subprocess.SubprocessError):
        return None
    return Python(str(executable), tuple(version), fits(tuple(version), wide, without_gil), venv, ensurepip)


def usable(environ: Mapping[str, str]) -> Iterator[Python]:
    """The suitable interpreters on this machine, the best first."""
    candidates = [sys.executable]
    for minor in (13, 12, 11, 14):
        candidates.append(find_program(f"python3.{minor}", environ) or "")
    candidates += [find_program(name, environ) or "" for name in ("python3", "python")]
    seen = set()
    for candidate in candidates:
        python = probe(candidate, environ) if candidate and candidate not in seen else None
        seen.add(candidate)
        if python and python.fits:
            yield python


def this_one() -> str:
    return f"{platform.python_version()} ({sys.executable})"
