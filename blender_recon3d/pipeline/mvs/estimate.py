"""Depth and normal maps of all photos on a torch device, photo by photo, in COLMAP's workspace."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from ..events import Progress
from .cascade import cascade
from .cost import MatchingCost
from .maps import map_paths, write_maps
from .views import Scene, View, scaled_intrinsics

CACHED_PHOTOS = 16  # grey photos kept in memory between estimates


class PhotoCache:
    """Grey photos as float32 arrays in 0..1, the last CACHED_PHOTOS of them; thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read = lru_cache(maxsize=CACHED_PHOTOS)(View.read_gray)

    def read(self, view: View) -> np.ndarray:
        with self._lock:
            return self._read(view)


def estimate_all(
    dense: Path, scene: Scene, device: torch.device, masks: Path, progress: Progress
) -> tuple[int, list[str]]:
    """Write the maps of every photo that has neighbours; how many there are, and the names without.

    On a CPU, photos are worked on side by side with one thread each, which uses the cores better than many
    threads on one photo. Photos whose maps are there are passed over.
    """
    todo, alone, done = [], [], 0
    for number, view in enumerate(scene.views):
        if not scene.neighbours[number] or scene.ranges[number][1] <= 0:
            alone.append(view.name)
        elif all(path.exists() for path in map_paths(dense, view.name)):
            done += 1
        else:
            todo.append(number)
    total = done + len(todo)
    progress.update(done, total, "estimating depth")
    cache = PhotoCache()

    def work(number: int) -> None:
        if device.type == "cpu":
            torch.set_num_threads(1)  # holds for the calling thread
        depth, normal = estimate_one(scene, number, cache, device, progress.check)
        mask = masks / f"{scene.views[number].name}.png"
        if mask.exists():
            depth[cv2.imdecode(np.fromfile(mask, np.uint8), cv2.IMREAD_GRAYSCALE) == 0] = 0
        write_maps(dense, scene.views[number].name, depth, normal)

    workers = (os.cpu_count() or 1) if device.type == "cpu" else 1
    _run_all(work, todo, workers, lambda count: progress.update(done + count, total, "estimating depth"))
    return total, alone


def _run_all(
    work: Callable[[int], None], items: list[int], workers: int, report: Callable[[int], None]
) -> None:
    """Run `work` on each item; the first failure or cancel stops what has not begun and is raised."""
    pool = ThreadPoolExecutor(max_workers=workers)
    try:
        waiting: set[Future[None]] = {pool.submit(work, item) for item in items}
        count = 0
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                future.result()
                count += 1
                report(count)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def estimate_one(
    scene: Scene, number: int, cache: PhotoCache, device: torch.device, check: Callable[[], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Depth float32 [H, W] (0: none) and normals float32 [H, W, 3] of one photo."""
    view = scene.views[number]
    sources = [scene.views[other] for other in scene.neighbours[number]]
    near, far = scene.ranges[number]
    with torch.inference_mode():
        depth, normal, _ = cascade(
            lambda factor, radius: matching_cost(view, sources, cache, device, factor, radius),
            torch.tensor(view.intrinsics, dtype=torch.float32, device=device),
            (view.height, view.width),
            near,
            far,
            scene.points[number],
            check,
        )
    return depth.cpu().numpy(), normal.cpu().numpy()


def matching_cost(
    view: View, sources: list[View], cache: PhotoCache, device: torch.device, factor: int, radius: int
) -> MatchingCost:
    """The cost of a photo against its sources, all at 1/factor of their size."""
    images, intrinsics = zip(
        *(_scaled(item, cache.read(item), factor, device) for item in (view, *sources)), strict=True
    )
    relative = []
    for source in sources:
        rotation = source.cam_from_world[:, :3] @ view.cam_from_world[:, :3].T
        translation = source.cam_from_world[:, 3] - rotation @ view.cam_from_world[:, 3]
        relative.append(torch.tensor(np.column_stack([rotation, translation])))
    return MatchingCost(images[0], list(images[1:]), intrinsics[0], list(intrinsics[1:]), relative, radius)


def _scaled(view: View, gray: np.ndarray, factor: int, device: torch.device) -> tuple[Tensor, Tensor]:
    height, width = gray.shape
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    if factor > 1:
        gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    intrinsics = scaled_intrinsics(view.intrinsics, size[0] / width, size[1] / height)
    return torch.from_numpy(gray).to(device), torch.tensor(intrinsics)
