"""Photos to a .blend without a window.

    blender -b --python examples/reconstruct.py -- PHOTOS OUT.blend [engine options ...]
    python examples/reconstruct.py -- PHOTOS OUT.blend [engine options ...]          (with bpy from PyPI)

The engine runs in its own process, with its own Python: $RECON3D_PYTHON, or the one in the add-on's preferences, or
the one that Set Up Engine has made, or `.venv` beside a checkout. All other options are the engine's
(`recon3d run --help`); -o DIR names the workspace, by default OUT_recon3d beside OUT.blend. Ends with the engine's
code: 0 done, 1 failed, 2 bad usage or input, 3 cancelled.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import headless


def main(words: list[str]) -> int:
    chosen, options = parse(words)
    blend = Path(chosen.blend).absolute()
    workspace = chosen.output or blend.with_name(f"{blend.stem}_recon3d")
    api = headless.registered("api")
    result = api.reconstruct(chosen.photos, workspace, chosen.quality, options, on_change=headless.printer())
    api.save(blend)
    print(" ".join([result.summary(), *result.notes, f"Saved {blend}."]))
    return 0


def parse(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """This script's own arguments, and those that are the engine's."""
    parser = argparse.ArgumentParser(
        prog="reconstruct.py", description=__doc__.splitlines()[0], allow_abbrev=False
    )
    parser.add_argument("photos", metavar="PHOTOS", help="a folder of photos, or a video")
    parser.add_argument("blend", metavar="OUT.blend")
    parser.add_argument("-o", "--output", metavar="DIR", help="the workspace")
    parser.add_argument("--quality", default="medium")
    return parser.parse_known_args(words)


headless.end(main)
