"""How long a whole job will take on this machine, how much memory and disk, from the sizes of its photos alone.

The machine's speed is measured in about a second (mvs/depth_forecast.py); what each stage takes in units of that was
measured by benchmarks/measure/forecast.py, which also says how far off this is.
"""

from __future__ import annotations

from .documents.inspection_json import Forecast
from .models import front_ends
from .settings import STAGES, JobSettings

# Seconds in units of the time that depth takes for a megapixel of a photo alone, on all cores of a CPU. What networks
# take in them stands with each as its `effort` (models/networks).
READ = 0.02  # a megapixel of a photo, decoded and looked at
PLACE = 0.25  # a photo, in structure from motion
MESH = 0.8  # a megapixel of depth
TEXTURE = 1.5  # a megatexel
TEXTURE_PHOTO = 0.3  # a photo
ENGINE_BYTES = 1_500 << 20  # the libraries, the networks and a few photos at a time
SURFACE_BYTES = 2_200 << 20  # of some 600,000 points and a texture of 4096 x 4096
DENSE_BYTES_A_PIXEL = 26  # on disk: depth and normal maps, the undistorted photo


def total(seconds: dict[str, float], until: str) -> float:
    """Seconds of the stages up to `until`."""
    return sum(seconds.get(name, 0.0) for name in STAGES[: STAGES.index(until) + 1])


def forecast_job(sizes: list[tuple[int, int]], settings: JobSettings) -> Forecast:
    """The forecast for photos of these sizes (width, height)."""
    from .models.devices import select_device
    from .mvs import depth_forecast as depth

    count = len(sizes)
    extractor = front_ends.extractor_of(settings.features.front_end)
    matcher = front_ends.matcher_of(settings.matches.front_end)
    device = select_device(settings.dense.device)
    unit = depth.seconds_per_megapixel(device, settings.dense.views)
    pixels = [shrunk(size, settings.dense.max_size) for size in sizes]
    plan = depth.plan([(height, width) for width, height in pixels], device, settings.dense.memory * 2**30)
    seen = sum(width * height for width, height in (shrunk(s, settings.features.max_size) for s in sizes))
    taken = sum(width * height for width, height in sizes)
    keypoints = settings.features.max_keypoints / 2048 if settings.features.max_keypoints else 1.0
    seconds = {
        "photos": READ * unit * taken / 1e6,
        "pairs": 0.0,
        "features": extractor.effort * unit * seen / 1e6,
        "matches": matcher.effort * unit * keypoints**matcher.growth * number_of_pairs(count, settings),
        "sfm": PLACE * unit * count,
        "dense": depth.forecast([(height, width) for width, height in pixels], device, settings.dense.views, plan),
        "mesh": MESH * unit * sum(width * height for width, height in pixels) / 1e6,
        "texture": TEXTURE * unit * (settings.texture.texture_size / 1024) ** 2 + TEXTURE_PHOTO * unit * count,
    }  # fmt: skip
    maps = sum(width * height for width, height in pixels) * DENSE_BYTES_A_PIXEL
    return Forecast(
        {name: round(value, 1) for name, value in seconds.items()},
        max(ENGINE_BYTES, plan.bytes),
        max(SURFACE_BYTES, plan.bytes),
        maps + count * (4 << 20),
    )


def memory(forecast: Forecast, until: str) -> int:
    """Bytes of memory up to that stage."""
    surface = "mesh" in STAGES[: STAGES.index(until) + 1]
    return forecast.memory_of_surface if surface else forecast.memory


def number_of_pairs(count: int, settings: JobSettings) -> int:
    """About how many pairs are matched."""
    everything = count * (count - 1) // 2
    if settings.pairs.strategy == "exhaustive":
        return everything
    each = settings.pairs.window if settings.pairs.strategy == "sequential" else settings.pairs.neighbors
    return min(everything, count * each)


def shrunk(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """The size (width, height) with its longest side at most `longest`."""
    scale = min(1.0, longest / max(*size, 1))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
