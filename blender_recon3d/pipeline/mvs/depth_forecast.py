"""Forecasts time and memory of depth estimation before it starts, and plans for the memory limit. Never loads torch.

device: the name of a torch device, such as "cpu" or "cuda:1".
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import version

from ..system.cpu import cores

# Bytes, from measured peaks with 0.75 to 7 megapixels (tests/pipeline/mvs/test_estimate.py checks them).
WORKING = 105  # per pixel of the rows being processed: planes, costs
WHOLE = 40  # per pixel of the photo, whatever its bands: four photos to compare with, the results
FIXED = 400 << 20  # the process itself, and the strips
CUDA_LIBRARIES = 290 << 20  # which a torch built for CUDA loads with or without a card
CACHE = 256 << 20  # gray photos kept for later use
MIN_ROWS = 256  # of a band, without the margins
MARGIN = 64  # rows of its neighbors that a band includes: the reach of windows, fits and propagation
# The work per photo relative to the trial's (sparse planes, comparing, reading, writing), and how much concurrent
# photos slow each other down: benchmarks/measure/dense.py.
BESIDES = 2.0


@dataclass(frozen=True)
class Plan:
    """workers: photos processed in parallel; rows: of a photo processed at the same time, at most all of them."""

    workers: int
    rows: int
    bytes: int


def process_bytes() -> int:
    """What the process takes before any photo is read."""
    only_cpu = sys.platform == "darwin" or version("torch").endswith("+cpu")
    return FIXED if only_cpu else FIXED + CUDA_LIBRARIES


def plan(sizes: list[tuple[int, int]], device: str, memory: float) -> Plan:
    """A plan for `memory` bytes; sizes: (height, width) of the photos."""
    height, width = max(sizes, key=lambda size: size[0] * size[1], default=(1, 1))
    pixels = height * width
    max_workers = min(cores(), len(sizes) or 1) if device == "cpu" else 1
    fixed = process_bytes() + min(CACHE, len(sizes) * pixels)
    for workers in range(max_workers, 0, -1):
        needed = fixed + workers * pixels * (WORKING + WHOLE)
        if needed <= memory:
            return Plan(workers, height, needed)
    available = memory - fixed - pixels * WHOLE
    rows = max(MIN_ROWS, min(height, int(available // (width * WORKING)) - 2 * MARGIN))
    return Plan(1, rows, fixed + pixels * WHOLE + min(rows + 2 * MARGIN, height) * width * WORKING)


def forecast(sizes: list[tuple[int, int]], chosen: Plan, unit: float) -> float:
    """Approximate seconds for all photos. unit: seconds for one megapixel (`depth_speed.seconds_per_megapixel`)."""
    megapixels = sum(height * width for height, width in sizes) / 1e6
    return BESIDES * megapixels * unit / (0.85 * chosen.workers + 0.15)
