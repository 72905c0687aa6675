"""Every folder of photos in a folder, one after the other: a .blend and a picture of each.

    blender -b --python examples/batch.py -- FOLDERS OUT [--quality preview]

A folder that fails is reported and does not stop the others. Run it again after it was stopped: what is finished is
kept, so that only the rest is computed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import headless


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="batch.py", description=__doc__.splitlines()[0])
    parser.add_argument(
        "folders", metavar="FOLDERS", type=Path, help="holds a folder of photos for each subject"
    )
    parser.add_argument("out", metavar="OUT", type=Path)
    parser.add_argument("--quality", default="medium")
    chosen = parser.parse_args(words)
    failed = 0
    for folder in sorted(path for path in chosen.folders.iterdir() if path.is_dir()):
        api = headless.registered("api")  # an empty scene for each
        try:
            result = api.reconstruct(
                folder, chosen.out / folder.name, chosen.quality, on_change=headless.printer(folder.name)
            )
        except api.UserError as error:
            if error.exit_code == 3:  # cancelled: not only this one
                raise
            print(f"{folder.name}: {error}", file=sys.stderr)
            failed += 1
            continue
        api.save(chosen.out / f"{folder.name}.blend")
        headless.module("scene.preview").render_preview(result, chosen.out / f"{folder.name}.png")
        print(f"{folder.name}: {result.summary()}")
    return 1 if failed else 0


headless.end(main)
