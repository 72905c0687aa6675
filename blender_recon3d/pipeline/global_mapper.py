"""COLMAP's global mapper in a process of its own: it cannot be cancelled, but a process can be ended.

python -m <package>.global_mapper DATABASE IMAGES OUTPUT OPTIONS_JSON
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from .events import Progress, UserError


def run_in_child(
    database: Path, images: Path, output: Path, options: dict[str, Any], progress: Progress
) -> None:
    """Run `global_mapping` and wait for it; raises Cancelled, having ended it, or UserError when it fails."""
    package = __package__ or ""
    root = Path(__file__).parents[package.count(".") + 1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", f"{package}.global_mapper", str(database), str(images), str(output)]
    child = subprocess.Popen([*command, json.dumps(options)], env=environment, stdin=subprocess.PIPE)
    try:
        while child.poll() is None:
            progress.check()
            time.sleep(0.2)
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
    if child.returncode != 0:
        raise UserError(
            f"COLMAP's global mapper failed (code {child.returncode}): see log.txt, or use --mapper incremental."
        )


def _end_with_parent() -> None:
    """The parent holds the other end of stdin; when it is gone, however it ended, so is this process."""
    sys.stdin.buffer.read()
    os._exit(1)


def _main() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from .colmap import pycolmap

    database, images, output, raw = sys.argv[1:]
    chosen = json.loads(raw)
    options = pycolmap.GlobalPipelineOptions()
    options.random_seed = chosen["seed"]
    options.min_model_size = chosen["min_model_size"]
    options.mapper.bundle_adjustment.refine_focal_length = chosen["refine_intrinsics"]
    options.mapper.bundle_adjustment.refine_extra_params = chosen["refine_intrinsics"]
    pycolmap.global_mapping(database, images, output, options)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # the thread above still waits for stdin


if __name__ == "__main__":
    _main()
