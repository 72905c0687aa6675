"""COLMAP's global mapper in a process of its own: it cannot be cancelled, but a process can be ended.

python -m <package>.global_mapper DATABASE IMAGES OUTPUT OPTIONS_JSON
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .events import Progress, UserError
from .guard import end_with_parent, package_environment


def run_in_child(
    database: Path, images: Path, output: Path, options: dict[str, Any], progress: Progress
) -> None:
    """Run `global_mapping` and wait for it; raises Cancelled, having ended it, or UserError when it fails."""
    package = __package__ or ""
    environment = package_environment(package)
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


def _main() -> None:
    end_with_parent()
    from .colmap import pycolmap

    database, images, output, raw = sys.argv[1:]
    chosen = json.loads(raw)
    options = pycolmap.GlobalPipelineOptions()
    options.random_seed = chosen["seed"]
    options.num_threads = 1  # with several, sums are rounded in another order each time
    options.min_model_size = chosen["min_model_size"]
    options.mapper.bundle_adjustment.refine_focal_length = chosen["refine_intrinsics"]
    options.mapper.bundle_adjustment.refine_extra_params = chosen["refine_intrinsics"]
    pycolmap.global_mapping(database, images, output, options)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # a thread still waits for the parent


if __name__ == "__main__":
    _main()
