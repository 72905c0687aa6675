"""Random networks and images for the tests of SuperPoint."""

from __future__ import annotations

import torch


def textured(height: int, width: int, seed: int = 0) -> torch.Tensor:
    """A random image with structure at several scales, [1, 1, height, width]."""
    random = torch.Generator().manual_seed(seed)
    image = torch.zeros(1, 1, height, width)
    for scale in (2, 5, 11):
        noise = torch.rand(1, 1, height // scale + 2, width // scale + 2, generator=random)
        image += torch.nn.functional.interpolate(noise, size=(height, width), mode="bicubic")
    return (image / 3).clamp(0, 1)


def randomize(network: torch.nn.Module, seed: int) -> None:
    """Random weights whose scores vary from pixel to pixel (the default initialization is nearly flat)."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            fan_in = parameter[0].numel() if parameter.ndim > 1 else 0
            deviation = (2 / fan_in) ** 0.5 if fan_in else 0.1
            parameter.copy_(torch.randn(parameter.shape, generator=random) * deviation)
