"""Random networks and keypoints for the tests of SuperGlue."""

from __future__ import annotations

import re

import torch

from blender_recon3d.pipeline.models import superglue as sg


def randomize(network: torch.nn.Module, seed: int) -> None:
    """Random weights and batch-normalization statistics that keep the signal's size through the layers."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            values = torch.randn(tensor.shape, generator=random)
            if name.endswith("running_var") or ("batch_norm" in name and name.endswith("weight")):
                tensor.copy_(values.abs() * 0.5 + 0.5)
            elif name == "bin_score":
                tensor.fill_(7.0)
            elif tensor.is_floating_point() and tensor.ndim > 1:
                # Residual layers add up; at full gain scores reach 10,000, where fp32 itself is off by .001.
                gain = 0.1 if re.search(r"mlp\.[13]\.weight|encoder\.(12|4)\.weight", name) else 1.0
                tensor.copy_(values * gain * (1 / tensor[0].numel()) ** 0.5)
            elif tensor.is_floating_point():
                tensor.copy_(values * 0.01)  # descriptors are of length 1: their entries are small
    projection = network.final_proj if hasattr(network, "final_proj") else network.final_projection.final_proj
    for module in network.modules():  # ours: batch normalization has no name
        if isinstance(module, torch.nn.BatchNorm1d):
            module.weight.data.copy_(torch.rand(module.weight.shape, generator=random) + 0.5)
    projection.weight.data.mul_(12)  # decisive, but not all the same


def pair(count0: int, count1: int, seed: int, size=(640, 480)):
    """Two sets of keypoints of which the first ones correspond: pixels, scores, descriptors of each."""
    random = torch.Generator().manual_seed(seed)
    common = min(count0, count1) // 2
    sides = []
    shared = torch.randn(common, 256, generator=random)
    for count in (count0, count1):
        descriptors = torch.randn(count, 256, generator=random)
        descriptors[:common] = shared + 0.3 * descriptors[:common]
        xy = torch.rand(count, 2, generator=random) * torch.tensor(size)
        scores = torch.rand(count, generator=random)
        sides.append((xy, scores, torch.nn.functional.normalize(descriptors, dim=1)))
    return sides


def batch(sides, size=(640, 480)) -> sg.KeypointSet:
    """Several sets as one padded batch."""
    length = max(len(xy) for xy, _, _ in sides)
    fields = []
    for xy, scores, descriptors in sides:
        extra = length - len(xy)
        fields.append(
            (
                torch.nn.functional.pad(sg.normalize_keypoints(xy, size), (0, 0, 0, extra), value=9.0),
                torch.nn.functional.pad(scores, (0, extra), value=9.0),
                torch.nn.functional.pad(descriptors, (0, 0, 0, extra), value=9.0),
                torch.arange(length) < len(xy),
            )
        )
    return sg.KeypointSet(*(torch.stack(values) for values in zip(*fields, strict=True)))
