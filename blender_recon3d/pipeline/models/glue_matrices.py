"""SuperGlue's parameters as matrices for rows of channels: the same function in fewer and larger products.

What is folded, each step exact up to rounding:

- batch normalization into the layer before it;
- the order of heads: in `superglue` channel c belongs to head c % 4, here a head has 64 consecutive channels;
- query, key and value into one product, with the softmax's scale and the change from base e to 2 in the queries;
- the keys' bias, which adds the same to all scores of a query, is dropped;
- the values' bias, common to all averages of values, and `merge` go into the perceptron's first layer.

A layer whose last product is zero, weights and bias, adds zero: it is skipped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .superglue import DESCRIPTOR_SIZE, HEADS, layers_of

LOG2_E = math.log2(math.e)
EPSILON = 1e-5  # of torch's batch normalization

Linear = tuple[Tensor, Tensor]  # weight [outputs, inputs] and bias [outputs], as for F.linear


@dataclass(frozen=True)
class LayerMatrices:
    """One layer: x + output(relu(hidden([x, attention of projections(x)]))).

    cross: whether keys and values come from the other image. projections: [768, 256], queries (for scores to the base
    2), keys and values, each head's 64 channels consecutive; hidden: [512, 512]; output: [256, 512].
    """

    cross: bool
    projections: Linear
    hidden: Linear
    output: Linear

    def to(self, device: torch.device, dtype: torch.dtype) -> LayerMatrices:
        def moved(linear: Linear) -> Linear:
            return linear[0].to(device, dtype), linear[1].to(device, dtype)

        return replace(
            self,
            projections=moved(self.projections),
            hidden=moved(self.hidden),
            output=moved(self.output),
        )


@dataclass(frozen=True)
class GlueMatrices:
    """A whole network, float32. encoder: of keypoints, ReLU between its products; layers: those with an effect; final:
    [256, 256], scaled so that products of two are scores to the base 2, as is bin_score."""

    encoder: list[Linear]
    layers: list[LayerMatrices]
    final: Linear
    bin_score: float


def fold(tensors: dict[str, Tensor], skip_identities: bool = True) -> GlueMatrices:
    """The matrices of a state dict of `superglue.SuperGlue`."""
    tensors = {name: tensor.detach().cpu() for name, tensor in tensors.items()}
    live = [
        index
        for index in range(layers_of(tensors))
        if not skip_identities or not _is_identity(tensors, f"gnn.layers.{index}.")
    ]
    # Each side of a score includes the square root of its scale.
    scale = (LOG2_E / DESCRIPTOR_SIZE**0.5) ** 0.5
    weight, bias = _linear(tensors, "final_proj")
    return GlueMatrices(
        encoder=[
            _normalized(tensors, f"kenc.encoder.{3 * step}", f"kenc.encoder.{3 * step + 1}")
            for step in range(4)
        ]
        + [_linear(tensors, "kenc.encoder.12")],
        layers=[_layer(tensors, index) for index in live],
        final=(weight * scale, bias * scale),
        bin_score=float(tensors["bin_score"]) * LOG2_E,
    )


def _is_identity(tensors: dict[str, Tensor], prefix: str) -> bool:
    return not any(tensors[f"{prefix}mlp.3.{kind}"].any() for kind in ("weight", "bias"))


def _layer(tensors: dict[str, Tensor], index: int) -> LayerMatrices:
    prefix = f"gnn.layers.{index}."
    query, key, value, merge = (
        _linear(tensors, prefix + name)
        for name in ("attn.proj.0", "attn.proj.1", "attn.proj.2", "attn.merge")
    )
    # Channel d * HEADS + h of a projection is number d of head h.
    order = torch.arange(DESCRIPTOR_SIZE).view(-1, HEADS).T.reshape(-1)
    scale = LOG2_E / (DESCRIPTOR_SIZE // HEADS) ** 0.5
    weights = [query[0][order] * scale, key[0][order], value[0][order]]
    biases = [query[1][order] * scale, torch.zeros_like(key[1]), torch.zeros_like(value[1])]

    weight, bias = _normalized(tensors, prefix + "mlp.0", prefix + "mlp.1")
    own, message = weight[:, :DESCRIPTOR_SIZE], weight[:, DESCRIPTOR_SIZE:]
    bias = bias + message @ (merge[0] @ value[1] + merge[1])
    hidden = torch.cat([own, (message @ merge[0])[:, order]], dim=1), bias
    return LayerMatrices(
        cross=index % 2 == 1,
        projections=(torch.cat(weights), torch.cat(biases)),
        hidden=hidden,
        output=_linear(tensors, prefix + "mlp.3"),
    )


def _linear(tensors: dict[str, Tensor], name: str) -> Linear:
    """A pointwise convolution in double precision, so that folding rounds only once."""
    return tensors[f"{name}.weight"].squeeze(-1).double(), tensors[f"{name}.bias"].double()


def _normalized(tensors: dict[str, Tensor], name: str, norm: str) -> Linear:
    """A pointwise convolution and the following batch normalization."""
    weight, bias = _linear(tensors, name)
    mean, variance, gain, shift = (
        tensors[f"{norm}.{kind}"].double() for kind in ("running_mean", "running_var", "weight", "bias")
    )
    factor = gain / (variance + EPSILON).sqrt()
    return weight * factor[:, None], (bias - mean) * factor + shift
