"""Loads the networks in their device's arithmetic, checking that they agree with fp32 on the CPU.

`arithmetic` decides where bf16 is fast. It is used there if it finds the same keypoints and matches with the given
weights; Apple's GPUs are used only if they compute the same as the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from . import weights as weights_of
from .arithmetic import Choice, Precision, choose
from .devices import select_device
from .fast_superglue import FastSuperGlue, GlueArithmetic
from .fast_superpoint import FastSuperPoint
from .network import Network
from .registry import read_card
from .superglue import DESCRIPTOR_SIZE, SuperGlueSettings, layers_of
from .superpoint import Keypoints, SuperPoint, SuperPointSettings

MIN_REPEATED = 0.9  # share of keypoints found again within a pixel, in both directions
MIN_COSINE = 0.99  # mean cosine of the descriptors of the same keypoint
MIN_SAME = 0.98  # share of keypoints with the same partner, or none
MAX_MOVED = 0.05  # share of the assignment that differs
SIZE = (128, 160)  # of the test image, pixels
KEYPOINTS = 200  # of the test pair
Fast = TypeVar("Fast")
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def choose_for(networks: Sequence[Network], weights: str, device: str) -> Choice:
    """The arithmetic of a job's networks: bf16 where it is fast and all of them give the same results.

    weights, device: as in `frontend.FeatureExtractor`. Raises the same UserErrors.
    """
    where = select_device(device)
    choice = choose(where)
    if choice.precision == "fp32":
        return choice
    if not all("bf16" in network.precisions for network in networks):
        return Choice("fp32", "these networks are not made for bf16")
    if all(network.same_in_bf16 and network.same_in_bf16(weights, where) for network in networks):
        return choice
    return Choice("fp32", f"{choice.why}, but with these weights it gives different matches")


def superpoint_takes_bf16(weights: str, device: torch.device) -> bool:
    """Whether it runs in bf16 on a device with fast bf16. UserError if there are no weights."""
    network = load_superpoint(weights, SuperPointSettings().max_keypoints)
    return fastest_superpoint(network, device).dtype == torch.bfloat16


def superglue_takes_bf16(weights: str, device: torch.device) -> bool:
    """As `superpoint_takes_bf16`."""
    tensors = weights_of.load("superglue", weights)
    fastest = fastest_superglue(tensors, SuperGlueSettings(layers=layers_of(tensors)), device)
    return fastest.arithmetic.dtype == torch.bfloat16


def load_superpoint(weights: str, max_keypoints: int, **choice: Any) -> SuperPoint:
    """The network on the CPU. choice: further fields of `SuperPointSettings`. UserError if there are no weights."""
    # Weights were trained with one way of sampling descriptors; if their card does not say, it is the published one.
    card = read_card(weights_of.find("superpoint", weights)[0])
    published = card.get("sampling") != "exact"
    subpixel = card.get("positions") == "between pixels"
    settings = SuperPointSettings(
        max_keypoints=max_keypoints, published_sampling=published, subpixel=subpixel, **choice
    )
    network = SuperPoint(settings)
    network.load_state_dict(weights_of.load("superpoint", weights))
    return network.eval()


def fastest_superpoint(
    network: SuperPoint, device: torch.device, precision: Precision | None = None
) -> FastSuperPoint:
    """The network, given on the CPU, for inference on `device` or, if that computes incorrectly, on the CPU.

    precision: None for `arithmetic`'s choice, if it agrees with the network in fp32.
    """
    requested = precision or choose(device).precision
    fast = FastSuperPoint(network, DTYPES[requested], device)
    trusted = device.type != "mps" and (precision is not None or requested == "fp32")
    if trusted or superpoint_agrees(network, fast):
        return fast
    if device.type == "mps":
        return FastSuperPoint(network, DTYPES[requested], torch.device("cpu"))
    return FastSuperPoint(network, torch.float32, device)


def fastest_superglue(
    tensors: dict[str, Tensor],
    settings: SuperGlueSettings,
    device: torch.device,
    precision: Precision | None = None,
) -> FastSuperGlue:
    """A state dict as a matcher on `device` or, if that computes incorrectly, on the CPU; precision as above."""

    def made(where: torch.device, arithmetic: GlueArithmetic) -> FastSuperGlue:
        return FastSuperGlue(tensors, settings, where, arithmetic)

    return fastest_matcher(made, superglue_agrees, device, precision)


def fastest_matcher(
    build: Callable[[torch.device, GlueArithmetic], Fast],
    agrees: Callable[[Fast, Fast], bool],
    device: torch.device,
    precision: Precision | None,
) -> Fast:
    """The result of `build` for the device in the arithmetic that is fast there, if it `agrees` with the exact one on
    the CPU; else in fp32, or on the CPU if a Mac's GPU computes incorrectly. precision: as in `fastest_superglue`."""
    requested = precision or choose(device).precision
    fast = build(device, glue_arithmetic(requested, device))
    trusted = device.type != "mps" and (precision is not None or requested == "fp32")
    cpu = torch.device("cpu")
    if trusted or agrees(build(cpu, GlueArithmetic()), fast):
        return fast
    if device.type == "mps":
        return build(cpu, glue_arithmetic(requested, cpu))
    return build(device, GlueArithmetic())


def glue_arithmetic(precision: Precision, device: torch.device) -> GlueArithmetic:
    """Includes the attention that is faster with it: on a CPU torch's own runs at fp32 speed even in bf16."""
    blocks = precision == "bf16" and device.type == "cpu"
    return GlueArithmetic(DTYPES[precision], "blocks" if blocks else "torch")


def superpoint_agrees(network: SuperPoint, fast: FastSuperPoint) -> bool:
    """Whether both find the same keypoints and descriptors in a fixed synthetic image."""
    image = synthetic_image(*SIZE)
    with torch.inference_mode():
        exact = network(image)[0]
        other = fast(image.to(fast.device))[0]
    return agrees(exact, Keypoints(other.keypoints.cpu(), other.scores.cpu(), other.descriptors.cpu()))


def agrees(exact: Keypoints, reduced: Keypoints) -> bool:
    """Whether two sets of keypoints are equivalent for matching.

    The strongest half of each must be found in the other within a pixel (the weak ones vary at the threshold whatever
    the arithmetic), with descriptors in the same direction.
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
    """Whether both give the same matches for a fixed synthetic pair: partners, and the whole assignment."""
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
    """A fixed gray image [1, 1, height, width] in [0, 1] with edges, corners and texture at several scales."""
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
    """Fixed keypoints of two images as input of `FastSuperGlue.encode`: three quarters of the second's are the first's,
    moved by an affine map, with similar descriptors; the rest have no counterpart."""
    random = torch.Generator().manual_seed(0)
    xy, moved = synthetic_places(random)
    descriptors = torch.randn(KEYPOINTS, DESCRIPTOR_SIZE, generator=random)
    others = descriptors + 0.6 * torch.randn(KEYPOINTS, DESCRIPTOR_SIZE, generator=random)
    alone = 3 * KEYPOINTS // 4
    others[alone:] = torch.randn(KEYPOINTS - alone, DESCRIPTOR_SIZE, generator=random)
    scores = torch.rand(2, KEYPOINTS, generator=random)
    return [
        (xy, scores[0], F.normalize(descriptors, dim=1)),
        (moved, scores[1], F.normalize(others, dim=1)),
    ]


def synthetic_places(random: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Positions [KEYPOINTS, 2] in -0.5 to 0.5 and the same moved by an affine map."""
    random = random or torch.Generator().manual_seed(0)
    xy = torch.rand(KEYPOINTS, 2, generator=random) - 0.5
    return xy, xy @ torch.tensor([[0.9, 0.25], [-0.2, 1.05]]) + torch.tensor([0.05, -0.08])
