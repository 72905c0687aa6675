"""Seconds and peak memory of importing dense clouds into Blender, as a table.

    .venv-bpy/bin/python benchmarks/import_cloud.py [POINTS ...]      (or blender -b --python FILE -- POINTS ...)

Each size runs in a process of its own: a workspace with a cloud as the engine writes it (28 bytes a point) is made
in a temporary folder, then imported, the point display evaluated, and the .blend saved.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bpy
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "scene")]

SIZES = (200_000, 1_000_000, 10_000_000)


def peak_memory_mb() -> float:
    """Largest resident size of this process so far; 0 where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def measure(count: int) -> None:
    """Prints one row of the table."""
    from made_workspaces import ring, write_cloud, write_workspace

    from blender_recon3d.scene.build import import_workspace

    bpy.ops.wm.read_factory_settings(use_empty=True)
    with tempfile.TemporaryDirectory() as folder:
        root = write_workspace(Path(folder) / "w", ring(30, 100))
        rng = np.random.default_rng(0)
        xyz = rng.normal(size=(count, 3)).astype(np.float32)
        xyz /= np.linalg.norm(xyz, axis=1, keepdims=True)
        write_cloud(root / "dense" / "fusion.ply", xyz, rng.integers(0, 256, (count, 3), dtype=np.uint8))
        del xyz
        before = peak_memory_mb()
        start = time.perf_counter()
        import_workspace(root)
        imported = time.perf_counter()
        bpy.context.view_layer.update()
        bpy.context.evaluated_depsgraph_get()
        shown = time.perf_counter()
        bpy.ops.wm.save_as_mainfile(filepath=str(Path(folder) / "a.blend"))
        saved = time.perf_counter()
        size = (Path(folder) / "a.blend").stat().st_size / 2**20
    print(
        f"| {bpy.app.version_string} | {count:,} | {imported - start:.2f} | {shown - imported:.2f} | "
        f"{saved - shown:.2f} | {before:.0f} | {peak_memory_mb():.0f} | {size:.0f} |",
        flush=True,
    )


def main() -> None:
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    if words[:1] == ["--one"]:
        measure(int(words[1]))
        return
    print("| Blender | points | import s | display s | save s | memory before MB | peak MB | .blend MB |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for size in [int(word) for word in words] or SIZES:
        own = [sys.executable, __file__, "--one", str(size)]
        if bpy.app.binary_path:  # inside Blender itself
            own = [
                bpy.app.binary_path,
                "-b",
                "--factory-startup",
                "--python",
                __file__,
                "--",
                "--one",
                str(size),
            ]
        output = subprocess.run(own, check=True, capture_output=True, text=True).stdout
        print("\n".join(line for line in output.splitlines() if line.startswith("|")), flush=True)


if __name__ == "__main__":
    main()
