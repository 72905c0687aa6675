"""The command line as a user runs it, and queries of a workspace."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]

# Real photos with their truth, which are not part of the repository; tests of them are skipped without.
CAPTURES = Path(os.environ.get("RECON3D_CAPTURES") or REPOSITORY.parent / "shared" / "data" / "captures")
NO_CAPTURES = "RECON3D_CAPTURES does not name a folder of captures"


def recon3d(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """The command line in a separate process, as a user runs it."""
    command = [sys.executable, "-m", "blender_recon3d.pipeline", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=600, **options)
