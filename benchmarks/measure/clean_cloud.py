"""Seconds and memory of cleaning a cloud and of importing a mesh, as two tables.

    .venv-bpy/bin/python -m benchmarks.measure.clean_cloud [POINTS ...]

Each size in a separate process. Points are on a unit sphere; 1 in 1,000 is a floater in a box of twice its size.
"default" is the modifier as added by Clean Cloud, "all inputs" also has views, color and crop box: the work of Blender
at every change of an input.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np

SIZES = (1_000_000, 5_000_000)
FACES = 2_000_000
REPEATS = 3


def measure_cloud(count: int) -> str:
    from benchmarks.measure.import_cloud import peak_memory_mb
    from blender_recon3d.scene.cleaning import clean_modifier, crop_box, density
    from blender_recon3d.scene.cloud import fill_mesh, spacing
    from blender_recon3d.scene.importing.import_workspace import import_workspace
    from blender_recon3d.scene.points import Points

    rng = np.random.default_rng(0)
    xyz = rng.normal(size=(count, 3)).astype(np.float32)
    xyz /= np.linalg.norm(xyz, axis=1, keepdims=True)
    xyz[::1000] = rng.uniform(-2, 2, (len(xyz[::1000]), 3))
    start, cpu = time.perf_counter(), time.process_time()
    density.analyze(xyz, spacing(xyz))
    analyzed, analyzed_cpu = time.perf_counter() - start, time.process_time() - cpu
    with tempfile.TemporaryDirectory() as folder:
        result = import_workspace(small_workspace(Path(folder)))
    mesh = bpy.data.meshes.new("Cloud")
    rgb = rng.integers(0, 256, (count, 3), dtype=np.uint8)
    fill_mesh(mesh, Points(xyz, rgb, views=rng.integers(2, 12, count, dtype=np.int32)))
    result.cloud.data = mesh
    shown = evaluations(result.cloud, lambda: None)
    clean_modifier.add_cleaning(result.collection)
    default = evaluations(result.cloud, lambda: clean_modifier.add_cleaning(result.collection)) - shown
    crop_box.add_crop_box(result.collection)
    every = dict(min_views=3, key_distance=0.2)
    full = evaluations(result.cloud, lambda: clean_modifier.add_cleaning(result.collection, **every)) - shown
    return (
        f"| {count:,} | {analyzed:.1f} ({analyzed_cpu:.1f}) | {cell(shown)} | {cell(default)} | {cell(full)} | "
        f"{peak_memory_mb():.0f} |"
    )


def evaluations(cloud: bpy.types.Object, change: Callable[[], object]) -> np.ndarray:
    """Wall and CPU seconds of evaluating the cloud after a change, medians."""
    seconds = []
    for _ in range(REPEATS):
        change()
        cloud.update_tag()
        cloud.data.update_tag()
        start, cpu = time.perf_counter(), time.process_time()
        bpy.context.view_layer.update()
        seconds.append((time.perf_counter() - start, time.process_time() - cpu))
    return np.median(seconds, axis=0)


def cell(seconds: np.ndarray) -> str:
    return f"{seconds[0]:.2f} ({seconds[1]:.2f})"


def small_workspace(folder: Path) -> Path:
    from tests.support.made_workspaces import ring, write_workspace

    return write_workspace(folder / "w", ring())


def measure_mesh(count: int) -> str:
    """A grid of triangles with colors and UVs."""
    from benchmarks.measure.import_cloud import peak_memory_mb
    from blender_recon3d.scene.importing.mesh_files import Surface
    from blender_recon3d.scene.meshes.mesh_object import create_mesh

    side = int((count / 2) ** 0.5) + 1
    x, y = np.meshgrid(np.linspace(0, 1, side), np.linspace(0, 1, side))
    xyz = np.stack([x.ravel(), y.ravel(), np.sin(9 * x * y).ravel()], axis=1).astype(np.float32)
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    faces = np.concatenate(
        [
            np.stack([corner, corner + 1, corner + side], 1),
            np.stack([corner + 1, corner + side + 1, corner + side], 1),
        ]
    ).astype(np.int32)
    uv = xyz[faces][..., :2]
    surface = Surface(xyz, faces, np.full((len(xyz), 3), 99, np.uint8), uv)
    start, cpu = time.perf_counter(), time.process_time()
    create_mesh(surface, "Mesh")
    seconds = np.array([time.perf_counter() - start, time.process_time() - cpu])
    return f"| {len(faces):,} | {cell(seconds)} | {peak_memory_mb():.0f} |"


def main() -> None:
    words = sys.argv[1:]
    if words[:1] in (["--cloud"], ["--mesh"]):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        print({"--cloud": measure_cloud, "--mesh": measure_mesh}[words[0]](int(words[1])))
        return
    print(
        "| points | density s (CPU) | display s (CPU) | + default s (CPU) | + all inputs s (CPU) | MB peak |"
    )
    print("|---|---|---|---|---|---|", flush=True)
    for size in [int(word) for word in words] or SIZES:
        print(row("--cloud", str(size)), flush=True)
    print("\n| faces | mesh s (CPU) | MB peak |\n|---|---|---|")
    print(row("--mesh", str(FACES)))


def row(*words: str) -> str:
    done = subprocess.run([sys.executable, "-m", __spec__.name, *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return "\n".join(line for line in done.stdout.splitlines() if line.startswith("|"))


if __name__ == "__main__":
    main()
