"""Imports damaged workspaces into Blender. Runs in an environment with bpy:

    python -m benchmarks.faults.blender_imports WORKSPACE SCRATCH SEED FIRST COUNT

and writes one line of JSON per import.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .mutations import damaged, damaged_json
from .records import Outcome, Run

NAME = "imports into Blender"
LIVE = "live/cameras.json"
FILES = (
    "placement.json", "photos.json", "report.json", "state.json", "dense/sparse/cameras.bin",
    "dense/sparse/images.bin", "dense/fusion.ply", "mesh/mesh.ply", "texture/mesh.ply", "texture/texture.png", LIVE,
)  # fmt: skip
RESTART = 20  # imports after which Blender's data is cleared


def main(words: list[str]) -> int:
    import bpy

    import blender_recon3d

    finished, scratch, seed, first, count = (
        Path(words[0]),
        Path(words[1]),
        words[2],
        int(words[3]),
        int(words[4]),
    )
    blender_recon3d.register()
    folder = scratch / "imported"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(finished, folder)
    (folder / "live").mkdir(exist_ok=True)
    (folder / LIVE).write_text(json.dumps(_live()))
    shutil.copy(finished / "dense" / "fusion.ply", folder / "live" / "points.ply")
    for number in range(first, first + count):
        if (number - first) % RESTART == 0:
            bpy.ops.wm.read_factory_settings(use_empty=True)
        run = import_one(number, random.Random(f"{seed} {NAME} {number}"), folder)
        sys.stdout.write(json.dumps(asdict(run)) + "\n")
        sys.stdout.flush()
    return 0


def import_one(number: int, chance: random.Random, folder: Path) -> Run:
    """Damage one file, import, and restore the file."""
    import bpy

    from blender_recon3d.jobs import result_import
    from blender_recon3d.pipeline.errors import UserError
    from blender_recon3d.pipeline.workspace import Workspace
    from blender_recon3d.scene import live

    name = FILES[number % len(FILES)]
    path = folder / name
    sound = path.read_bytes()
    json_file = name.endswith(".json")
    path.write_bytes(damaged_json(json.loads(sound), chance, 0.04) if json_file else damaged(sound, chance))
    outcome, note = Outcome.ACCEPTED, ""
    try:
        if name == LIVE:
            state = live.read_live(Workspace(folder))
            if state is not None:
                live.show_live(bpy.context.scene, Workspace(folder), state)
        else:
            result_import.import_result(bpy.context.scene, folder)
    except UserError:
        outcome = Outcome.REFUSED
    except Exception as error:  # exactly what this searches for
        outcome, note = Outcome.ESCAPED, where(error)
    finally:
        path.write_bytes(sound)
    return Run(NAME, number, outcome, name, note)


def where(error: Exception) -> str:
    """The error and the last line of our code that it passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "blender_recon3d" in frame.filename] or list(frames)
    return f"{type(error).__name__} in {Path(ours[-1].filename).name}:{ours[-1].lineno}: {str(error)[:100]}"


def _live() -> dict[str, Any]:
    """The engine's live files while cameras are being placed, for three cameras."""
    camera = {"qvec": [1, 0, 0, 0], "tvec": [0, 0, 1], "width": 640, "height": 480, "focal": 500.0}
    identity = [[float(row == column) for column in range(4)] for row in range(4)]
    return {"world_from_model": identity, "cameras": [{"name": f"{n}.jpg", **camera} for n in range(3)]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
