"""COLMAP's meshing in a process of its own: it cannot be cancelled, but a process can be ended.

python -m <package>.meshing.colmap_child poisson|simplify INPUT OUTPUT OPTIONS_JSON
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ..events import Progress, UserError
from ..guard import end_with_parent, package_environment

POLL_SECONDS = 0.2
FAILED = 3


def run_in_child(what: str, source: Path, target: Path, options: dict[str, Any], progress: Progress) -> None:
    """Run `poisson_meshing` or `simplify_mesh` with options that override COLMAP's, and wait for it.

    Raises Cancelled, having ended it, or UserError when it fails or leaves no file.
    """
    package = (__package__ or "").removesuffix(".meshing")
    command = [sys.executable, "-m", f"{package}.meshing.colmap_child", what, str(source), str(target)]
    # Threads that spin while they wait take seven times the time where other programs want the cores too.
    environment = package_environment(package, OMP_WAIT_POLICY="PASSIVE")
    child = subprocess.Popen([*command, json.dumps(options)], env=environment, stdin=subprocess.PIPE)
    try:
        while child.poll() is None:
            progress.check()
            time.sleep(POLL_SECONDS)
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
    if child.returncode == -9:
        raise UserError(
            "The system ended COLMAP's meshing, most likely for want of memory: use a smaller --memory, or crop "
            "the cloud with --crop."
        )
    if child.returncode != 0 or not target.exists():
        raise UserError(
            f"COLMAP's meshing ({what}) failed (code {child.returncode}): see log.txt, or use a smaller "
            "--mesh-depth."
        )


def _main() -> None:
    end_with_parent()
    from ..colmap import pycolmap

    what, source, target, raw = sys.argv[1:]
    try:
        if what == "poisson":
            pycolmap.poisson_meshing(source, target, pycolmap.PoissonMeshingOptions(json.loads(raw)))
        else:
            pycolmap.simplify_mesh(source, target, pycolmap.MeshSimplificationOptions(json.loads(raw)))
    except (RuntimeError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        code = FAILED
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a thread still waits for the parent


if __name__ == "__main__":
    _main()
