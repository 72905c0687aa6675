"""Depth maps by the surface's viewing angle: ours, the simple plane sweep and PatchMatch, against exact depth.

    python -m benchmarks.measure.dense_steepness [--data ../shared/data] [--output build/dense] [--views 0 8 16]
                                         [--markdown benchmarks/results/dense_steepness.md]

On the rendered scenes of `dense.py` (whose OUTPUT it shares), with exact cameras, medium quality, before photos are
compared with each other. Complete: pixels with a depth within 0.1 % and 0.25 % of the true one; wrong: with an error of
more than 1 %. PatchMatch is the torch implementation of `patchmatch.py`, since COLMAP's needs CUDA.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.common.dense_scenes import SCANS
from benchmarks.common.patchmatch import patch_match
from benchmarks.common.places import ROOT
from benchmarks.measure.dense import resampled, with_cameras
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.atomic_files import atomic_folder
from blender_recon3d.pipeline.mvs import dense_cloud as stage
from blender_recon3d.pipeline.mvs.consistency import gentler
from blender_recon3d.pipeline.mvs.cost import MatchingCost
from blender_recon3d.pipeline.mvs.depth_views import Scene, View, load_scene
from blender_recon3d.pipeline.mvs.estimate import PhotoCache, estimate_one, matching_cost
from blender_recon3d.pipeline.mvs.plane_sweep import plane_sweep
from blender_recon3d.pipeline.mvs.planes import normals
from blender_recon3d.pipeline.settings import JobSettings

STEEPNESS = (0, 45, 60, 70, 77, 85)  # degrees between the surface's normal and the ray
CLOSE = (0.001, 0.0025)  # of depth
WRONG = 0.01
CPU = torch.device("cpu")

Method = Callable[[Scene, int, PhotoCache], np.ndarray]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "dense")
    parser.add_argument("--views", type=int, nargs="+", default=[0, 8, 16], help="photos of each scene")
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    counts = {name: np.zeros((len(STEEPNESS) - 1, 2 + len(CLOSE))) for name in METHODS}
    seconds = dict.fromkeys(METHODS, 0.0)
    megapixels = 0.0
    for name in SCANS:
        scene = undistorted(options, name)
        cache = PhotoCache()
        for number in options.views:
            view = scene.views[number]
            true, angle = truth(view, options.output / "scenes" / name / "depth")
            megapixels += true.size / 1e6
            true = np.where(true < scene.ranges[number][1], true, 0)
            for label, method in METHODS.items():
                start = time.process_time()
                with torch.inference_mode():
                    depth = method(scene, number, cache)
                seconds[label] += time.process_time() - start
                counts[label] += counted(depth, true, angle)
            sys.stderr.write(f"{name} {number}\n")
    text = table(counts, seconds, megapixels)
    sys.stdout.write(text)
    if options.markdown:
        options.markdown.write_text("# Depth by steepness\n\n" + text, "utf-8")
    return 0


def undistorted(options: argparse.Namespace, name: str) -> Scene:
    base = with_cameras(options, name, "exact")
    folder = options.output / "runs" / f"{name} steepness"
    settings = JobSettings.build(photos="", dense="torch").dense
    if not folder.exists():
        with atomic_folder(folder) as part:
            stage.undistort(base, settings, part, Progress())
    return load_scene(folder, settings.views)


def truth(view: View, depths: Path) -> tuple[np.ndarray, np.ndarray]:
    """True depth [H, W] where maps have it, and the surface's viewing angle in degrees."""
    w = torch.from_numpy(resampled(np.load(depths / f"{view.name}.npy"), (view.width, view.height)))
    slant_x, slant_y = gentler(w, 1), gentler(w, 0)
    normal = normals(w, slant_x, slant_y, torch.tensor(view.intrinsics)).numpy()
    corner = torch.where(w > 0, w - 0.5 * (slant_x + slant_y), 0).numpy()
    x, y = np.meshgrid(np.arange(view.width) + 0.5, np.arange(view.height) + 0.5)
    rays = np.stack([x, y, np.ones_like(x)], axis=-1) @ np.linalg.inv(view.intrinsics).T
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    angle = np.degrees(np.arccos(np.clip(-(rays * normal).sum(axis=-1), -1, 1)))
    return np.divide(1, corner, out=np.zeros_like(corner), where=corner > 0), angle


def counted(depth: np.ndarray, true: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """For each range of angles: pixels, those within each of CLOSE, wrong ones."""
    error = np.abs(depth - true) / np.maximum(true, 1e-9)
    rows = []
    for low, high in itertools.pairwise(STEEPNESS):
        here = (true > 0) & (angle >= low) & (angle < high)
        close = [(here & (error < limit)).sum() for limit in CLOSE]
        rows.append([here.sum(), *close, (here & (depth > 0) & (error > WRONG)).sum()])
    return np.array(rows)


def ours(scene: Scene, number: int, cache: PhotoCache) -> np.ndarray:
    return estimate_one(scene, number, cache, CPU, scene.views[number].height, lambda: None)[0]


def sweep(scene: Scene, number: int, cache: PhotoCache) -> np.ndarray:
    near, far = scene.ranges[number]
    return plane_sweep(cost_of(scene, number, cache)(1, 3), matrix(scene, number), near, far, 128)[0].numpy()


def patches(scene: Scene, number: int, cache: PhotoCache) -> np.ndarray:
    near, far = scene.ranges[number]
    return patch_match(cost_of(scene, number, cache), matrix(scene, number), near, far, number)[0].numpy()


def cost_of(scene: Scene, number: int, cache: PhotoCache) -> Callable[[int, int], MatchingCost]:
    view, sources = scene.views[number], [scene.views[other] for other in scene.neighbors[number]]
    return lambda factor, radius: matching_cost(view, cache.read(view), sources, cache, CPU, factor, radius)


def matrix(scene: Scene, number: int) -> torch.Tensor:
    return torch.tensor(scene.views[number].intrinsics, dtype=torch.float32)


METHODS: dict[str, Method] = {"ours": ours, "plane sweep": sweep, "PatchMatch in torch": patches}


def table(counts: dict[str, np.ndarray], seconds: dict[str, float], megapixels: float) -> str:
    pixels = next(iter(counts.values()))[:, 0]
    names = [f"{low}° to {high}°" for low, high in itertools.pairwise(STEEPNESS)]
    shares = [f"{name} ({100 * n / pixels.sum():.0f} %)" for name, n in zip(names, pixels, strict=True)]
    lines = [
        f"Scenes {', '.join(SCANS)}; one thread. Complete within 0.1 / 0.25 %, and wrong, in percent of the pixels "
        "whose surface is seen at that angle to its normal.",
        "",
        "| method | " + " | ".join([*shares, "all"]) + " | CPU s/MP |",
        "|---" * (len(names) + 3) + "|",
    ]
    for label, rows in counts.items():
        cells = []
        for row in (*rows, rows.sum(axis=0)):
            first, second, wrong = 100 * row[1:] / max(row[0], 1)
            cells.append(f"{first:.1f} / {second:.1f}, {wrong:.1f}")
        lines.append(f"| {label} | " + " | ".join(cells) + f" | {seconds[label] / megapixels:.1f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
