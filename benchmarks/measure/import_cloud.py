"""Processor seconds and peak memory of importing dense clouds into Blender and splitting them into cells, as a table.

    .venv-bpy/bin/python -m benchmarks.measure.import_cloud [POINTS ...]
    blender -b --python benchmarks/measure/import_cloud.py -- [POINTS ...]

For each size a workspace with a cloud in the engine's format (28 bytes per point) is made in a temporary folder; a
separate process imports it, evaluates the point display, and saves the .blend.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bpy
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # Blender runs this file by its path

SIZES = (200_000, 1_000_000, 10_000_000)
CAMERAS = 30


def peak_memory_mb() -> float:
    """Largest resident size of this process so far; 0 if the system does not provide it (Windows)."""
    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def make_workspace(root: Path, count: int) -> None:
    """Random points on a unit sphere, in random colors."""
    from tests.support.made_workspaces import ring, write_cloud, write_workspace

    write_workspace(root, ring(CAMERAS, 100))
    rng = np.random.default_rng(0)
    xyz = rng.normal(size=(count, 3)).astype(np.float32)
    xyz /= np.linalg.norm(xyz, axis=1, keepdims=True)
    write_cloud(root / "dense" / "fusion.ply", xyz, rng.integers(0, 256, (count, 3), dtype=np.uint8))


def measure(root: Path) -> None:
    """Prints one row of the table."""
    from blender_recon3d.scene.cloud_cells import split_cloud
    from blender_recon3d.scene.importing.import_workspace import import_workspace

    bpy.ops.wm.read_factory_settings(use_empty=True)
    blend = root / "a.blend"
    before = peak_memory_mb()
    start = time.process_time()
    result = import_workspace(root)
    imported = time.process_time()
    bpy.context.view_layer.update()
    bpy.context.evaluated_depsgraph_get()
    shown = time.process_time()
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    saved = time.process_time()
    peak = peak_memory_mb()
    cells = len(split_cloud(result.collection).children)
    split = time.process_time()
    bpy.context.view_layer.update()
    bpy.context.evaluated_depsgraph_get()
    cells_shown = time.process_time()
    print(
        f"| {bpy.app.version_string} | {result.points:,} | {imported - start:.2f} | {shown - imported:.2f} | "
        f"{saved - shown:.2f} | {before:.0f} | {peak:.0f} | {blend.stat().st_size / 2**20:.0f} | {cells} | "
        f"{split - saved:.2f} | {cells_shown - split:.2f} | {peak_memory_mb():.0f} |"
    )


def main() -> None:
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    if words[:1] == ["--make"]:
        make_workspace(Path(words[1]), int(words[2]))
    elif words[:1] == ["--measure"]:
        measure(Path(words[1]))
    else:
        print(
            "| Blender | points | import s | display s | save s | MB before | MB peak | .blend MB | cells | split s | "
            "display s | MB peak |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
        for size in [int(word) for word in words] or SIZES:
            with tempfile.TemporaryDirectory() as folder:
                in_own_process("--make", folder, str(size))
                print(in_own_process("--measure", folder), flush=True)


def in_own_process(*words: str) -> str:
    """Run this script with the arguments, and return its rows. A process's peak includes that of its parent at the
    start, so the parent must remain small."""
    own = [sys.executable, "-m", "benchmarks.measure.import_cloud"]
    if bpy.app.binary_path:  # inside Blender itself
        own = [bpy.app.binary_path, "-b", "--factory-startup", "--python", __file__, "--"]
    done = subprocess.run([*own, *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return "\n".join(line for line in done.stdout.splitlines() if line.startswith("|"))


if __name__ == "__main__":
    main()
