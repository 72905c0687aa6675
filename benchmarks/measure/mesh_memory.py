"""Meshing a very large cloud: seconds and peak memory, of this process and its children.

    python -m benchmarks.measure.mesh_memory [--points 20000000] [--memory 4] [--output build/mesh_memory]

The cloud is a bumpy sphere with noise, generated here, in a file as large as fusion.ply would be.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.common.places import ROOT
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.events import Event, Progress
from blender_recon3d.pipeline.files.atomic_files import remove
from blender_recon3d.pipeline.files.ply import write_vertices
from blender_recon3d.pipeline.meshing.build_mesh import build_mesh
from blender_recon3d.pipeline.stage_settings import MeshSettings
from blender_recon3d.pipeline.system.memory import PeakMemory

NOISE = 0.0005  # of the sphere's radius
BUMPS = 0.02


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=20_000_000)
    parser.add_argument("--memory", type=float, default=4.0, help="limit for meshing, GB")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "mesh_memory")
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    cloud, model = options.output / f"{options.points}.ply", options.output / "model"
    if options.make:
        write_cloud(cloud, options.points)
        return 0
    if not cloud.exists():  # in a separate process, whose memory is not measured
        options.output.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, *sys.argv, "--make"], check=True)
    model.mkdir(exist_ok=True)
    pycolmap.Reconstruction().write(model)
    work = options.output / "work"
    remove(work)
    start = time.monotonic()

    def show(event: Event) -> None:
        sys.stderr.write(
            f"{time.monotonic() - start:7.1f} s  {peak.bytes / 2**20:6.0f} MB  {event.message}\n"
        )

    with PeakMemory() as peak:
        built = build_mesh(cloud, model, work, MeshSettings(memory=options.memory), Progress(show))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    sys.stdout.write(
        f"{options.points:,} points, --memory {options.memory:g}: {built.facts['cloud']['used']:,} used, "
        f"{built.facts['full_faces']:,} faces before decimation, depth {built.facts['depth']}, "
        f"{time.monotonic() - start:.0f} s, {sum(each.ru_utime for each in used):.0f} CPU s, "
        f"peak {peak.bytes / 2**20:,.0f} MB\n"
    )
    remove(work)
    return 0


def write_cloud(path: Path, count: int) -> None:
    random = np.random.default_rng(0)
    kinds = [(name, "<f4") for name in ("x", "y", "z", "nx", "ny", "nz")]
    kinds += [(name, "u1") for name in ("red", "green", "blue", "views")]
    vertices = np.empty(count, kinds)
    for start in range(0, count, 1_000_000):
        block = vertices[start : start + 1_000_000]
        normals = random.normal(size=(len(block), 3))
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        radius = 1 + BUMPS * np.sin(12 * normals).sum(axis=1) + random.normal(0, NOISE, len(block))
        for axis, name in enumerate("xyz"):
            block[name], block["n" + name] = radius * normals[:, axis], normals[:, axis]
        for name in ("red", "green", "blue"):
            block[name] = 128
        block["views"] = 5
    write_vertices(path, vertices)


if __name__ == "__main__":
    sys.exit(main())
