"""Depth and normal maps of all photos on a torch device, photo by photo, in COLMAP's workspace.

First every photo by itself (photometric maps), then each compared with its neighbors' (geometric maps, for fusion):
COLMAP's own two steps and files. A photo's maps are written atomically; existing ones are skipped.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from ..errors import UserError
from ..events import Progress
from ..files.atomic_files import remove
from ..files.pictures import read_picture
from ..text import duration
from ..wording import Sentence, option
from .cascade import FULL_RADIUS, cascade
from .consistency import confirmations, without_specks
from .cost import MatchingCost
from .depth_forecast import CACHE, MARGIN, MIN_ROWS, Plan, forecast, plan
from .depth_maps import map_paths, photometric_path, read_map, write_map
from .depth_speed import seconds_per_megapixel
from .depth_views import Scene, View
from .pinhole import scaled_intrinsics
from .silhouettes import borrowed

FORECAST_FROM = 20.0  # megapixels of work that make the second for a forecast worthwhile


class PhotoCache:
    """Gray photos as uint8 arrays, the last `max_views` of them; thread safe."""

    def __init__(self, max_views: int = 16) -> None:
        self._lock = threading.Lock()
        self._read = lru_cache(maxsize=max_views)(View.read_gray)

    def read(self, view: View) -> np.ndarray:
        with self._lock:
            return self._read(view)


class ComputeBudget:
    """The device, workers and rows to use; reduced when the device fails: smaller bands, then the CPU."""

    def __init__(self, device: torch.device, chosen: Plan, progress: Progress) -> None:
        self.device, self.rows, self.workers = device, chosen.rows, chosen.workers
        self._progress = progress
        self._lock = threading.Lock()

    def current(self) -> tuple[torch.device, int]:
        with self._lock:
            return self.device, self.rows

    def reduce(self, failed: tuple[torch.device, int], height: int, error: Exception) -> None:
        """After `error` with the budget `failed` on a photo of `height` rows; UserError if nothing is left to
        reduce."""
        with self._lock:
            if failed != (self.device, self.rows):
                return  # another photo's thread has done so already
            rows = min(self.rows, height)
            if out_of_memory(error) and rows > MIN_ROWS:
                self.rows = max(MIN_ROWS, rows // 2)
                what = f"continues in bands of {self.rows} rows"
            elif self.device.type != "cpu":
                self.device, self.rows = torch.device("cpu"), height
                what = "continues on the CPU, which takes longer"
            else:
                raise UserError(
                    Sentence(
                        f"Depth estimation ran out of memory with bands of {rows} rows: close other programs, or use "
                        "a smaller ",
                        option("dense_size"),
                        ".",
                    )
                ) from error
            reason = "ran out of memory" if out_of_memory(error) else f"failed ({_short(error)})"
            where = "The CPU" if failed[0].type == "cpu" else f"The device {failed[0]}"
            self._progress.warning(f"{where} {reason}: depth estimation {what}.")


def out_of_memory(error: Exception) -> bool:
    """Whether torch reports that there is no memory left."""
    message = str(error).lower()
    return (
        isinstance(error, MemoryError | torch.OutOfMemoryError)
        or "out of memory" in message
        or "can't allocate memory" in message
    )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def estimate_all(
    dense: Path, scene: Scene, device: torch.device, masks: Path, memory: float, progress: Progress
) -> list[str]:
    """Write the maps of every photo that has neighbors; returns the names of those without.

    memory: limit in bytes. On a CPU several photos are processed in parallel with one thread each, which uses the cores
    better than many threads on one photo.
    """
    usable = usable_views(scene)
    remaining = [number for number in usable if not _exist(*map_paths(dense, scene.views[number].name))]
    sources = sorted(
        {other for number in remaining for other in (number, *scene.neighbors[number])} & set(usable)
    )
    first = [number for number in sources if not has_photometric(dense, scene.views[number])]
    sizes = [(scene.views[number].height, scene.views[number].width) for number in first]
    chosen = plan(sizes, str(device), memory)
    _log_forecast(sizes, device, scene, chosen, progress)
    largest = max((height * width for height, width in sizes), default=1)
    budget, cache = ComputeBudget(device, chosen, progress), PhotoCache(min(16, max(1, CACHE // largest)))

    def photometric(number: int) -> None:
        write_photometric(dense, scene, number, cache, budget, masks, progress)

    def geometric(number: int) -> None:
        write_checked(dense, dense, scene, number, budget)
        progress.check()

    able = set(usable)
    total = len(usable)
    run_all(photometric, first, budget, total, "estimating depth", progress)
    run_all(geometric, remaining, budget, total, "comparing depth maps", progress)
    for number in usable:
        remove(photometric_path(dense, scene.views[number].name))
    return [view.name for number, view in enumerate(scene.views) if number not in able]


def write_photometric(
    dense: Path,
    scene: Scene,
    number: int,
    cache: PhotoCache,
    budget: ComputeBudget,
    masks: Path,
    progress: Progress,
) -> None:
    """Write a photo's depth, not yet compared with its neighbors', and its normals into `dense`."""
    depth, normal = estimate_safely(scene, number, cache, budget, progress.within_item().check)
    view = scene.views[number]
    mask = masks / f"{view.name}.png"
    if mask.exists():
        depth[read_picture(mask, cv2.IMREAD_GRAYSCALE) == 0] = 0
    # The depth map is written last: if it exists, so does the other.
    write_map(map_paths(dense, view.name)[1], normal)
    write_map(photometric_path(dense, view.name), depth[..., None])


def write_checked(dense: Path, into: Path, scene: Scene, number: int, budget: ComputeBudget) -> None:
    """Write into the folder `into` what the neighbors in `dense` confirm of a photo's depth there."""
    view = scene.views[number]
    neighbors = [scene.views[other] for other in scene.neighbors[number] if _has_neighbors(scene, other)]
    write_map(map_paths(into, view.name)[0], checked(dense, view, neighbors, budget)[..., None])


def usable_views(scene: Scene) -> list[int]:
    """The photos whose depth can be estimated."""
    return [number for number in range(len(scene.views)) if _has_neighbors(scene, number)]


def _has_neighbors(scene: Scene, number: int) -> bool:
    return bool(scene.neighbors[number]) and scene.ranges[number][1] > 0


def has_photometric(dense: Path, view: View) -> bool:
    return _exist(photometric_path(dense, view.name), map_paths(dense, view.name)[1])


def _exist(*paths: Path) -> bool:
    return all(path.exists() for path in paths)


def _log_forecast(
    sizes: list[tuple[int, int]], device: torch.device, scene: Scene, chosen: Plan, progress: Progress
) -> None:
    """Report the forecast if the work is large enough."""
    megapixels = sum(height * width for height, width in sizes) / 1e6
    if megapixels < FORECAST_FROM:
        return
    views = max(len(neighbors) for neighbors in scene.neighbors)
    seconds = forecast(sizes, chosen, seconds_per_megapixel(str(device), views))
    bands = f" in bands of {chosen.rows} rows" if chosen.rows < max(height for height, _ in sizes) else ""
    progress.info(
        f"Depth of {len(sizes)} photos, {megapixels:.0f} megapixels{bands}: about {duration(seconds)} and "
        f"{chosen.bytes / 2**30:.1f} GB on {device}.",
        seconds=seconds,
        bytes=chosen.bytes,
    )


def run_all(
    work: Callable[[int], None],
    items: list[int],
    budget: ComputeBudget,
    total: int,
    message: str,
    progress: Progress,
) -> None:
    """Run `work` on each item; the first failure or cancellation stops those not yet started and is raised."""
    done = total - len(items)
    progress.update(done, total, message)

    def single_threaded(item: int) -> None:
        torch.set_num_threads(1)  # applies to the calling thread
        work(item)

    pool = ThreadPoolExecutor(max_workers=budget.workers)
    try:
        run = single_threaded if budget.device.type == "cpu" else work
        waiting: set[Future[None]] = {pool.submit(run, item) for item in items}
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                future.result()
                done += 1
                progress.update(done, total, message)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def estimate_safely(
    scene: Scene, number: int, cache: PhotoCache, budget: ComputeBudget, check: Callable[[], None]
) -> tuple[np.ndarray, np.ndarray]:
    """`estimate_one` with the current budget, and with a reduced one after a failure."""
    while True:
        device, rows = tried = budget.current()
        try:
            return estimate_one(scene, number, cache, device, rows, check)
        except (MemoryError, RuntimeError) as error:
            if device.type == "cpu" and not out_of_memory(error):
                raise
            budget.reduce(tried, scene.views[number].height, error)


def estimate_one(
    scene: Scene, number: int, cache: PhotoCache, device: torch.device, rows: int, check: Callable[[], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Depth float32 [H, W] (0: none) and normals float32 [H, W, 3] of one photo, processed in bands of `rows`."""
    view = scene.views[number]
    sources = [scene.views[other] for other in scene.neighbors[number]]
    depth = np.empty((view.height, view.width), np.float32)
    normal = np.empty((view.height, view.width, 3), np.float32)
    for top in range(0, view.height, rows):
        bottom = min(view.height, top + rows)
        band = slice(max(0, top - MARGIN), min(view.height, bottom + MARGIN))
        own = slice(top - band.start, bottom - band.start)
        maps = _estimate_band(view, sources, scene, number, band, cache, device, check)
        depth[top:bottom], normal[top:bottom] = (values[own].cpu().numpy() for values in maps)
    return depth, normal


def _estimate_band(
    view: View,
    sources: list[View],
    scene: Scene,
    number: int,
    band: slice,
    cache: PhotoCache,
    device: torch.device,
    check: Callable[[], None],
) -> tuple[Tensor, Tensor]:
    """Depth [h, W] and normals [h, W, 3] of some rows, as if they were the whole photo."""
    intrinsics = view.intrinsics.copy()
    intrinsics[1, 2] -= band.start
    part = dataclasses.replace(view, height=band.stop - band.start, intrinsics=intrinsics)
    photo = cache.read(view)[band]
    points = scene.points[number] - np.array([0, band.start, 0])
    points = points[(points[:, 1] > 0) & (points[:, 1] < part.height)]
    near, far = scene.ranges[number]
    with torch.inference_mode():
        depth, normal, _ = cascade(
            lambda factor, radius: matching_cost(part, photo, sources, cache, device, factor, radius),
            torch.tensor(intrinsics, dtype=torch.float32, device=device),
            (part.height, part.width),
            near,
            far,
            points,
            check,
        )
        reference, _ = _scaled(part, photo, 1, device)
        depth = depth.masked_fill(borrowed(reference, depth, FULL_RADIUS), 0.0)
    return depth, normal


def matching_cost(
    view: View,
    photo: np.ndarray,
    sources: list[View],
    cache: PhotoCache,
    device: torch.device,
    factor: int,
    radius: int,
) -> MatchingCost:
    """The cost of a photo (uint8 [H, W]) against its sources, all at 1/factor of their size."""
    reference, intrinsics = _scaled(view, photo, factor, device)
    others = [_scaled(source, cache.read(source), factor, device) for source in sources]
    relative = []
    for source in sources:
        rotation = source.cam_from_world[:, :3] @ view.cam_from_world[:, :3].T
        translation = source.cam_from_world[:, 3] - rotation @ view.cam_from_world[:, 3]
        relative.append(torch.tensor(np.column_stack([rotation, translation])))
    return MatchingCost(
        reference,
        [image for image, _ in others],
        intrinsics,
        [matrix for _, matrix in others],
        relative,
        radius,
    )


def _scaled(view: View, gray: np.ndarray, factor: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Gray values float32 in 0..1, and intrinsics, at 1/factor of the size."""
    height, width = gray.shape
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    small = cv2.resize(gray.astype(np.float32), size, interpolation=cv2.INTER_AREA) if factor > 1 else gray
    values = small.astype(np.float32) / 255.0
    intrinsics = scaled_intrinsics(view.intrinsics, size[0] / width, size[1] / height)
    return torch.from_numpy(values).to(device), torch.tensor(intrinsics)


def checked(dense: Path, view: View, neighbors: list[View], budget: ComputeBudget) -> np.ndarray:
    """A photo's photometric depth without values that no neighbor confirms, and without speckles."""
    depth = read_map(photometric_path(dense, view.name))[..., 0]
    device, _ = budget.current()

    def on_device(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.array(values, np.float32)).to(device)

    others = ((on_device(read_map(photometric_path(dense, item.name))[..., 0]), item) for item in neighbors)
    with torch.inference_mode():
        count = confirmations(on_device(depth), view, others, device).cpu().numpy()
    return without_specks(np.where(count > 0, depth, 0))
