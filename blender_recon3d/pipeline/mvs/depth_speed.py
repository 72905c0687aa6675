"""How fast this machine estimates depth: measured on a small photo, and kept for a day in the user's cache."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from ..files import json_values
from ..files.atomic_files import write_json
from ..files.regular import read_regular
from ..models.registry import cache_folder

TRIAL = (360, 480)  # rows and columns of the test photo
KEPT = 24 * 3600  # seconds; a measurement on a busy machine is not used for longer
_MAX_BYTES = 1 << 20


@cache
def seconds_per_megapixel(device: str, views: int, file: Path | None = None) -> float:
    """Of a single photo with `views` neighbors. device: the name of a torch device.

    The measurement takes about a second, and loading torch another two. file: where it is kept.
    """
    path, key = file or cache_folder() / "depth_speed.json", f"torch {version('torch')}, {device}, {views}"
    known = _read(path)
    measured, when = known.get(key, (0.0, 0.0))
    if measured > 0 and 0 <= time.time() - when < KEPT:
        return measured
    measured = measure(device, views)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, known | {key: (round(measured, 4), int(time.time()))})
    return measured


def _read(path: Path) -> dict[str, tuple[float, float]]:
    """Seconds and when they were measured, by what was measured; empty if the file cannot be read."""
    try:
        raw = json_values.mapping(json_values.parse(read_regular(path, _MAX_BYTES)))
    except (OSError, ValueError):
        return {}
    pairs = {key: json_values.items(value) for key, value in raw.items()}
    return {
        key: (json_values.number(pair[0]), json_values.number(pair[1]))
        for key, pair in pairs.items()
        if len(pair) == 2
    }


def measure(name: str, views: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """`seconds_per_megapixel` without the file; clock: counts the seconds."""
    import cv2
    import numpy as np
    import torch

    from .cascade import cascade
    from .cost import MatchingCost

    device = torch.device(name)
    height, width = TRIAL
    texture = cv2.GaussianBlur(
        np.random.default_rng(0).random((height, width)).astype(np.float32), (0, 0), 1.0
    )
    texture = np.clip(0.5 + 3 * (texture - 0.5), 0, 1)
    photos = [torch.from_numpy(np.roll(texture, 3 * number, 1)).to(device) for number in range(views + 1)]
    intrinsics = torch.tensor([[float(width), 0, width / 2], [0, width, height / 2], [0, 0, 1]])
    steps = [0.1 * number for number in range(1, views + 1)]
    poses = [torch.tensor([[1.0, 0, 0, step], [0, 1, 0, 0], [0, 0, 1, 0]]) for step in steps]

    def cost_at(factor: int, radius: int) -> MatchingCost:
        small = [photo[::factor, ::factor].contiguous() for photo in photos]
        shrunk = torch.diag(torch.tensor([1 / factor, 1 / factor, 1])) @ intrinsics
        return MatchingCost(small[0], small[1:], shrunk, [shrunk] * views, poses, radius)

    best, threads = float("inf"), torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)  # as during estimation
    for _ in range(2):  # the first warms up
        start = clock()
        with torch.inference_mode():
            depth, _, _ = cascade(
                cost_at, intrinsics.to(device), (height, width), 1.0, 40.0, np.empty((0, 3))
            )
        float(depth.sum())  # waits for a GPU
        best = min(best, clock() - start)
    torch.set_num_threads(threads)
    return best / (height * width / 1e6)
