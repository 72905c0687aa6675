"""UVs side by side: ours (xatlas in pieces), xatlas on the whole mesh, Blender's Smart UV Project.

    python -m benchmarks.measure.texture_uvs MESH.ply... [--bpy .venv-bpy/bin/python] [--whole]
                                     [--markdown benchmarks/results/texture_uvs.md]

Stretch is Sander's L2 (Sander et al. 2001): 1 is none, over the surface, after scaling to the same area.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks.common.places import ROOT
from blender_recon3d.pipeline.files.ply import columns
from blender_recon3d.pipeline.files.ply_mesh import read_mesh
from blender_recon3d.pipeline.system.cpu import cores
from blender_recon3d.pipeline.system.versions import versions
from blender_recon3d.pipeline.texturing import unwrap as ours
from blender_recon3d.pipeline.texturing.raster import pixels_of_triangles

SIZE = 4096
WHOLE = 10**9


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("meshes", nargs="*", type=Path, metavar="MESH.ply")
    parser.add_argument("--bpy", type=Path, default=ROOT / ".venv-bpy" / "bin" / "python")
    parser.add_argument("--whole", action="store_true", help="also xatlas on the whole mesh: minutes")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--one", nargs=3, metavar=("IN", "OUT", "PIECE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        run_one(Path(options.one[0]), Path(options.one[1]), int(options.one[2]))
        return 0
    lines = []
    for path in options.meshes:
        table, faces = read_mesh(path)
        vertices = columns(table, "x", "y", "z")
        assert vertices is not None
        for name, row in compared(vertices, faces, options).items():
            label = path.parent.parent.name if path.name == "mesh.ply" else path.stem
            lines.append(
                f"| {label} | {len(faces):,} | {name} | {row['charts']:,} | {100 * row['fill']:.1f} % | "
                f"{row['stretch']:.3f} | {100 * row['overlap']:.2f} % | {row['wall']:.0f} | {row['cpu']:.0f} |"
            )
            sys.stderr.write(lines[-1] + "\n")
    here = versions()
    text = "\n".join(
        [
            f"recon3d {here['recon3d']}, xatlas {here['xatlas']}, {cores()} cores; gaps of 4 texels of {SIZE}. Fill: "
            "texels of the texture that lie on the mesh; stretch: L2, 1 is none; overlap: of those texels, by several "
            "faces.",
            "",
            "| mesh | faces | method | charts | fill | stretch | overlap | seconds | CPU s |",
            "|---|---|---|---|---|---|---|---|---|",
            *lines,
            "",
        ]
    )
    sys.stdout.write(text)
    if options.markdown:
        options.markdown.write_text("# UVs side by side\n\n" + text, "utf-8")
    return 0


def compared(
    vertices: np.ndarray, faces: np.ndarray, options: argparse.Namespace
) -> dict[str, dict[str, Any]]:
    """Each method in a separate process."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "in.npz"
        np.savez(given, vertices=vertices, faces=faces)
        pieces = {f"xatlas, pieces of {ours.PIECE_FACES:,} (ours)": ours.PIECE_FACES}
        if options.whole:
            pieces["xatlas, whole"] = WHOLE
        commands = {
            name: [
                sys.executable,
                "-m",
                __spec__.name,
                "--one",
                str(given),
                str(Path(folder) / "out.npz"),
                str(size),
            ]
            for name, size in pieces.items()
        }
        script = str(ROOT / "benchmarks" / "common" / "smart_uv.py")
        if options.bpy.exists():
            commands["Blender's Smart UV"] = [
                str(options.bpy),
                script,
                str(given),
                str(Path(folder) / "out.npz"),
            ]
        for name, command in commands.items():
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{name} failed: {done.stderr.strip()[-1500:]}")
            with np.load(Path(folder) / "out.npz") as arrays:
                found[name] = judged(vertices, faces, arrays["uv"].astype(np.float64))
                found[name]["wall"], found[name]["cpu"] = arrays["seconds"]
    return found


def run_one(given: Path, found: Path, piece: int) -> None:
    with np.load(given) as arrays:
        vertices, faces = arrays["vertices"].astype(np.float32), arrays["faces"].astype(np.uint32)
    ours.PIECE_FACES = piece
    start, cpu = time.monotonic(), time.process_time()
    result = ours._lay_out(vertices, faces, np.ones(len(faces)))
    seconds = (time.monotonic() - start, time.process_time() - cpu)
    np.savez(found, uv=result.uv[result.faces], seconds=seconds)


def judged(vertices: np.ndarray, faces: np.ndarray, uv: np.ndarray) -> dict[str, Any]:
    """uv [F, 3, 2] at the faces' corners."""
    count = np.zeros((SIZE, SIZE), np.int32)
    for _, column, row in pixels_of_triangles(uv * SIZE, SIZE, SIZE):
        np.add.at(count, (row, column), 1)
    used = int((count > 0).sum())
    return {
        "charts": charts(faces, uv),
        "fill": used / SIZE**2,
        "overlap": float((count > 1).sum() / max(used, 1)),
        "stretch": stretch(vertices[faces], uv),
    }


def charts(faces: np.ndarray, uv: np.ndarray) -> int:
    """Connected parts: corners of one vertex at one position are connected."""
    keys = np.column_stack(
        [faces.reshape(-1, 1).astype(np.int64), np.rint(uv.reshape(-1, 2) * 2**20).astype(np.int64)]
    )
    _, corner = np.unique(keys, axis=0, return_inverse=True)
    corner = corner.reshape(-1, 3)
    ends = np.concatenate([corner[:, [0, 1]], corner[:, [1, 2]]])
    size = int(corner.max()) + 1
    graph = coo_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), (size, size))
    return int(connected_components(graph, directed=False)[0])


def stretch(corners: np.ndarray, uv: np.ndarray) -> float:
    """Sander's L2 of triangles [F, 3, 3] and their UVs [F, 3, 2]."""
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    e1, e2 = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    flat = e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]
    area = np.linalg.norm(np.cross(one, other), axis=1)
    good = (np.abs(flat) > 1e-12) & (area > 0)
    scale = 1 / np.where(good, flat, 1)[:, None]
    along = (one * e2[:, 1:] - other * e1[:, 1:]) * scale
    across = (other * e1[:, :1] - one * e2[:, :1]) * scale
    squared = ((along**2).sum(1) + (across**2).sum(1)) / 2
    mean = (area * squared)[good].sum() / area[good].sum()
    return float(np.sqrt(mean * np.abs(flat[good]).sum() / area[good].sum()))


if __name__ == "__main__":
    sys.exit(main())
