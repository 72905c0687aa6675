"""A finished workspace, or any folder with a COLMAP model, to a .blend, and a picture of it.

blender -b --python examples/import_workspace.py -- WORKSPACE OUT.blend [--preview OUT.png]
python examples/import_workspace.py -- WORKSPACE OUT.blend [--preview OUT.png]          (with bpy from PyPI)
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import headless


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="import_workspace.py", description=__doc__.splitlines()[0])
    parser.add_argument("workspace", metavar="WORKSPACE", type=Path)
    parser.add_argument("blend", metavar="OUT.blend", type=Path)
    parser.add_argument(
        "--preview", metavar="OUT.png", type=Path, help="render the cloud and the cameras to a picture"
    )
    parser.add_argument("--size", metavar="PX", type=int, nargs=2, default=(1200, 800), help="of the picture")
    chosen = parser.parse_args(words)
    api, preview = headless.registered("api"), headless.module("scene.preview")

    result = api.import_result(chosen.workspace)
    api.save(chosen.blend)
    print(" ".join([result.summary(), *result.notes, f"Saved {chosen.blend}."]))
    if chosen.preview:
        preview.render_preview(result, chosen.preview, tuple(chosen.size))
        print(f"Rendered {chosen.preview}.")
    return 0


headless.end(main)
