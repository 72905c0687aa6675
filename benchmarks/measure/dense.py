"""Dense stereo side by side, with exact cameras and with those of SfM: accuracy, completeness, seconds, memory.

    python -m benchmarks.measure.dense [--data DIR] [--scenes demo power_drill ...] [--methods ...] [--repeats 3]
                               [--output build/dense] [--markdown benchmarks/results/dense.md]

Scenes with exact truth: the demo capture, and two scans rendered by `dense_scenes.py`; real ones, fountain-p11 and
saharov, have no true surface: points, seconds and memory. Methods: exact depth (the limit of fusion; rendered scenes,
exact cameras), the simple plane sweep, ours at the three qualities, COLMAP's CUDA PatchMatch if available. Only stereo
differs: cameras, undistorted photos, fusion and its settings are the same for all. Each run has its own process. OUTPUT
keeps scenes, cameras and every measurement; a second call measures what is missing.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from benchmarks.common.dense_scenes import SCANS, build_scene
from benchmarks.common.own_process import figures_of, tell
from benchmarks.common.places import ROOT
from benchmarks.common.show_table import show_table
from benchmarks.matching.records import Records
from benchmarks.measure.captures import median, peak_mb
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.evaluation.cloud_metrics import Surface, cloud_metrics
from blender_recon3d.pipeline.evaluation.evaluate import evaluate
from blender_recon3d.pipeline.evaluation.truth import Truth, read_truth
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.atomic_files import atomic_folder, remove
from blender_recon3d.pipeline.files.ply import columns, read_vertices
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.models.devices import select_device
from blender_recon3d.pipeline.mvs import dense_cloud as stage
from blender_recon3d.pipeline.mvs.consistency import gentler
from blender_recon3d.pipeline.mvs.depth_maps import write_maps
from blender_recon3d.pipeline.mvs.depth_views import load_scene
from blender_recon3d.pipeline.mvs.estimate import PhotoCache, matching_cost
from blender_recon3d.pipeline.mvs.fusion import fuse
from blender_recon3d.pipeline.mvs.plane_sweep import plane_sweep
from blender_recon3d.pipeline.mvs.planes import normals
from blender_recon3d.pipeline.settings import JobSettings, size_for
from blender_recon3d.pipeline.system.cpu import cores
from blender_recon3d.pipeline.system.versions import versions
from blender_recon3d.pipeline.workspace import Workspace

REAL = ("fountain-p11", "saharov")
SCENES = ("demo", *SCANS, *REAL)
EXACT, SWEEP, COLMAP = "exact depth", "plane sweep", "COLMAP PatchMatch"
OURS = ("preview", "medium", "high")
METHODS = (EXACT, SWEEP, *OURS, COLMAP)
SHARES = (0.002, 0.005)  # of the object's size
CAMERAS = ("exact", "SfM")


def main() -> int:
    options = parse()
    if options.one:
        run_one(options)
        return 0
    records = Records(options.output / "results.jsonl", options.fresh)
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for scene in options.scenes:
        for cameras in CAMERAS:
            if cameras == "exact" and scene in REAL:
                continue
            for method in options.methods:
                if not possible(scene, cameras, method):
                    continue
                runs = [measured(options, records, scene, cameras, method, n) for n in range(options.repeats)]
                rows[scene, cameras, method] = median(runs)
    text = markdown(rows, options.repeats)
    show_table("Dense stereo side by side", text, options.markdown)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, default=ROOT.parent / "shared" / "data")
    add("--output", type=Path, default=ROOT / "build" / "dense")
    add("--scenes", nargs="+", choices=SCENES, default=list(SCENES))
    add("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    add("--repeats", type=int, default=1)
    add("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    add("--fresh", action="store_true", help="measure everything again")
    add("--keep", action="store_true", help="keep the clouds and maps of each method in the output folder")
    add("--markdown", type=Path, help="write the table here too")
    add("--one", nargs=3, metavar=("SCENE", "CAMERAS", "METHOD"), help=argparse.SUPPRESS)
    return parser.parse_args()


def possible(scene: str, cameras: str, method: str) -> bool:
    if method == EXACT:
        return scene in SCANS and cameras == "exact"
    if scene not in REAL and cameras == "SfM" and method in (SWEEP, "preview", "high"):
        return False  # differences between methods and sizes are shown with exact cameras
    return method != COLMAP or bool(pycolmap.has_cuda)


def measured(
    options: argparse.Namespace, records: Records, scene: str, cameras: str, method: str, number: int
) -> dict[str, Any]:
    item, settings = f"{scene}, {cameras} cameras #{number}", {"device": options.device, "version": 1}
    identity = f"{method}, recon3d {versions()['recon3d']}, pycolmap {pycolmap.__version__}"
    values = records.get("dense", identity, item, settings)
    if values is None:
        with_cameras(options, scene, cameras)  # not included in the times
        words = ("--data", options.data, "--output", options.output, "--device", options.device)
        values = figures_of(__spec__.name, f"{method} on {scene}", *words, "--one", scene, cameras, method)
        records.put("dense", identity, item, settings, values)
        if not options.keep:
            remove(working_copy(options, scene, cameras, method))
    sys.stderr.write(f"{item}, {method}: {values}\n")
    return values


# -- scenes and cameras ---------------------------------------------------------------------------------


def folders(options: argparse.Namespace, scene: str) -> tuple[Path, Path]:
    """A scene's photos and its truth."""
    if scene == "demo":
        return ROOT / "demo" / "photos", ROOT / "demo" / "truth"
    root = options.data / "captures" / scene if scene in REAL else options.output / "scenes" / scene
    return root / "photos", root / "truth"


def with_cameras(options: argparse.Namespace, scene: str, cameras: str) -> Workspace:
    """A workspace with cameras and sparse points but no dense result; made once."""
    if scene in SCANS:
        build_scene(scene, options.data, options.output / "scenes" / scene)
    workspace = Workspace(options.output / "cameras" / f"{scene} SfM")
    photos, truth = folders(options, scene)
    settings = JobSettings.build(photos=photos, features="sift", until="sfm", **lens(scene))
    run_job(workspace, settings, Progress())
    if cameras == "SfM":
        return workspace
    exact = Workspace(options.output / "cameras" / f"{scene} exact")
    if not exact.root.exists():
        with atomic_folder(exact.root) as part:
            shutil.copytree(workspace.root, part, dirs_exist_ok=True)
            replace_cameras(Workspace(part), truth)
    return exact


def lens(scene: str) -> dict[str, Any]:
    """Options for rendered photos, which have no distortion."""
    return {"camera_model": "PINHOLE"} if scene in SCANS else {}


def replace_cameras(workspace: Workspace, truth: Path) -> None:
    """The model of SfM with the true cameras instead, and the matches' points triangulated again."""
    model, known = pycolmap.Reconstruction(workspace.model), pycolmap.Reconstruction(truth)
    true_camera = next(iter(known.cameras.values()))
    poses = {image.name: image.cam_from_world() for image in known.images.values()}
    sources = {photo.name: Path(photo.source).name for photo in workspace.read_photos().photos}
    for camera in model.cameras.values():
        if camera.model != true_camera.model:
            raise SystemExit(f"SfM has a camera {camera.model}, the truth {true_camera.model}.")
        camera.params = true_camera.params
    for image_id in model.reg_image_ids():
        image = model.image(image_id)
        image.frame.set_cam_from_world(image.camera_id, poses[sources[image.name]])
    remove(workspace.model)
    workspace.model.mkdir()
    found = pycolmap.triangulate_points(model, workspace.database, workspace.images, workspace.model)
    found.write(workspace.model)


# -- one run --------------------------------------------------------------------------------------------


def working_copy(options: argparse.Namespace, scene: str, cameras: str, method: str) -> Path:
    return options.output / "runs" / f"{scene} {cameras} {method}"


def run_one(options: argparse.Namespace) -> None:
    """Undistort, estimate, fuse; prints a line of JSON with the figures."""
    scene, cameras, method = options.one
    base = with_cameras(options, scene, cameras)
    workspace = Workspace(working_copy(options, scene, cameras, method))
    remove(workspace.root)
    workspace.root.mkdir(parents=True)
    quality = method if method in OURS else "medium"
    size = size_for("dense_size", quality)
    choice = "colmap" if method == COLMAP else "torch"
    settings = JobSettings.build(
        quality=quality, photos="", until="dense", device=options.device, dense=choice
    ).dense
    with atomic_folder(workspace.dense) as part:
        stage.undistort(base, settings, part, Progress())
    wall, cpu = time.monotonic(), time.process_time()
    names, photos, pixels = estimate(options, scene, method, settings, workspace)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    start = time.monotonic()
    vertices = fuse(
        workspace.dense, names, settings.min_views, settings.point_spacing, settings.memory, Progress()
    )
    values = {
        "size": size, "photos": photos, "megapixels": pixels / 1e6, "wall": wall, "cpu": cpu,
        "fusion": time.monotonic() - start, "points": len(vertices), "memory_mb": peak_mb(),
    }  # fmt: skip
    truth = folders(options, scene)[1]
    if scene not in REAL:
        values.update(judged(workspace, base, truth, cameras))
    tell(values)


def estimate(
    options: argparse.Namespace, scene: str, method: str, settings: Any, workspace: Workspace
) -> tuple[list[str], int, int]:
    """Write the maps; returns the photos that have some, their number and their pixels."""
    progress = Progress()
    if method == COLMAP:
        names, _ = stage._colmap(workspace, settings, progress)
    elif method == EXACT:
        names = exact_maps(options.output / "scenes" / scene / "depth", workspace.dense)
    elif method == SWEEP:
        names = sweep_maps(workspace, settings)
    else:
        names, _ = stage._torch(workspace, settings, progress)
    pixels = 0
    for name in names:
        height, width = cv2.imread(str(workspace.dense / "images" / name), cv2.IMREAD_GRAYSCALE).shape
        pixels += height * width
    return names, len(names), pixels


def exact_maps(depths: Path, dense: Path) -> list[str]:
    """True depth at the undistorted photos' pixels, and the normals of the planes through its neighbors."""
    model = pycolmap.Reconstruction(dense / "sparse")
    names = []
    for image_id in sorted(model.reg_image_ids()):
        image = model.image(image_id)
        camera = model.camera(image.camera_id)
        exact = np.load(depths / f"{image.name}.npy")
        w = torch.from_numpy(resampled(exact, (camera.width, camera.height)))
        slant_y, slant_x = (gentler(w, dim) for dim in (0, 1))
        w = torch.where(w > 0, w - 0.5 * (slant_x + slant_y), 0)
        depth = np.divide(1, w.numpy(), out=np.zeros_like(w.numpy()), where=w.numpy() > 0)
        normal = normals(w, slant_x, slant_y, torch.tensor(camera.calibration_matrix()))
        write_maps(dense, image.name, depth, normal.numpy())
        names.append(image.name)
    return names


def resampled(depth: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Inverse depth at another size: linear between pixels, which is exact on planes, and the nearest pixel's between
    two surfaces."""
    w = np.divide(1, depth, out=np.zeros_like(depth), where=depth > 0)
    nearest = cv2.resize(w, size, interpolation=cv2.INTER_NEAREST_EXACT)
    linear = cv2.resize(w, size, interpolation=cv2.INTER_LINEAR)
    near, far = (
        cv2.resize(function(w, np.ones((3, 3))), size, interpolation=cv2.INTER_NEAREST_EXACT)
        for function in (cv2.dilate, cv2.erode)
    )
    return np.where(near - far < 0.02 * near, linear, nearest)


def sweep_maps(workspace: Workspace, settings: Any) -> list[str]:
    """The plane sweep with 128 depths in 7x7 windows, one photo per core."""
    scene, device, cache = (
        load_scene(workspace.dense, settings.views),
        select_device(settings.device),
        PhotoCache(),
    )
    usable = [
        number
        for number in range(len(scene.views))
        if scene.neighbors[number] and scene.ranges[number][1] > 0
    ]

    def work(number: int) -> str:
        torch.set_num_threads(1)  # applies to the calling thread
        view = scene.views[number]
        sources = [scene.views[other] for other in scene.neighbors[number]]
        near, far = scene.ranges[number]
        intrinsics = torch.tensor(view.intrinsics, dtype=torch.float32, device=device)
        with torch.inference_mode():
            cost = matching_cost(view, cache.read(view), sources, cache, device, 1, 3)
            depth, normal, _ = plane_sweep(cost, intrinsics, near, far, 128)
        write_maps(workspace.dense, view.name, depth.cpu().numpy(), normal.cpu().numpy())
        return view.name

    with ThreadPoolExecutor(cores() if device.type == "cpu" else 1) as pool:
        return list(pool.map(work, usable))


def judged(workspace: Workspace, base: Workspace, truth: Path, cameras: str) -> dict[str, Any]:
    """Accuracy, completeness and scores of the cloud; with SfM's cameras after the alignment of `evaluate`."""
    known = read_truth(truth)
    if cameras == "SfM":
        target = Workspace(base.root)
        remove(target.dense)
        (target.root / "dense").mkdir()
        shutil.copyfile(workspace.fusion, target.fusion)
        found = evaluate(target, truth)["cloud"]["aligned_by_icp"]
        remove(target.dense)
    else:
        found = exact_metrics(workspace, known)
    values = {"accuracy": found["accuracy"]["mean"], "completeness": found["completeness"]["mean"]}
    for share, score in zip(SHARES, found["scores"], strict=True):
        for name in ("precision", "recall", "f_score"):
            values[f"{name} {share}"] = score[name]
    return values


def exact_metrics(workspace: Workspace, known: Truth) -> dict[str, Any]:
    xyz = columns(read_vertices(workspace.fusion), "x", "y", "z")
    assert xyz is not None and known.surface is not None and known.size is not None
    surface = Surface.build(known.surface, known.normals)
    distances = [share * known.size for share in SHARES]
    return cloud_metrics(xyz, surface, distances, known.center, known.radius)


# -- the table ------------------------------------------------------------------------------------------


def markdown(rows: dict[tuple[str, str, str], dict[str, Any]], repeats: int) -> str:
    here = versions()
    runs = "One run" if repeats == 1 else f"Medians of {repeats} runs"
    lines = [
        f"{runs}; recon3d {here['recon3d']}, torch {here['torch']}, pycolmap {here['pycolmap']}, "
        f"{torch.get_num_threads()} threads. Distances in mm; scores at 0.2 % and 0.5 % of the object's size, in "
        "percent: precision, recall, F. Seconds: estimating depth, all photos; CPU seconds a megapixel; cores: CPU "
        "seconds by seconds.",
        "",
        "| scene | cameras | method | longest side | accuracy | completeness | at 0.2 % | at 0.5 % | points "
        "| seconds | CPU s/MP | cores | fusion, s | peak memory |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (scene, cameras, method), row in rows.items():
        ours = f"ours, {method}" if method in OURS else method
        distances = [f"{1000 * row[key]:.2f}" if key in row else "" for key in ("accuracy", "completeness")]
        scores = [
            " / ".join(f"{100 * row[f'{name} {share}']:.1f}" for name in ("precision", "recall", "f_score"))
            if f"f_score {share}" in row
            else ""
            for share in SHARES
        ]
        cells = [
            scene, cameras, ours, str(row["size"]), *distances, *scores, f"{row['points']:,.0f}", f"{row['wall']:.0f}",
            f"{row['cpu'] / row['megapixels']:.2f}", f"{row['cpu'] / row['wall']:.2f}", f"{row['fusion']:.0f}",
            f"{row['memory_mb']:,.0f} MB",
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
