"""LightGlue for inference: the network of `lightglue` on rows of channels, in bf16 where that is faster.

The keypoints of both photos of a pair are rows of one matrix, so that each half of a layer is three large products and
the attention between them. What depends on one photo alone, its encoding and the first self attention, is computed once
per photo (`encode`), not per pair. It stops early and drops keypoints as the plain network does.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from .attention import attend, attend_both
from .fast_superglue import GlueArithmetic
from .lightglue import (
    HEAD_SIZE,
    HEADS,
    SIZE,
    Described,
    LightGlueMatches,
    LightGlueSettings,
    mutual_best,
    sure_from,
)
from .lightglue_matrices import AttentionMatrices, fold


@dataclass(frozen=True, eq=False)
class EncodedPhoto:
    """x: float32 [N, 256] after the first self attention; turn: cosines and sines [N, 32] of each keypoint's angles."""

    x: Tensor
    turn: tuple[Tensor, Tensor]

    def __len__(self) -> int:
        return len(self.x)


@dataclass
class _Rows:
    """The remaining state of a pair: both photos' keypoints in sequence. sizes: of each photo; index: int64 [n], the
    index of each row in its photo."""

    x: Tensor
    turn: tuple[Tensor, Tensor]
    index: Tensor
    sizes: tuple[int, int]

    def only(self, keep: Tensor) -> _Rows:
        """keep: bool [n]."""
        cosine, sine = self.turn
        first = int(keep[: self.sizes[0]].sum())
        index = self.index[keep]
        return _Rows(self.x[keep], (cosine[keep], sine[keep]), index, (first, len(index) - first))


class FastLightGlue:
    """tensors: a state dict of `lightglue.LightGlue`."""

    def __init__(
        self,
        tensors: dict[str, Tensor],
        settings: LightGlueSettings | None = None,
        device: torch.device | None = None,
        arithmetic: GlueArithmetic | None = None,
    ) -> None:
        self.settings = settings or LightGlueSettings()
        self.device = device or torch.device("cpu")
        self.arithmetic = arithmetic or GlueArithmetic()
        matrices = fold(tensors)
        dtype = self.arithmetic.dtype
        self._own = [layer.own.to(self.device, dtype) for layer in matrices.layers]
        self._other = [layer.other.to(self.device, dtype) for layer in matrices.layers]
        self._entry = self._float(matrices.entry)
        self._angles = matrices.angles.float().to(self.device)
        self._final = [self._float(layer.final) for layer in matrices.layers]
        self._matchable = [self._float(layer.matchable) for layer in matrices.layers]
        self._sure = [self._float(layer.sure) for layer in matrices.layers]

    def encode(self, photo: Described) -> EncodedPhoto:
        """Everything that depends on one photo alone."""
        positions, descriptors = (
            values.to(self.device, torch.float32) for values in (photo.positions, photo.descriptors)
        )
        x = descriptors if self._entry is None else F.linear(descriptors, *self._entry)
        angles = F.linear(positions, self._angles)
        turn = (angles.cos().to(self.arithmetic.dtype), angles.sin().to(self.arithmetic.dtype))
        if len(x):
            x = self._look_at_own(self._own[0], x, turn, (len(x),))
        return EncodedPhoto(x, turn)

    def match(self, first: EncodedPhoto, second: EncodedPhoto) -> LightGlueMatches:
        """As `LightGlue.forward`, for encoded photos."""
        keypoints = len(first) + len(second)
        index = [torch.arange(len(photo), device=self.device) for photo in (first, second)]
        cosine, sine = (torch.cat([first.turn[part], second.turn[part]]) for part in (0, 1))
        rows = _Rows(
            torch.cat([first.x, second.x]), (cosine, sine), torch.cat(index), (len(first), len(second))
        )
        last = self.settings.layers - 1
        layer = 0
        for layer in range(self.settings.layers):
            if min(rows.sizes) == 0:
                return self._no_matches(layer)
            if layer:
                rows.x = self._look_at_own(self._own[layer], rows.x, rows.turn, rows.sizes)
            rows.x = self._look_at_other(self._other[layer], rows.x, rows.sizes)
            if layer == last:
                break
            confidence = None
            if self.settings.depth_confidence is not None:
                confidence = F.linear(rows.x, *_there(self._sure[layer]))[:, 0].sigmoid()
                unsure = int((confidence < sure_from(layer, self.settings.layers)).sum())
                if 1 - unsure / keypoints > self.settings.depth_confidence:
                    break
            if self.settings.width_confidence is not None:
                keep = self._matchability(layer, rows.x).sigmoid() > 1 - self.settings.width_confidence
                if confidence is not None:
                    keep |= confidence <= sure_from(layer, self.settings.layers)
                if not keep.all():
                    rows = rows.only(keep)
        if min(rows.sizes) == 0:
            return self._no_matches(layer + 1)
        return self._assigned(layer, rows)

    def _assigned(self, layer: int, rows: _Rows) -> LightGlueMatches:
        """Computes the matches (`lightglue.MatchAssignment`)."""
        first, second = F.linear(rows.x, *_there(self._final[layer])).split(rows.sizes)
        matchable = F.logsigmoid(self._matchability(layer, rows.x)).split(rows.sizes)
        similarity = first @ second.T
        in_row = matchable[0] - similarity.logsumexp(dim=1)
        in_column = matchable[1] - similarity.logsumexp(dim=0)
        scores = similarity.mul_(2).add_(in_row[:, None]).add_(in_column[None])
        one, other, probabilities = mutual_best(scores, self.settings.threshold)
        index = rows.index.split(rows.sizes)
        return LightGlueMatches(
            torch.stack([index[0][one], index[1][other]], dim=1), probabilities, layer + 1
        )

    def _matchability(self, layer: int, x: Tensor) -> Tensor:
        return F.linear(x, *_there(self._matchable[layer]))[:, 0]

    def _look_at_own(
        self, matrices: AttentionMatrices, x: Tensor, turn: tuple[Tensor, Tensor], sizes: tuple[int, ...]
    ) -> Tensor:
        """Self attention of photos with `sizes` keypoints; x: float32 [rows, 256]."""
        wide = self._wide(x)
        projected = F.linear(wide[:, :SIZE], *matrices.projections)
        halves = projected[:, : 2 * SIZE].unflatten(1, (2 * HEADS, 2, HEAD_SIZE // 2))
        cosine, sine = (values[:, None] for values in turn)
        turned = torch.empty_like(halves)
        one, other = halves[:, :, 0], halves[:, :, 1]
        torch.mul(one, cosine, out=turned[:, :, 0]).sub_(other * sine)
        torch.mul(one, sine, out=turned[:, :, 1]).add_(other * cosine)
        query, key = turned.flatten(1).split(SIZE, dim=1)
        value = projected[:, 2 * SIZE :]
        parts = (part.split(sizes) for part in (query, key, value, wide[:, SIZE:]))
        for q, k, v, out in zip(*parts, strict=True):
            attend(q[None], k[None], v[None], out[None], self.arithmetic.attention)
        return self._updated(matrices, x, wide)

    def _look_at_other(self, matrices: AttentionMatrices, x: Tensor, sizes: tuple[int, int]) -> Tensor:
        """Cross attention of the two photos."""
        wide = self._wide(x)
        key, value = F.linear(wide[:, :SIZE], *matrices.projections).split(SIZE, dim=1)
        keys, values, outs = (part.split(sizes) for part in (key, value, wide[:, SIZE:]))
        attend_both(keys, values, outs, self.arithmetic.attention)
        return self._updated(matrices, x, wide)

    def _wide(self, x: Tensor) -> Tensor:
        """[rows, 512]: x, and space for messages."""
        wide = x.new_empty(len(x), 2 * SIZE, dtype=self.arithmetic.dtype)
        wide[:, :SIZE] = x
        return wide

    def _updated(self, matrices: AttentionMatrices, x: Tensor, wide: Tensor) -> Tensor:
        hidden = F.layer_norm(F.linear(wide, *matrices.hidden), (2 * SIZE,), *matrices.norm)
        return x + F.linear(F.gelu(hidden), *matrices.output)

    def _no_matches(self, layers: int) -> LightGlueMatches:
        indices = torch.empty(0, 2, dtype=torch.long, device=self.device)
        return LightGlueMatches(indices, torch.empty(0, device=self.device), layers)

    def _float(self, linear: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor] | None:
        return (
            None if linear is None else (linear[0].float().to(self.device), linear[1].float().to(self.device))
        )


def _there(linear: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor]:
    assert linear is not None
    return linear
