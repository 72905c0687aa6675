"""SuperGlue for inference: the network of `superglue` on rows of channels, in bf16 where that is faster.

Both images of all pairs of a batch are rows of one matrix, so that each layer is three large products and the attention
between them. What depends on one image alone, its encoding and the first layers up to the first cross attention, is
computed once per image (`encode`), not per pair. There is no padding: pairs that share a batch have the same numbers of
keypoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from .attention import Kind, attend
from .glue_matrices import LayerMatrices, Linear, fold
from .sinkhorn import Assignment, assign, logits_with_dustbins, mutual_matches
from .superglue import DESCRIPTOR_SIZE, SuperGlueSettings

Size = tuple[int, int]  # of one side of a batch: pairs, keypoints of each


@dataclass(frozen=True)
class GlueArithmetic:
    """How the layers are computed. dtype: of products, float32 or bfloat16 (sums remain float32); attention: as in
    `attention.attend`."""

    dtype: torch.dtype = torch.float32
    attention: Kind = "torch"


class FastSuperGlue:
    """tensors: a state dict of `superglue.SuperGlue`. skip_identities: skip layers that add nothing."""

    def __init__(
        self,
        tensors: dict[str, Tensor],
        settings: SuperGlueSettings | None = None,
        device: torch.device | None = None,
        arithmetic: GlueArithmetic | None = None,
        skip_identities: bool = True,
    ) -> None:
        self.settings = settings or SuperGlueSettings()
        self.device = device or torch.device("cpu")
        self.arithmetic = arithmetic or GlueArithmetic()
        matrices = fold(tensors, skip_identities)
        layers = [layer.to(self.device, self.arithmetic.dtype) for layer in matrices.layers]
        shared = next((index for index, layer in enumerate(layers) if layer.cross), len(layers))
        self._single, self._paired = layers[:shared], layers[shared:]
        self._encoder = [self._float(linear) for linear in matrices.encoder]
        self._final = self._float(matrices.final)
        self._bin_score = matrices.bin_score

    @property
    def layers(self) -> int:
        """The number of layers that are computed."""
        return len(self._single) + len(self._paired)

    def encode(self, keypoints: Tensor, scores: Tensor, descriptors: Tensor) -> Tensor:
        """Everything that depends on one image alone, float32 [N, 256].

        keypoints: [N, 2] from `superglue.normalize_keypoints`; scores: [N]; descriptors: [N, 256].
        """
        x = torch.cat([keypoints, scores[:, None]], dim=1)
        for linear in self._encoder[:-1]:
            x = F.linear(x, *linear).relu_()
        x = descriptors + F.linear(x, *self._encoder[-1])
        for layer in self._single:
            x = self._layer(layer, x, [(1, len(x))])
        return x

    def logits(self, first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
        """Scores to the base 2 with dustbins, float32 [B, M + 1, N + 1], of pairs of encoded images: B with M keypoints
        each and B with N keypoints each, M and N at least 1."""
        sizes = [(len(side), len(side[0])) for side in (first, second)]
        x = torch.cat([*first, *second])
        for layer in self._paired:
            x = self._layer(layer, x, sizes)
        one, other = _sides(F.linear(x, *self._final), sizes)
        return logits_with_dustbins(one, other, self._bin_score)

    def assignment(self, first: Sequence[Tensor], second: Sequence[Tensor]) -> Assignment:
        """The optimal partial assignment of such pairs."""
        return assign(self.logits(first, second), self.settings.sinkhorn_iterations)

    def match(self, first: Sequence[Tensor], second: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """For each such pair, matches as indices into both images, int64 [K, 2], and confidences [K]."""
        return mutual_matches(self.assignment(first, second), self.settings.threshold)

    def _layer(self, layer: LayerMatrices, x: Tensor, sizes: list[Size]) -> Tensor:
        """x: float32 [rows of all sides, 256]."""
        wide = x.new_empty(len(x), 2 * DESCRIPTOR_SIZE, dtype=self.arithmetic.dtype)
        own, message = wide[:, :DESCRIPTOR_SIZE], wide[:, DESCRIPTOR_SIZE:]
        own.copy_(x)
        projected = _sides(F.linear(own, *layer.projections), sizes)
        for index, (target, out) in enumerate(zip(projected, _sides(message, sizes), strict=True)):
            source = projected[1 - index] if layer.cross else target
            query = target.chunk(3, dim=2)[0]
            _, key, value = source.chunk(3, dim=2)
            attend(query, key, value, out, self.arithmetic.attention)
        hidden = F.linear(wide, *layer.hidden).relu_()
        return x + F.linear(hidden, *layer.output)

    def _float(self, linear: Linear) -> Linear:
        weight, bias = linear
        return weight.float().to(self.device), bias.float().to(self.device)


def _sides(rows: Tensor, sizes: list[Size]) -> list[Tensor]:
    """Views [B, N, C] of the sides stored in sequence in `rows` [sum of B N, C]."""
    parts = rows.split([pairs * keypoints for pairs, keypoints in sizes])
    return [part.unflatten(0, size) for part, size in zip(parts, sizes, strict=True)]
