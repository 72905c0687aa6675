"""Forecasts time, memory and disk of a whole job on this machine from the sizes of its photos alone.

The machine's speed is measured in about a second (mvs/depth_forecast.py). What each stage takes in units of that was
measured by benchmarks/measure/forecast.py, which also shows how accurate this is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .documents.inspection_json import Forecast
from .stage import all_stages, up_to
from .stage_settings import DenseSettings, FeaturesSettings, PairsSettings

if TYPE_CHECKING:
    from .settings import JobSettings

ENGINE_BYTES = 1_500 << 20  # libraries, networks and a few photos at a time
SURFACE_BYTES = 2_800 << 20  # for some 1,250,000 points and a texture of 4096 x 4096
RETRIEVED = (
    0.7  # pairs for each neighbor asked for: two photos are often each other's (benchmarks/measure/scale.py)
)
FUSION_BYTES_A_PIXEL = 58  # maps of all photos and the points made of them (benchmarks/results/scale.md)
DENSE_BYTES_A_PIXEL = 26  # on disk: depth and normal maps, the undistorted photo


def total(seconds: dict[str, float], until: str) -> float:
    """Seconds of the stages up to `until`."""
    return sum(seconds.get(name, 0.0) for name in up_to(until))


@dataclass(frozen=True)
class Facts:
    """What a stage's forecast is computed from. megapixels_taken: of all photos; megapixels_seen: the same at the size
    for features; megapixels_of_depth: the same at the size for depth; keypoints: per photo, in units of the default
    number; pairs: number of pairs to match; unit: seconds that depth takes for one megapixel of one photo on all CPU
    cores, the unit of forecasts; seconds_of_depth: for all photos."""

    settings: JobSettings
    photos: int
    megapixels_taken: float
    megapixels_seen: float
    megapixels_of_depth: float
    keypoints: float
    pairs: int
    unit: float
    seconds_of_depth: float


def forecast_job(
    sizes: list[tuple[int, int]], settings: JobSettings, reading: int = 0, unit: float = 0.0
) -> Forecast:
    """The forecast for photos of these sizes (width, height). reading: bytes needed to decode them. unit: as in
    `Facts`; 0: it is measured."""
    from .mvs import depth_forecast as depth
    from .mvs.depth_speed import seconds_per_megapixel

    dense, features = settings.of(DenseSettings), settings.of(FeaturesSettings)
    count = len(sizes)
    device = _device(dense.device)
    pixels = [shrunk(size, dense.max_size) for size in sizes]
    heights_first = [(height, width) for width, height in pixels]
    plan = depth.plan(heights_first, device, dense.memory * 2**30)
    unit = unit or seconds_per_megapixel(device, dense.views)
    facts = Facts(
        settings,
        count,
        sum(width * height for width, height in sizes) / 1e6,
        sum(width * height for width, height in (shrunk(s, features.max_size) for s in sizes)) / 1e6,
        sum(width * height for width, height in pixels) / 1e6,
        features.max_keypoints / 2048 if features.max_keypoints else 1.0,
        number_of_pairs(count, settings),
        unit,
        depth.forecast(heights_first, plan, unit),
    )
    seconds = {stage.name: facts.unit * stage.forecast(facts) for stage in all_stages()}
    depths = sum(width * height for width, height in pixels)
    # Beyond its limit, fusion cuts space into cells.
    fusion = int(min(dense.memory * 2**30, depth.process_bytes() + depths * FUSION_BYTES_A_PIXEL))
    return Forecast(
        {name: round(value, 1) for name, value in seconds.items()},
        max(ENGINE_BYTES, plan.bytes, fusion, reading),
        max(SURFACE_BYTES, plan.bytes, fusion, reading),
        depths * DENSE_BYTES_A_PIXEL + count * (4 << 20),
    )


def _device(name: str) -> str:
    """The name of the torch device that will be used. UserError if there is none."""
    if name == "cpu":
        return name  # without loading torch
    from .models.devices import select_device

    return str(select_device(name))


def memory(forecast: Forecast, until: str) -> int:
    """Bytes of memory needed up to that stage."""
    return forecast.memory_of_surface if "mesh" in up_to(until) else forecast.memory


def number_of_pairs(count: int, settings: JobSettings) -> int:
    """Approximate number of pairs to match."""
    everything = count * (count - 1) // 2
    pairs = settings.of(PairsSettings)
    if pairs.strategy == "sequential":
        return min(everything, count * pairs.window)
    if not by_retrieval(count, settings):
        return everything
    return min(everything, round(RETRIEVED * count * pairs.neighbors))


def by_retrieval(count: int, settings: JobSettings) -> bool:
    """Whether similar photos are searched for; a list of pairs counts as found so, since its length is unknown."""
    pairs = settings.of(PairsSettings)
    few = count * (count - 1) // 2 <= count * pairs.neighbors
    return pairs.strategy not in ("exhaustive", "sequential") and not (pairs.strategy == "auto" and few)


def shrunk(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """The size (width, height) reduced so that its longest side is at most `longest`."""
    scale = min(1.0, longest / max(*size, 1))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
