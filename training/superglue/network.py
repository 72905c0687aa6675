"""SuperGlue for training: it starts as a nearest-neighbor matcher, and batch normalization is fixed, so that it behaves
alike with any number of keypoints and the published layout is kept."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from blender_recon3d.pipeline.models.superglue import (
    DESCRIPTOR_SIZE,
    HEADS,
    LAYERS,
    SuperGlue,
    SuperGlueSettings,
)

TEMPERATURE = 0.05  # of the initial matcher
DUSTBIN = 10.0  # its score for "no partner": half that of a perfect match
GAIN = 16.0  # of the fixed normalization: brings unit vectors of 256 numbers to numbers of about 1
SHARPNESS = 12.0  # of the initial attention: e^(SHARPNESS^2 / 32) for similar relative to dissimilar
POSITION = 1.0  # about twice the length of the initial encoded positions


def new_network(layers: int) -> SuperGlue:
    """A nearest-neighbor matcher with `layers` layers, none of which adds anything yet."""
    network = SuperGlue(SuperGlueSettings(layers=layers))
    with torch.no_grad():
        for layer in network.gnn.layers:
            _start_layer(layer)
        _start_encoder(network.kenc.encoder)
        network.final_proj.weight.copy_(torch.eye(DESCRIPTOR_SIZE)[:, :, None] * math.sqrt(16 / TEMPERATURE))
        nn.init.zeros_(network.final_proj.bias)
        network.bin_score.fill_(DUSTBIN)
    return fix_normalization(network)


def grown(tensors: dict[str, Tensor], layers: int) -> SuperGlue:
    """The network with these tensors and further layers that add nothing yet: all scores are unchanged."""
    network = new_network(layers)
    network.load_state_dict(tensors, strict=False)
    return fix_normalization(network)


def fix_normalization(network: SuperGlue) -> SuperGlue:
    """Fixed statistics and no parameters: normalization is one constant factor."""
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm1d):
            module.eval()
            module.weight.requires_grad_(False)
            module.bias.requires_grad_(False)
            if name.startswith("gnn"):
                module.running_var.fill_(1 / GAIN**2 - module.eps)
    return network


def published_layout(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The 18 layers of the published network: untrained ones are all zero, and add nothing.

    In use they can be skipped exactly.
    """
    empty = SuperGlue(SuperGlueSettings(layers=LAYERS)).state_dict()
    result = {}
    for name, like in empty.items():
        if name in tensors:
            result[name] = tensors[name].clone()
        elif name.endswith("running_var"):
            result[name] = torch.ones_like(like)
        else:
            result[name] = torch.zeros_like(like)
    return result


def _start_encoder(encoder: nn.Sequential) -> None:
    """Positions reach the output undamped, as vectors of length POSITION added to descriptors of length 1."""
    convolutions = [module for module in encoder if isinstance(module, nn.Conv1d)]
    for convolution in convolutions[:-1]:
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        nn.init.uniform_(convolution.bias, -0.5, 0.5)
    last = convolutions[-1]
    nn.init.normal_(last.weight, std=POSITION / last.in_channels)
    nn.init.zeros_(last.bias)


def _start_layer(layer: nn.Module) -> None:
    """Attention to similar keypoints, with a different projection per head, that adds nothing yet."""
    query, key, value = layer.attn.proj
    for convolution in (value, layer.attn.merge):
        nn.init.orthogonal_(convolution.weight[..., 0])
        nn.init.zeros_(convolution.bias)
    size = DESCRIPTOR_SIZE // HEADS
    weight = torch.empty(DESCRIPTOR_SIZE, DESCRIPTOR_SIZE)
    for head in range(HEADS):
        projection = torch.empty(size, DESCRIPTOR_SIZE)
        nn.init.orthogonal_(projection)
        weight[head::HEADS] = projection * SHARPNESS
    for convolution in (query, key):
        convolution.weight.copy_(weight[:, :, None])
        nn.init.zeros_(convolution.bias)
    last = layer.mlp[-1]
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
