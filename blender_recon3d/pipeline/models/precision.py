"""Whether SuperPoint may run in bf16 on a device: measured on the loaded network, never assumed."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from .superpoint import Keypoints, SuperPoint

MIN_REPEATED = 0.9  # share of keypoints found again within a pixel, both ways
MIN_COSINE = 0.99  # mean cosine of the descriptors of the same keypoint
MIN_SPEED_UP = 1.3  # bf16 that is emulated is slower than fp32
SIZE = (128, 160)  # of the test image, pixels


def bf16(device: torch.device) -> AbstractContextManager[None]:
    return torch.autocast(device.type, dtype=torch.bfloat16)


def choose_precision(network: SuperPoint, device: torch.device) -> str:
    """ "bf16" where it is faster than fp32 and gives the same keypoints, else "fp32". MPS stays fp32.

    With "bf16" the network is left in channels_last, which is what makes bf16 fast on a CPU.
    """
    if device.type == "mps" or not bf16_is_faster(device):
        return "fp32"
    if autocast_agrees(network, device):
        _lay_out(network, torch.channels_last)
        return "bf16"
    return "fp32"


def bf16_is_faster(device: torch.device) -> bool:
    """Whether a convolution like SuperPoint's is clearly faster in bf16: only where the hardware has it.

    Emulated bf16 is ten times slower than fp32, native bf16 several times faster, so that one small
    convolution decides the same way every time.
    """
    convolution = torch.nn.Conv2d(64, 64, 3, padding=1).to(device)
    image = torch.rand(1, 64, 64, 64, device=device)
    seconds = _best_time(convolution, image)
    convolution.bfloat16()
    _lay_out(convolution, torch.channels_last)
    image = image.bfloat16().contiguous(memory_format=torch.channels_last)
    return seconds > MIN_SPEED_UP * _best_time(convolution, image)


def autocast_agrees(network: SuperPoint, device: torch.device) -> bool:
    """Whether bf16 gives this network's keypoints and descriptors on a fixed synthetic image."""
    image = synthetic_image(*SIZE).to(device)
    with torch.inference_mode():
        exact = network(image)[0]
        _lay_out(network, torch.channels_last)
        with bf16(device):
            reduced = network(image.contiguous(memory_format=torch.channels_last))[0]
        _lay_out(network, torch.contiguous_format)
    return agrees(exact, reduced)


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


def _lay_out(network: nn.Module, memory_format: torch.memory_format) -> None:
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=memory_format)


def _best_time(network: nn.Module, image: Tensor) -> float:
    """Seconds of the fastest of five runs, after a first one that does not count."""
    best = float("inf")
    with torch.inference_mode():
        for attempt in range(6):
            start = time.perf_counter()
            network(image)
            if image.device.type == "cuda":
                torch.cuda.synchronize(image.device)
            if attempt > 0:
                best = min(best, time.perf_counter() - start)
    return best
