"""Whether SuperPoint may run in bf16 on a device: measured on the loaded network, never assumed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from .superpoint import Keypoints, SuperPoint

MIN_REPEATED = 0.9  # share of keypoints found again within a pixel, both ways
MIN_COSINE = 0.99  # mean cosine of the descriptors of the same keypoint
MIN_SPEED_UP = 1.3  # bf16 that is emulated is slower than fp32
SIZE = (240, 320)  # of the test image, pixels


def bf16(device: torch.device) -> AbstractContextManager[None]:
    return torch.autocast(device.type, dtype=torch.bfloat16)


def choose_precision(network: SuperPoint, device: torch.device) -> str:
    """ "bf16" where it is faster than fp32 and gives the same keypoints, else "fp32". MPS stays fp32.

    With "bf16" the network is left in channels_last, which is what makes bf16 fast on a CPU.
    """
    if device.type == "mps" or (device.type == "cuda" and not torch.cuda.is_bf16_supported(False)):
        return "fp32"
    image = synthetic_image(*SIZE).to(device)
    exact, seconds = _timed(lambda: _run(network, image, nullcontext()), device)
    _lay_out(network, torch.channels_last)
    image = image.to(memory_format=torch.channels_last)
    reduced, reduced_seconds = _timed(lambda: _run(network, image, bf16(device)), device)
    if agrees(exact, reduced) and seconds > MIN_SPEED_UP * reduced_seconds:
        return "bf16"
    _lay_out(network, torch.contiguous_format)
    return "fp32"


def autocast_agrees(network: SuperPoint, device: torch.device) -> bool:
    """Whether bf16 gives this network's keypoints and descriptors on a fixed synthetic image."""
    image = synthetic_image(*SIZE).to(device)
    return agrees(_run(network, image, nullcontext()), _run(network, image, bf16(device)))


def agrees(exact: Keypoints, reduced: Keypoints) -> bool:
    """Whether two sets of keypoints are the same in all that matters for matching.

    The strongest half of each must be found in the other within a pixel (the weak ones come and go at the
    threshold whatever the arithmetic), with descriptors that point the same way.
    """
    if len(exact.keypoints) == 0 or len(reduced.keypoints) == 0:
        return len(exact.keypoints) == len(reduced.keypoints)
    distance = (exact.keypoints[:, None] - reduced.keypoints[None]).abs().amax(dim=2)
    nearest, partner = distance.min(dim=1)
    repeated = min(
        float((nearest[: (len(nearest) + 1) // 2] <= 1).float().mean()),
        float((distance.amin(dim=0)[: (len(reduced.keypoints) + 1) // 2] <= 1).float().mean()),
    )
    same = nearest <= 1
    if repeated < MIN_REPEATED or not same.any():
        return False
    cosine = (exact.descriptors[same] * reduced.descriptors[partner[same]]).sum(dim=1).mean()
    return bool(cosine >= MIN_COSINE)


def synthetic_image(height: int, width: int) -> Tensor:
    """A fixed grey image [1, 1, height, width] in [0, 1] with edges, corners and texture of several scales."""
    rows = torch.arange(height, dtype=torch.float32)[:, None]
    columns = torch.arange(width, dtype=torch.float32)[None, :]
    image = torch.full((height, width), 0.5)
    for period, angle, strength in ((37.0, 0.3, 0.12), (23.0, 1.4, 0.1), (11.0, 2.2, 0.07), (5.3, 0.9, 0.03)):
        direction = torch.tensor(angle)
        phase = (columns * torch.cos(direction) + rows * torch.sin(direction)) * (6.2832 / period)
        image += strength * torch.sin(phase + 0.02 * rows)
    checks = ((columns // 29) + (rows // 23)) % 2
    return (image + 0.25 * (checks - 0.5)).clamp(0, 1)[None, None]


def _lay_out(network: SuperPoint, memory_format: torch.memory_format) -> None:
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=memory_format)


def _run(network: SuperPoint, image: Tensor, arithmetic: AbstractContextManager[None]) -> Keypoints:
    with torch.inference_mode(), arithmetic:
        return network(image)[0]


def _timed(run: Callable[[], Keypoints], device: torch.device) -> tuple[Keypoints, float]:
    """The result, and the best time of three runs after a first one that does not count."""
    result, best = run(), float("inf")
    for _ in range(3):
        start = time.perf_counter()
        result = run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - start)
    return result, best
