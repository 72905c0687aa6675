"""How dense a cloud fusion makes, by point spacing: scores against the truth, points, seconds.

    python -m benchmarks.measure.fusion WORKSPACE --truth DIR [--spacings 2 1 0.7] [--markdown FILE]

WORKSPACE: one with depth maps, of a capture with a true surface (the demo has: demo/truth). Only fusion differs;
it works in a linked copy of dense/. The cloud is aligned with the truth by the cameras.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.common.show_table import show_table
from blender_recon3d.pipeline.colmap.model_files import read_model
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.evaluation.alignment import robust_similarity
from blender_recon3d.pipeline.evaluation.cloud_metrics import Surface, cloud_metrics
from blender_recon3d.pipeline.evaluation.evaluate import match_names
from blender_recon3d.pipeline.evaluation.evaluation_table import SHARES
from blender_recon3d.pipeline.evaluation.truth import Truth, read_truth
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.ply import columns
from blender_recon3d.pipeline.mvs.fusion import fuse
from blender_recon3d.pipeline.workspace import Workspace

HEAD = ("spacing, px", "points", "views", "accuracy, mm", "completeness, mm", "at 0.2 %", "at 0.5 %", "CPU s")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--spacings", type=float, nargs="+", default=[2.0, 1.0, 0.7])
    parser.add_argument("--min-views", type=int, default=3)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    workspace, truth = Workspace(options.workspace), read_truth(options.truth)
    if truth.surface is None or truth.size is None:
        raise UserError(f"{options.truth} has no surface: choose a capture that has one.", 2)
    surface = Surface.build(truth.surface, truth.normals)
    model = read_model(workspace.model)
    ours = {model.image(i).name: model.image(i).projection_center() for i in model.reg_image_ids()}
    names = match_names(list(ours), list(truth.centers))
    similarity, _ = robust_similarity(
        np.array([ours[name] for name in names]), np.array([truth.centers[name] for name in names.values()])
    )
    rows = []
    for spacing in options.spacings:
        vertices, seconds = fused(workspace.dense, options.min_views, spacing)
        xyz = columns(vertices, "x", "y", "z")
        assert xyz is not None
        rows.append(row(spacing, vertices, seconds, similarity.apply(xyz), surface, truth))
    lines = [HEAD, ("---",) * len(HEAD), *rows]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
    show_table("How dense a cloud fusion makes, by point spacing", text, options.markdown)
    return 0


def fused(dense: Path, min_views: int, spacing: float) -> tuple[np.ndarray, float]:
    """The cloud's vertices and the CPU seconds."""
    with tempfile.TemporaryDirectory(dir=dense.parent.parent) as scratch:
        copy = Path(scratch) / "dense"
        shutil.copytree(dense, copy, copy_function=os.link)
        config = copy / "stereo" / "fusion.cfg"
        names = config.read_text("utf-8").split("\n")
        config.unlink()  # it is written again, and is a link to the workspace's
        begin = time.process_time()
        vertices = fuse(copy, [name for name in names if name], min_views, spacing, 64.0, Progress())
        return vertices, time.process_time() - begin


def row(
    spacing: float, vertices: np.ndarray, seconds: float, xyz: np.ndarray, surface: Surface, truth: Truth
) -> tuple[str, ...]:
    assert truth.size is not None
    judged = cloud_metrics(xyz, surface, [share * truth.size for share in SHARES], truth.center, truth.radius)
    scores = [
        " / ".join(f"{100 * score[name]:.1f}" for name in ("precision", "recall", "f_score"))
        for score in judged["scores"]
    ]
    distances = [f"{1000 * judged[name]['mean']:.2f}" for name in ("accuracy", "completeness")]
    views = f"{vertices['views'].mean():.1f}"
    return f"{spacing:g}", f"{len(vertices):,}", views, *distances, *scores, f"{seconds:.0f}"


if __name__ == "__main__":
    raise SystemExit(main())
