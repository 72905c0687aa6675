"""The demo's result as a .blend and a picture.

    python demo/to_blender.py WORKSPACE OUT.blend --preview OUT.png

Takes the first of $RECON3D_BLENDER, blender on the path, and bpy in .venv-bpy. Without any of them it says how to get
one, and that is not a failure.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "examples" / "import_workspace.py"
OLDEST = (4, 2)


def main(words: list[str]) -> int:
    command = find_blender()
    if command is None:
        print(
            "No Blender here, so no .blend was made. Install Blender 4.2 or later, put it on the path and run "
            "make demo again (what is done is kept), or open the workspace with the add-on: File > Import."
        )
        return 0
    return subprocess.run([*command, "--", *words]).returncode


def find_blender() -> list[str] | None:
    """The words that run a script in Blender; None where there is no Blender that can."""
    blender = os.environ.get("RECON3D_BLENDER") or shutil.which("blender")
    if blender and version(blender) >= OLDEST:
        return [
            blender,
            "--background",
            "--factory-startup",
            "--python-exit-code",
            "1",
            "--python",
            str(SCRIPT),
        ]
    module = ROOT / ".venv-bpy" / "bin" / "python"
    if (module.parents[1] / "ready").exists():
        return [str(module), str(SCRIPT)]
    return None


def version(blender: str) -> tuple[int, int]:
    """(0, 0) for what is not Blender."""
    try:
        said = subprocess.run([blender, "--version"], capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return (0, 0)
    found = re.search(r"Blender (\d+)\.(\d+)", said)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
