"""Which arithmetic the networks run in on a device: measured on the loaded network, never assumed.

bf16 is used where it is faster than fp32 (some CPUs only emulate it) and gives the same results; Apple's GPUs
stay with fp32, and are used only where they compute what the CPU computes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody uses
from torch import Tensor

from .attention import Kind, attend
from .fast_superglue import FastSuperGlue, GlueArithmetic
from .fast_superpoint import FastSuperPoint
from .superglue import DESCRIPTOR_SIZE, SuperGlueSettings
from .superpoint import Keypoints, SuperPoint

Precision = Literal["fp32", "bf16"]

MIN_REPEATED = 0.9  # share of keypoints found again within a pixel, both ways
MIN_COSINE = 0.99  # mean cosine of the descriptors of the same keypoint
MIN_SAME = 0.98  # share of keypoints that get the same partner, or none
MAX_MOVED = 0.05  # share of the assignment that goes elsewhere
MIN_SPEED_UP = 1.3  # bf16 that is emulated is slower than fp32
SIZE = (128, 160)  # of the test image, pixels
KEYPOINTS = 200  # of the test pair
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def fastest_superpoint(
    network: SuperPoint, device: torch.device, precision: Precision | None = None
) -> FastSuperPoint:
    """The network, which is on the CPU, for inference on `device` or, if that computes wrongly, on the CPU.

    precision: None for the fastest that agrees with the network in fp32.
    """
    if precision is not None:
        return FastSuperPoint(network, DTYPES[precision], device)
    if device.type != "mps" and bf16_is_faster(device):
        fast = FastSuperPoint(network, torch.bfloat16, device)
        if superpoint_agrees(network, fast):
            return fast
    fast = FastSuperPoint(network, torch.float32, device)
    if device.type == "mps" and not superpoint_agrees(network, fast):
        return FastSuperPoint(network, torch.float32, torch.device("cpu"))
    return fast


def fastest_superglue(
    tensors: dict[str, Tensor],
    settings: SuperGlueSettings,
    device: torch.device,
    precision: Precision | None = None,
) -> FastSuperGlue:
    """A state dict as a matcher on `device` or, if that computes wrongly, on the CPU; precision as above."""
    exact = FastSuperGlue(tensors, settings)
    if precision == "fp32":
        return FastSuperGlue(tensors, settings, device)
    if device.type != "mps" and (precision == "bf16" or bf16_is_faster(device)):
        arithmetic = GlueArithmetic(torch.bfloat16, fastest_attention(device))
        fast = FastSuperGlue(tensors, settings, device, arithmetic)
        if precision == "bf16" or superglue_agrees(exact, fast):
            return fast
    fast = FastSuperGlue(tensors, settings, device)
    return exact if device.type == "mps" and not superglue_agrees(exact, fast) else fast


def bf16_is_faster(device: torch.device) -> bool:
    """Whether products are clearly faster in bf16: only where the hardware has it.

    Emulated bf16 is ten times slower than fp32, native bf16 several times faster, so that one small product
    decides the same way every time.
    """
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        rows = torch.rand(256, 512, device=device).to(dtype)
        weight = torch.rand(512, 512, device=device).to(dtype)
        seconds[dtype] = _best_time(lambda rows=rows, weight=weight: F.linear(rows, weight), device)  # type: ignore[misc]
    return seconds[torch.float32] > MIN_SPEED_UP * seconds[torch.bfloat16]


def fastest_attention(device: torch.device) -> Kind:
    """The faster attention in bf16; where launching operations takes the time, it is torch's own."""
    if device.type != "cpu":
        return "torch"
    rows = torch.zeros(1, 512, DESCRIPTOR_SIZE, dtype=torch.bfloat16)
    out = torch.empty_like(rows)
    seconds = {
        kind: _best_time(lambda kind=kind: attend(rows, rows, rows, out, kind), device)  # type: ignore[misc]
        for kind in ("torch", "blocks")
    }
    return "blocks" if seconds["blocks"] < seconds["torch"] else "torch"


def superpoint_agrees(network: SuperPoint, fast: FastSuperPoint) -> bool:
    """Whether both find the same keypoints and descriptors on a fixed synthetic image."""
    image = synthetic_image(*SIZE)
    with torch.inference_mode():
        exact = network(image)[0]
        other = fast(image.to(fast.device))[0]
    return agrees(exact, Keypoints(other.keypoints.cpu(), other.scores.cpu(), other.descriptors.cpu()))


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


def superglue_agrees(exact: FastSuperGlue, fast: FastSuperGlue) -> bool:
    """Whether both match a fixed synthetic pair alike: partners, and the whole assignment behind them."""
    assignments, partners = [], []
    with torch.inference_mode():
        for glue in (exact, fast):
            first, second = (
                [glue.encode(*(values.to(glue.device) for values in side))] for side in synthetic_pair()
            )
            assignments.append(glue.assignment(first, second).dense()[0].cpu())
            partners.append(torch.full((KEYPOINTS,), -1))
            matches, _ = glue.match(first, second)[0]
            partners[-1][matches[:, 0]] = matches[:, 1]
    if not assignments[1].isfinite().all():
        return False
    moved = (assignments[0] - assignments[1])[:-1].abs().sum() / (2 * KEYPOINTS)
    same = (partners[0] == partners[1]).float().mean()
    return bool(moved <= MAX_MOVED and same >= MIN_SAME)


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


def synthetic_pair() -> list[tuple[Tensor, Tensor, Tensor]]:
    """Fixed keypoints of two images as `FastSuperGlue.encode` takes them: three of four of the second are the
    first's, moved by an affine map, with similar descriptors; the rest have none like them."""
    random = torch.Generator().manual_seed(0)
    xy = torch.rand(KEYPOINTS, 2, generator=random) - 0.5
    moved = xy @ torch.tensor([[0.9, 0.25], [-0.2, 1.05]]) + torch.tensor([0.05, -0.08])
    descriptors = torch.randn(KEYPOINTS, DESCRIPTOR_SIZE, generator=random)
    others = descriptors + 0.6 * torch.randn(KEYPOINTS, DESCRIPTOR_SIZE, generator=random)
    alone = 3 * KEYPOINTS // 4
    others[alone:] = torch.randn(KEYPOINTS - alone, DESCRIPTOR_SIZE, generator=random)
    scores = torch.rand(2, KEYPOINTS, generator=random)
    return [
        (xy, scores[0], F.normalize(descriptors, dim=1)),
        (moved, scores[1], F.normalize(others, dim=1)),
    ]


def _best_time(function: Callable[[], object], device: torch.device) -> float:
    """Seconds of the fastest of five runs, after a first one that does not count."""
    best = float("inf")
    with torch.inference_mode():
        for attempt in range(6):
            start = time.perf_counter()
            function()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if attempt > 0:
                best = min(best, time.perf_counter() - start)
    return best
