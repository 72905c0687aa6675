"""Meshes side by side against exact truth, and the cloud they are built from: accuracy, completeness, F-score, cost.

    python -m benchmarks.measure.mesh [--data DIR] [--scenes demo power_drill mustard_bottle] [--variants ...]
                              [--output build/mesh] [--markdown benchmarks/results/mesh.md]

Scenes: the demo capture, and the two scans rendered by `dense_scenes.py`. Each is reconstructed once (SIFT, medium);
each variant meshes the same cloud in a separate process. COLMAP's own is `poisson_meshing` with its defaults, without
cleaning and decimation. Decimation is also compared with the package fast-simplification if it is installed. OUTPUT
keeps workspaces and measurements; a second call measures what is missing.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.dense_scenes import SCANS, build_scene
from benchmarks.common.own_process import figures_of, tell
from benchmarks.common.places import ROOT
from benchmarks.common.show_table import show_table
from benchmarks.matching.records import Records
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.evaluation.cloud_metrics import Surface
from blender_recon3d.pipeline.evaluation.evaluate import evaluate
from blender_recon3d.pipeline.evaluation.evaluation_table import SHARES
from blender_recon3d.pipeline.evaluation.mesh_metrics import sampled
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.atomic_files import remove
from blender_recon3d.pipeline.files.ply_mesh import read_mesh, write_mesh
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.meshing.build_mesh import mesh_of
from blender_recon3d.pipeline.meshing.poisson import run_in_child
from blender_recon3d.pipeline.meshing.topology import Mesh, boundary, is_watertight
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.system.memory import PeakMemory
from blender_recon3d.pipeline.system.versions import versions
from blender_recon3d.pipeline.workspace import Workspace

SCENES = ("demo", *SCANS)
CLOUD, COLMAP = "the cloud", "COLMAP's Poisson, its defaults"
VARIANTS: dict[str, dict[str, Any]] = {
    CLOUD: {},
    COLMAP: {},
    "ours": {},
    "ours, 50,000 faces": {"faces": 50_000},
    "ours, 1,000,000 faces": {"faces": 1_000_000},
    "ours, one level coarser": {"deeper": -1},
    "ours, cloud not cleaned": {"clean": "off"},
    "ours, refined by the photos": {"mesh_refinement": "on"},
}
# Increase one when what it measures changes.
VERSIONS = {CLOUD: 1, COLMAP: 1, "decimation": 2, "ours": 3}
DECIMATION_FACES = (200_000, 50_000)


def main() -> int:
    options = parse()
    if options.one:
        tell(run_one(options, *options.one))
        return 0
    records = Records(options.output / "results.jsonl", options.fresh)
    text = markdown(
        {
            (scene, variant): measured(options, records, scene, variant)
            for scene in options.scenes
            for variant in options.variants
        },
        measured(options, records, "demo", "decimation") if "demo" in options.scenes else {},
    )
    show_table("Meshes side by side", text, options.markdown)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, default=ROOT.parent / "shared" / "data")
    add("--output", type=Path, default=ROOT / "build" / "mesh")
    add("--scenes", nargs="+", choices=SCENES, default=list(SCENES))
    add("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    add("--fresh", action="store_true", help="measure everything again")
    add("--markdown", type=Path, help="write the table here too")
    add("--one", nargs=2, metavar=("SCENE", "VARIANT"), help=argparse.SUPPRESS)
    return parser.parse_args()


def measured(options: argparse.Namespace, records: Records, scene: str, variant: str) -> dict[str, Any]:
    identity = f"{variant}, recon3d {versions()['recon3d']}, pycolmap {pycolmap.__version__}"
    settings = {"version": VERSIONS.get(variant, VERSIONS["ours"])}
    values = records.get("mesh", identity, scene, settings)
    if values is None:
        with_cloud(options, scene)  # not included in the times
        words = ("--data", options.data, "--output", options.output, "--one", scene, variant)
        values = figures_of(__spec__.name, f"{variant} on {scene}", *words)
        records.put("mesh", identity, scene, settings, values)
    sys.stderr.write(f"{scene}, {variant}: {values}\n")
    return dict(values)


def folders(options: argparse.Namespace, scene: str) -> tuple[Path, Path]:
    """A scene's photos and its truth."""
    root = ROOT / "demo" if scene == "demo" else options.output / "scenes" / scene
    return root / "photos", root / "truth"


def job(options: argparse.Namespace, scene: str, until: str, **changes: Any) -> JobSettings:
    lens = {"camera_model": "PINHOLE"} if scene in SCANS else {}  # rendered photos have no distortion
    return JobSettings.build(
        photos=folders(options, scene)[0], features="sift", until=until, **lens, **changes
    )


def with_cloud(options: argparse.Namespace, scene: str) -> Workspace:
    """A workspace with a dense cloud; made once."""
    if scene in SCANS:
        build_scene(scene, options.data, options.output / "scenes" / scene)
    workspace = Workspace(options.output / "workspaces" / scene)
    if not workspace.fusion.exists():
        run_job(workspace, job(options, scene, "dense"), Progress())
    return workspace


# -- one run --------------------------------------------------------------------------------------------


def run_one(options: argparse.Namespace, scene: str, variant: str) -> dict[str, Any]:
    workspace, truth = with_cloud(options, scene), folders(options, scene)[1]
    if variant == "decimation":
        return decimation(options, workspace)
    if variant == CLOUD:
        remove(workspace.mesh)
        return {"rows": scores(evaluate(workspace, truth)["cloud"])}
    changes = dict(VARIANTS[variant])
    if "deeper" in changes:
        changes["mesh_depth"] = reference_depth(options, scene) + changes.pop("deeper")
    wall, cpu = time.monotonic(), cpu_seconds()
    remove(workspace.mesh)
    with PeakMemory() as peak:
        if variant == COLMAP:
            workspace.mesh.mkdir()
            run_in_child("poisson", workspace.fusion, workspace.mesh_file, {}, Progress())
        else:
            run_job(workspace, job(options, scene, "mesh", **changes), Progress())
    values = {"wall": time.monotonic() - wall, "cpu": cpu_seconds() - cpu, "memory_mb": peak.bytes / 2**20}
    mesh = mesh_of(workspace.mesh_file)
    return {
        **values,
        "faces": len(mesh.faces),
        "boundary": len(boundary(mesh.faces)),
        "watertight": is_watertight(mesh),
        "rows": scores(evaluate(workspace, truth)["mesh"]),
    }


def reference_depth(options: argparse.Namespace, scene: str) -> int:
    """The octree depth that `ours` chooses here."""
    workspace = with_cloud(options, scene)
    run_job(workspace, job(options, scene, "mesh"), Progress())
    return int(json.loads(workspace.mesh_json.read_text())["depth"])


def cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def scores(found: dict[str, Any]) -> dict[str, Any]:
    """The figures after ICP from the results of `evaluate`."""
    part = found["aligned_by_icp"]
    return {
        "points": found.get("fused_points"),
        **{key: part[key] for key in ("accuracy", "completeness", "scores")},
    }


def decimation(options: argparse.Namespace, workspace: Workspace) -> dict[str, Any]:
    """COLMAP's quadric decimation and fast-simplification on the demo's full mesh: distances between the surfaces."""
    reference_depth(options, "demo")
    vertices, faces = read_mesh(workspace.full_mesh_file)
    full = mesh_of(workspace.full_mesh_file)
    truth = sampled(full, None, None, 2_000_000)
    folder = options.output / "decimation"
    folder.mkdir(exist_ok=True)
    write_mesh(folder / "full.ply", vertices[["x", "y", "z"]].copy(), faces)
    result = {}
    for target in DECIMATION_FACES:
        for weight in (1000.0, 100.0, 10.0):
            start = cpu_seconds()
            wanted = {"target_face_ratio": target / len(faces), "boundary_weight": weight}
            run_in_child("simplify", folder / "full.ply", folder / "small.ply", wanted, Progress())
            result[f"COLMAP, weight of the rim {weight:g}, {target:,}"] = apart(
                mesh_of(folder / "small.ply"), truth, cpu_seconds() - start
            )
        try:
            import fast_simplification
        except ImportError:
            continue
        for aggression in (7, 3):
            start = cpu_seconds()
            points, kept = fast_simplification.simplify(
                full.vertices.astype(np.float32), faces, 1 - target / len(faces), agg=aggression
            )
            result[f"fast-simplification, aggression {aggression}, {target:,}"] = apart(
                Mesh(points.astype(np.float64), kept.astype(np.int32)), truth, cpu_seconds() - start
            )
    return result


def apart(mesh: Mesh, full: Surface, cpu: float) -> dict[str, Any]:
    """Distances in both directions, in the model's units."""
    ours = sampled(mesh, None, None, 1_000_000)
    there, back = full.nearest(ours.points[:200_000])[0], ours.nearest(full.points[:200_000])[0]
    return {
        "faces": len(mesh.faces), "cpu": cpu, "mean": float((there.mean() + back.mean()) / 2),
        "most": float(max(there.max(), back.max())), "boundary": len(boundary(mesh.faces)),
    }  # fmt: skip


# -- the tables -----------------------------------------------------------------------------------------


def markdown(rows: dict[tuple[str, str], dict[str, Any]], apart: dict[str, Any]) -> str:
    here = versions()
    lines = [
        f"One run; recon3d {here['recon3d']}, pycolmap {here['pycolmap']}. Cameras and cloud by SIFT and our dense "
        "stereo at medium. Distances in mm, mean; scores at 0.2 % and 0.5 % of the object's size, in percent: "
        "precision, recall, F. A mesh is judged by 500,000 points drawn from its faces, a cloud by its points; rim: "
        "edges with one face.",
        "",
        "| scene | what | accuracy | completeness | at 0.2 % | at 0.5 % | faces | rim | CPU s | peak memory |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (scene, variant), row in rows.items():
        found = row["rows"]
        distances = [f"{1000 * found[key]['mean']:.2f}" for key in ("accuracy", "completeness")]
        shares = [
            " / ".join(f"{100 * score[name]:.1f}" for name in ("precision", "recall", "f_score"))
            for score in found["scores"]
        ]
        assert len(shares) == len(SHARES)
        if "faces" in row:
            cost = [
                f"{row['faces']:,}",
                f"{row['boundary']:,}",
                f"{row['cpu']:.0f}",
                f"{row['memory_mb']:,.0f} MB",
            ]
        else:
            cost = [f"({found['points']:,} points)", "", "", ""]
        lines.append("| " + " | ".join([scene, variant, *distances, *shares, *cost]) + " |")
    if apart:
        lines += [
            "",
            "Decimation of the demo's full mesh (mean of both directions and largest distance between the surfaces, "
            "thousandths of the model's unit):",
            "",
            "| what, faces asked | faces | mean | largest | rim | CPU s |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {name} | {row['faces']:,} | {1000 * row['mean']:.3f} | {1000 * row['most']:.2f} | "
            f"{row['boundary']:,} | {row['cpu']:.1f} |"
            for name, row in apart.items()
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
