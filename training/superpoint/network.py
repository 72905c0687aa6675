"""SuperPoint for training: batch normalization after every 3x3 convolution, which is folded exactly afterwards, and two
auxiliary heads that keep the early layers responding to corners."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor, nn

from blender_recon3d.pipeline.models.superpoint import SuperPoint

NORMALIZED = (
    "conv1a", "conv1b", "conv2a", "conv2b", "conv3a", "conv3b", "conv4a", "conv4b", "convPa", "convDa",
)  # fmt: skip


class TrainableSuperPoint(nn.Module):
    """The published layout with additions for training; `folded` returns the plain network's tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.plain = SuperPoint()
        for convolution in self.plain.children():
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            nn.init.zeros_(convolution.bias)
        nn.init.normal_(self.plain.convPb.weight, std=0.01)
        self.norms = nn.ModuleDict(
            {name: nn.BatchNorm2d(getattr(self.plain, name).out_channels) for name in NORMALIZED}
        )
        self.half_head = nn.Conv2d(64, 1, 1)
        self.quarter_head = nn.Conv2d(128, 1, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Logits [B, 65, H/8, W/8] and descriptors [B, 256, H/8, W/8] of length 1 for images [B, 1, H, W], and the
        auxiliary maps [B, 1, H/2, W/2] and [B, 1, H/4, W/4]; all float32."""
        x = F.max_pool2d(self._layer("conv1b", self._layer("conv1a", images)), 2)
        half = self._layer("conv2b", self._layer("conv2a", x))
        quarter = self._layer("conv3b", self._layer("conv3a", F.max_pool2d(half, 2)))
        x = self._layer("conv4b", self._layer("conv4a", F.max_pool2d(quarter, 2)))
        detector, descriptor = self._layer("convPa", x), self._layer("convDa", x)
        auxiliary = [self.half_head(half).float(), self.quarter_head(quarter).float()]
        with torch.autocast(images.device.type, enabled=False):
            logits = self.plain.convPb(detector.float())
            descriptors = F.normalize(self.plain.convDb(descriptor.float()), dim=1)
        return logits, descriptors, auxiliary

    def _layer(self, name: str, x: Tensor) -> Tensor:
        return F.relu(self.norms[name](getattr(self.plain, name)(x)))


def folded(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The plain SuperPoint's state dict from a TrainableSuperPoint's: normalization folded into the weights."""
    result = {}
    for key, tensor in tensors.items():
        if not key.startswith("plain."):
            continue
        name, kind = key.removeprefix("plain.").split(".")
        if name in NORMALIZED:
            norm = {part: tensors[f"norms.{name}.{part}"].double() for part in ("weight", "bias")}
            mean = tensors[f"norms.{name}.running_mean"].double()
            scale = norm["weight"] / (tensors[f"norms.{name}.running_var"].double() + 1e-5).sqrt()
            if kind == "weight":
                tensor = (tensor.double() * scale[:, None, None, None]).float()
            else:
                tensor = ((tensor.double() - mean) * scale + norm["bias"]).float()
        result[f"{name}.{kind}"] = tensor.contiguous().clone()
    return result
