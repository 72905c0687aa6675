"""The descriptors in ALIKED's space and LightGlue in their device's arithmetic, checked as in `precision`."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from . import weights as weights_of
from .aliked_descriptors import AlikedDescriptors, half_features
from .arithmetic import Precision
from .fast_aliked_descriptors import FastAlikedDescriptors
from .fast_lightglue import FastLightGlue
from .fast_superglue import GlueArithmetic
from .fast_superpoint import FastSuperPoint
from .lightglue import Described, LightGlueSettings, layers_of
from .precision import (
    KEYPOINTS,
    MIN_COSINE,
    MIN_SAME,
    SIZE,
    fastest_matcher,
    fastest_superpoint,
    load_superpoint,
    synthetic_image,
    synthetic_places,
)
from .superpoint import SuperPoint, SuperPointSettings

TRIED = 128  # keypoints for comparing descriptors


def extractor_takes_bf16(weights: str, device: torch.device) -> bool:
    """Whether SuperPoint and the descriptors run in bf16 on a device with fast bf16. UserError without weights."""
    network = load_superpoint(weights, SuperPointSettings().max_keypoints)
    fast = fastest_superpoint(network, device)
    described = fastest_descriptors(load_descriptors(weights), network, fast)
    return fast.dtype == described.dtype == torch.bfloat16


def lightglue_takes_bf16(weights: str, device: torch.device) -> bool:
    """As `extractor_takes_bf16`."""
    tensors = weights_of.load("lightglue", weights)
    return fastest_lightglue(tensors, settings_of(tensors), device).arithmetic.dtype == torch.bfloat16


def load_descriptors(weights: str) -> AlikedDescriptors:
    """The network on the CPU. UserError if there are no weights."""
    network = AlikedDescriptors()
    network.load_state_dict(weights_of.load("aliked_descriptors", weights))
    return network.eval()


def settings_of(
    tensors: dict[str, Tensor], threshold: float = LightGlueSettings.threshold
) -> LightGlueSettings:
    """The settings of a checkpoint."""
    size = tensors["input_proj.weight"].shape[1] if "input_proj.weight" in tensors else 256
    return LightGlueSettings(descriptor_size=size, layers=layers_of(tensors), threshold=threshold)


def fastest_descriptors(
    network: AlikedDescriptors, superpoint: SuperPoint, fast: FastSuperPoint
) -> FastAlikedDescriptors:
    """The network for inference on top of `fast`, on its device and in its arithmetic if that agrees with fp32.

    superpoint: the same network as `fast`, plain and on the CPU.
    """
    reduced = FastAlikedDescriptors(network, fast.dtype, fast.device)
    if fast.dtype == torch.float32 or descriptors_agree(network, superpoint, reduced, fast):
        return reduced
    return FastAlikedDescriptors(network, torch.float32, fast.device)


def descriptors_agree(
    network: AlikedDescriptors, superpoint: SuperPoint, reduced: FastAlikedDescriptors, fast: FastSuperPoint
) -> bool:
    """Whether both give the same descriptors for a fixed synthetic image."""
    image = synthetic_image(*SIZE)
    height, width = SIZE
    xy = torch.stack([torch.arange(TRIED) * 37 % width, torch.arange(TRIED) * 23 % height], dim=1).float()
    with torch.inference_mode():
        exact = network(half_features(superpoint, image), xy[None])[0]
        maps = reduced.maps(fast.half(image.to(fast.device)))[0]
        descriptors = reduced.describe(maps, xy.to(fast.device)).cpu()
    return bool((exact * descriptors).sum(dim=1).mean() >= MIN_COSINE)


def fastest_lightglue(
    tensors: dict[str, Tensor],
    settings: LightGlueSettings,
    device: torch.device,
    precision: Precision | None = None,
) -> FastLightGlue:
    """A state dict as a matcher on `device` or, if that computes incorrectly, on the CPU.

    precision: None for `arithmetic`'s choice, if it agrees with fp32.
    """

    def made(where: torch.device, arithmetic: GlueArithmetic) -> FastLightGlue:
        return FastLightGlue(tensors, settings, where, arithmetic)

    return fastest_matcher(made, lightglue_agrees, device, precision)


def lightglue_agrees(exact: FastLightGlue, fast: FastLightGlue) -> bool:
    """Whether both give the same matches for a fixed synthetic pair."""
    partners = []
    with torch.inference_mode():
        for glue in (exact, fast):
            first, second = (glue.encode(side) for side in synthetic_pair(exact.settings.descriptor_size))
            matches = glue.match(first, second)
            partners.append(torch.full((KEYPOINTS,), -1))
            partners[-1][matches.indices[:, 0].cpu()] = matches.indices[:, 1].cpu()
            if not matches.scores.isfinite().all():
                return False
    return bool((partners[0] == partners[1]).float().mean() >= MIN_SAME)


def synthetic_pair(size: int) -> tuple[Described, Described]:
    """Fixed keypoints of two photos, three quarters of them in common, with descriptors of `size` numbers."""
    (first, second), random = synthetic_places(), torch.Generator().manual_seed(1)
    descriptors = torch.randn(KEYPOINTS, size, generator=random)
    others = descriptors + 0.3 * torch.randn(KEYPOINTS, size, generator=random)
    alone = 3 * KEYPOINTS // 4
    others[alone:] = torch.randn(KEYPOINTS - alone, size, generator=random)
    return (
        Described(2 * first, F.normalize(descriptors, dim=1)),
        Described(2 * second, F.normalize(others, dim=1)),
    )
