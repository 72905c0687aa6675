"""The descriptors in ALIKED's space and LightGlue in the arithmetic of their device, checked as `precision` checks."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody uses
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

TRIED = 128  # keypoints at which descriptors are compared


def extractor_takes_bf16(weights: str, device: torch.device) -> bool:
    """Whether SuperPoint and the descriptors are computed in bf16 on a device that is fast in it. UserError without
    weights."""
    network = load_superpoint(weights, SuperPointSettings().max_keypoints)
    fast = fastest_superpoint(network, device)
    described = fastest_descriptors(load_descriptors(weights), network, fast)
    return fast.dtype == described.dtype == torch.bfloat16


def lightglue_takes_bf16(weights: str, device: torch.device) -> bool:
    """As `extractor_takes_bf16`."""
    tensors = weights_of.load("lightglue", weights)
    return fastest_lightglue(tensors, settings_of(tensors), device).arithmetic.dtype == torch.bfloat16


def load_descriptors(weights: str) -> AlikedDescriptors:
    """The network on the CPU. UserError when there are no weights."""
    network = AlikedDescriptors()
    network.load_state_dict(weights_of.load("aliked_descriptors", weights))
    return network.eval()


def settings_of(
    tensors: dict[str, Tensor], threshold: float = LightGlueSettings.threshold
) -> LightGlueSettings:
    """Those of a checkpoint."""
    size = tensors["input_proj.weight"].shape[1] if "input_proj.weight" in tensors else 256
    return LightGlueSettings(descriptor_size=size, layers=layers_of(tensors), threshold=threshold)


def fastest_descriptors(
    network: AlikedDescriptors, superpoint: SuperPoint, fast: FastSuperPoint
) -> FastAlikedDescriptors:
    """The network for inference on top of `fast`, on its device and in its arithmetic as far as that agrees with fp32.

    superpoint: the same as `fast`, plain and on the CPU.
    """
    reduced = FastAlikedDescriptors(network, fast.dtype, fast.device)
    if fast.dtype == torch.float32 or descriptors_agree(network, superpoint, reduced, fast):
        return reduced
    return FastAlikedDescriptors(network, torch.float32, fast.device)


def descriptors_agree(
    network: AlikedDescriptors, superpoint: SuperPoint, reduced: FastAlikedDescriptors, fast: FastSuperPoint
) -> bool:
    """Whether both say the same of a fixed synthetic image."""
    image = synthetic_image(*SIZE)
    height, width = SIZE
    xy = torch.stack([torch.arange(TRIED) * 37 % width, torch.arange(TRIED) * 23 % height], dim=1).float()
    with torch.inference_mode():
        exact = network(half_features(superpoint, image), xy[None])[0]
        maps = reduced.maps(fast.half(image.to(fast.device)))[0]
        found = reduced.describe(maps, xy.to(fast.device)).cpu()
    return bool((exact * found).sum(dim=1).mean() >= MIN_COSINE)


def fastest_lightglue(
    tensors: dict[str, Tensor],
    settings: LightGlueSettings,
    device: torch.device,
    precision: Precision | None = None,
) -> FastLightGlue:
    """A state dict as a matcher on `device` or, if that computes wrongly, on the CPU.

    precision: None for the one that `arithmetic` chooses, as far as it agrees with fp32.
    """

    def made(where: torch.device, arithmetic: GlueArithmetic) -> FastLightGlue:
        return FastLightGlue(tensors, settings, where, arithmetic)

    return fastest_matcher(made, lightglue_agrees, device, precision)


def lightglue_agrees(exact: FastLightGlue, fast: FastLightGlue) -> bool:
    """Whether both match a fixed synthetic pair alike."""
    partners = []
    with torch.inference_mode():
        for glue in (exact, fast):
            first, second = (glue.encode(side) for side in synthetic_pair(exact.settings.descriptor_size))
            found = glue.match(first, second)
            partners.append(torch.full((KEYPOINTS,), -1))
            partners[-1][found.indices[:, 0].cpu()] = found.indices[:, 1].cpu()
            if not found.scores.isfinite().all():
                return False
    return bool((partners[0] == partners[1]).float().mean() >= MIN_SAME)


def synthetic_pair(size: int) -> tuple[Described, Described]:
    """Fixed keypoints of two photos, three of four of which show the same, with descriptors of `size` numbers."""
    (first, second), random = synthetic_places(), torch.Generator().manual_seed(1)
    descriptors = torch.randn(KEYPOINTS, size, generator=random)
    others = descriptors + 0.3 * torch.randn(KEYPOINTS, size, generator=random)
    alone = 3 * KEYPOINTS // 4
    others[alone:] = torch.randn(KEYPOINTS - alone, size, generator=random)
    return (
        Described(2 * first, F.normalize(descriptors, dim=1)),
        Described(2 * second, F.normalize(others, dim=1)),
    )
