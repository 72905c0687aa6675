"""The initial network: from the bundled SuperPoint, or from a distilled head of only the coarse and the fine map."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from blender_recon3d.pipeline.models.aliked_descriptors import COPIED, AlikedDescriptors
from blender_recon3d.pipeline.models.superpoint import SuperPoint

# Names in the file of a head without context and correction.
SIMPLE = {"a": "convDa", "b": "convDb", "c": "convDc", "f": "fine", "mix": "linear"}


def load_superpoint(path: Path) -> SuperPoint:
    """Frozen, for features and keypoints."""
    network = SuperPoint().to(memory_format=torch.channels_last).eval().requires_grad_(False)
    network.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
    return network


def first_network(superpoint: SuperPoint, start: Path | None) -> AlikedDescriptors:
    """A network that continues from `start`: weights of this network, or of a simple head, which it then reproduces.

    Raises ValueError if the file contains something else.
    """
    network = AlikedDescriptors()
    nn.init.zeros_(network.correction.weight)
    nn.init.zeros_(network.correction.bias)
    tensors = network.state_dict()
    shared = superpoint.state_dict()
    for name in COPIED:
        for kind in ("weight", "bias"):
            tensors[f"{name}.{kind}"] = shared[f"{name}.{kind}"].clone()
    if start is not None:
        loaded = {_renamed(name): tensor.float() for name, tensor in load_file(start).items()}
        unknown = [
            name for name in loaded if name not in tensors or loaded[name].shape != tensors[name].shape
        ]
        if unknown:
            raise ValueError(f"{start} holds {unknown[0]}, which these descriptors do not have")
        tensors.update(loaded)
    network.load_state_dict(tensors)
    return network.to(memory_format=torch.channels_last)


def _renamed(name: str) -> str:
    layer, _, kind = name.removeprefix("sp.").rpartition(".")
    return f"{SIMPLE.get(layer, layer)}.{kind}"
