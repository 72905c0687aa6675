"""LightGlue's parameters as matrices for rows of channels: the same function in fewer and larger products.

What is folded, each step exact up to rounding:

- query, key and value into one product, each head's 64 channels consecutive, with the softmax's scale and the change
  from base e to 2 in the queries (in cross attention, where queries are the other photo's keys, its root in both);
- the two channels that share an angle (`lightglue.turned`) are 32 apart, so that a rotation is four products of halves;
- the values' bias, common to all averages of values, and the product after attention go into the first product of the
  update.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from .glue_matrices import LOG2_E, Linear
from .lightglue import HEAD_SIZE, HEADS, SIZE, layers_of

SCALE = LOG2_E / HEAD_SIZE**0.5  # for a softmax to the base 2


@dataclass(frozen=True)
class AttentionMatrices:
    """Half a layer: x + output(gelu(normalised(hidden([x, attention of projections(x)])))).

    projections: queries, keys and values [768, 256] of self attention, or keys (also the other's queries) and values
    [512, 256] of cross attention; hidden: [512, 512]; norm: gain and shift [512]; output: [256, 512].
    """

    projections: Linear
    hidden: Linear
    norm: tuple[Tensor, Tensor]
    output: Linear

    def to(self, device: torch.device, dtype: torch.dtype) -> AttentionMatrices:
        def moved(pair: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            return pair[0].to(device, dtype), pair[1].to(device, dtype)

        return AttentionMatrices(
            moved(self.projections), moved(self.hidden), moved(self.norm), moved(self.output)
        )


@dataclass(frozen=True)
class LayerMatrices:
    """own, other: self and cross attention. final: [256, 256], scaled so that products of two are scores to the base e;
    matchable: [1, 256]; sure: [1, 256], None for the last layer."""

    own: AttentionMatrices
    other: AttentionMatrices
    final: Linear
    matchable: Linear
    sure: Linear | None


@dataclass(frozen=True)
class LightGlueMatrices:
    """A whole network, float64. entry: [256, D], None if descriptors are used unchanged; angles: [32, 2]."""

    entry: Linear | None
    angles: Tensor
    layers: list[LayerMatrices]


def fold(tensors: Mapping[str, Tensor]) -> LightGlueMatrices:
    """The matrices of a state dict of `lightglue.LightGlue`."""
    tensors = {name: tensor.detach().cpu().double() for name, tensor in tensors.items()}
    count = layers_of(tensors)
    layers = []
    for index in range(count):
        assignment = f"log_assignment.{index}."
        weight, bias = _linear(tensors, assignment + "final_proj")
        layers.append(
            LayerMatrices(
                _self_attention(tensors, f"transformers.{index}.self_attn."),
                _cross_attention(tensors, f"transformers.{index}.cross_attn."),
                (weight / SIZE**0.25, bias / SIZE**0.25),
                _linear(tensors, assignment + "matchability"),
                _linear(tensors, f"token_confidence.{index}.token.0") if index < count - 1 else None,
            )
        )
    entry = _linear(tensors, "input_proj") if "input_proj.weight" in tensors else None
    return LightGlueMatrices(entry, tensors["posenc.Wr.weight"], layers)


def _self_attention(tensors: Mapping[str, Tensor], prefix: str) -> AttentionMatrices:
    weight, bias = _linear(tensors, prefix + "Wqkv")
    # Query, key and value of a channel are interleaved.
    parts = [(weight[kind::3], bias[kind::3]) for kind in range(3)]
    halves = torch.arange(SIZE).view(HEADS, HEAD_SIZE // 2, 2).transpose(1, 2).reshape(-1)
    (query, query_bias), (key, key_bias), (value, value_bias) = parts
    weights = [SCALE * query[halves], key[halves], value]
    biases = [SCALE * query_bias[halves], key_bias[halves], torch.zeros_like(value_bias)]
    return _update(tensors, prefix, "out_proj", (torch.cat(weights), torch.cat(biases)), value_bias)


def _cross_attention(tensors: Mapping[str, Tensor], prefix: str) -> AttentionMatrices:
    key, key_bias = _linear(tensors, prefix + "to_qk")
    value, value_bias = _linear(tensors, prefix + "to_v")
    root = math.sqrt(SCALE)
    projections = (
        torch.cat([root * key, value]),
        torch.cat([root * key_bias, torch.zeros_like(value_bias)]),
    )
    return _update(tensors, prefix, "to_out", projections, value_bias)


def _update(
    tensors: Mapping[str, Tensor], prefix: str, merge: str, projections: Linear, value_bias: Tensor
) -> AttentionMatrices:
    weight, bias = _linear(tensors, prefix + "ffn.0")
    merged, merged_bias = _linear(tensors, prefix + merge)
    own, message = weight[:, :SIZE], weight[:, SIZE:]
    hidden = torch.cat([own, message @ merged], dim=1), bias + message @ (merged @ value_bias + merged_bias)
    return AttentionMatrices(
        projections, hidden, _linear(tensors, prefix + "ffn.1"), _linear(tensors, prefix + "ffn.3")
    )


def _linear(tensors: Mapping[str, Tensor], name: str) -> Linear:
    return tensors[f"{name}.weight"], tensors[f"{name}.bias"]
