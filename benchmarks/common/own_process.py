"""Measurements in a separate process, whose last line of output has the figures as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def figures_of(module: str, what: str, *words: object) -> dict[str, Any]:
    """The figures of `python -m module words`; if it fails, exits with `what` and its last output."""
    command = [sys.executable, "-m", module, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{what} failed: {done.stderr.strip()[-1500:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def tell(figures: dict[str, Any]) -> None:
    """Called in that process at the end."""
    sys.stdout.write("\n" + json.dumps(figures) + "\n")
