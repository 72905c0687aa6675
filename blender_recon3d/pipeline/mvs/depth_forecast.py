"""Forecasts time and memory of depth estimation before it starts, and plans for the memory limit."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import torch

from ..system.cpu import cores
from .cascade import cascade
from .cost import MatchingCost

# Bytes, from measured peaks with 0.75 to 7 megapixels (tests/pipeline/mvs/test_estimate.py checks them).
WORKING = 105  # per pixel of the rows being processed: planes, costs
WHOLE = 40  # per pixel of the photo, whatever its bands: four photos to compare with, the results
FIXED = 400 << 20  # the process itself, and the strips
CACHE = 256 << 20  # gray photos kept for later use
MIN_ROWS = 256  # of a band, without the margins
MARGIN = 64  # rows of its neighbors that a band includes: the reach of windows, fits and propagation
# The work per photo relative to the trial's (sparse planes, comparing, reading, writing), and how much concurrent
# photos slow each other down: benchmarks/measure/dense.py.
BESIDES = 2.0
TRIAL = (360, 480)  # rows and columns of the test photo


@dataclass(frozen=True)
class Plan:
    """workers: photos processed in parallel; rows: of a photo processed at the same time, at most all of them."""

    workers: int
    rows: int
    bytes: int


def plan(sizes: list[tuple[int, int]], device: torch.device, memory: float) -> Plan:
    """A plan for `memory` bytes; sizes: (height, width) of the photos."""
    height, width = max(sizes, key=lambda size: size[0] * size[1], default=(1, 1))
    pixels = height * width
    max_workers = min(cores(), len(sizes) or 1) if device.type == "cpu" else 1
    fixed = FIXED + min(CACHE, len(sizes) * pixels)
    for workers in range(max_workers, 0, -1):
        needed = fixed + workers * pixels * (WORKING + WHOLE)
        if needed <= memory:
            return Plan(workers, height, needed)
    left = memory - fixed - pixels * WHOLE
    rows = max(MIN_ROWS, min(height, int(left // (width * WORKING)) - 2 * MARGIN))
    return Plan(1, rows, fixed + pixels * WHOLE + min(rows + 2 * MARGIN, height) * width * WORKING)


@cache
def seconds_per_megapixel(device: torch.device, views: int) -> float:
    """Of a single photo with `views` neighbors: measured on a small one, in about a second."""
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
        start = time.perf_counter()
        with torch.inference_mode():
            depth, _, _ = cascade(cost_at, intrinsics, (height, width), 1.0, 40.0, np.empty((0, 3)))
        float(depth.sum())  # waits for a GPU
        best = min(best, time.perf_counter() - start)
    torch.set_num_threads(threads)
    return best / (height * width / 1e6)


def forecast(sizes: list[tuple[int, int]], device: torch.device, views: int, chosen: Plan) -> float:
    """Approximate seconds for all photos."""
    megapixels = sum(height * width for height, width in sizes) / 1e6
    return BESIDES * megapixels * seconds_per_megapixel(device, views) / (0.85 * chosen.workers + 0.15)
