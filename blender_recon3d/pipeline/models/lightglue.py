"""LightGlue: matches between the keypoints of two photos, in one file.

Written from the paper (Lindenberger, Sarlin, Pollefeys: "LightGlue: Local Feature Matching at Light Speed", ICCV 2023,
arXiv:2306.13643); numbers in brackets are its equations. The parameters have the names and shapes of the published
checkpoints (`input_proj`, `posenc`, `transformers`, `log_assignment`, `token_confidence`), so that these load.

It processes one pair at a time: after each layer the network may stop (for easy pairs it does early) and drops
keypoints that certainly have no match, so pairs differ in size and depth. Vectors are rows: [N, 256] for a photo's N
keypoints.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor, nn

SIZE = 256  # of the vectors within the network
HEADS = 4
HEAD_SIZE = SIZE // HEADS


@dataclass(frozen=True)
class LightGlueSettings:
    """descriptor_size: of the input; 128 for ALIKED's space. layers: each of self and cross attention. threshold:
    minimum score of a match. depth_confidence: the share of keypoints that must be certain of their state for the
    network to stop early, None to use all layers. width_confidence: how certain the network must be that a keypoint has
    no match to drop it, None to keep all.

    """

    descriptor_size: int = 128
    layers: int = 9
    threshold: float = 0.1
    depth_confidence: float | None = 0.95
    width_confidence: float | None = 0.99


@dataclass
class Described:
    """The keypoints of one photo. positions: [N, 2] from `normalize_positions`; descriptors: [N, D]."""

    positions: Tensor
    descriptors: Tensor


@dataclass
class LightGlueMatches:
    """indices: int64 [M, 2], of keypoints of the first and the second photo, ascending in the first; scores: [M], the
    probability of each; layers: the number of layers used."""

    indices: Tensor
    scores: Tensor
    layers: int


@dataclass
class _Side:
    """The remaining state of a photo: x [n, 256], turn ([n, 64] twice: cosines and sines of the positions), and the
    index of each keypoint, int64 [n]."""

    x: Tensor
    turn: tuple[Tensor, Tensor]
    index: Tensor

    def only(self, keep: Tensor) -> _Side:
        """keep: bool [n]."""
        cosine, sine = self.turn
        return _Side(self.x[keep], (cosine[keep], sine[keep]), self.index[keep])


def normalize_positions(xy: Tensor, image_size: tuple[float, float]) -> Tensor:
    """Keypoints [N, 2] in pixels, first pixel center (0, 0), of an image of (width, height), as input of the network:
    from the center of the image, in units of half its longer side."""
    size = torch.tensor(image_size, dtype=xy.dtype, device=xy.device)
    return (xy - size / 2) / (size.max() / 2)


def layers_of(tensors: Mapping[str, Tensor]) -> int:
    """The number of layers in a checkpoint."""
    return 1 + max(
        (int(name.split(".")[1]) for name in tensors if name.startswith("transformers.")), default=-1
    )


class PositionalEncoding(nn.Module):
    """Positions as angles by which queries and keys are rotated, so that a product of two depends only on the relative
    position of the keypoints (5)."""

    def __init__(self) -> None:
        super().__init__()
        self.Wr = nn.Linear(2, HEAD_SIZE // 2, bias=False)

    def forward(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines [N, 64] of positions [N, 2]; neighboring channels share an angle."""
        angles = self.Wr(positions).repeat_interleave(2, dim=-1)
        return angles.cos(), angles.sin()


def turned(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Vectors [4, N, 64] with each pair of channels rotated by its angle (4)."""
    cosine, sine = turn
    even, odd = x[..., 0::2], x[..., 1::2]
    quarter = torch.stack([-odd, even], dim=-1).flatten(-2)
    return x * cosine + quarter * sine


class FeedForward(nn.Sequential):
    """The update of a vector from itself and its message (1)."""

    def __init__(self) -> None:
        super().__init__(
            nn.Linear(2 * SIZE, 2 * SIZE), nn.LayerNorm(2 * SIZE), nn.GELU(), nn.Linear(2 * SIZE, SIZE)
        )


class SelfAttention(nn.Module):
    """Each keypoint attends to all others of its photo (2), (3)."""

    def __init__(self) -> None:
        super().__init__()
        self.Wqkv = nn.Linear(SIZE, 3 * SIZE)
        self.out_proj = nn.Linear(SIZE, SIZE)
        self.ffn = FeedForward()

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
        # The published checkpoints store query, key and value of a channel next to each other.
        query, key, value = self.Wqkv(x).view(len(x), HEADS, HEAD_SIZE, 3).permute(3, 1, 0, 2)
        message = self.out_proj(_attended(turned(query, turn), turned(key, turn), value))
        updated: Tensor = x + self.ffn(torch.cat([x, message], dim=-1))
        return updated


class CrossAttention(nn.Module):
    """Each keypoint attends to all of the other photo; both directions share their similarities (6)."""

    def __init__(self) -> None:
        super().__init__()
        self.to_qk = nn.Linear(SIZE, SIZE)
        self.to_v = nn.Linear(SIZE, SIZE)
        self.to_out = nn.Linear(SIZE, SIZE)
        self.ffn = FeedForward()

    def forward(self, x0: Tensor, x1: Tensor) -> tuple[Tensor, Tensor]:
        key0, key1, value0, value1 = (
            layer(x).view(len(x), HEADS, HEAD_SIZE).transpose(0, 1)
            for layer in (self.to_qk, self.to_v)
            for x in (x0, x1)
        )
        message0 = self.to_out(_attended(key0, key1, value1))
        message1 = self.to_out(_attended(key1, key0, value0))
        x0 = x0 + self.ffn(torch.cat([x0, message0], dim=-1))
        x1 = x1 + self.ffn(torch.cat([x1, message1], dim=-1))
        return x0, x1


def _attended(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Messages [N, 256] to queries [4, N, 64] from keys and values [4, M, 64]."""
    message = F.scaled_dot_product_attention(query[None], key[None], value[None])[0]
    return message.transpose(0, 1).flatten(1)


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.self_attn = SelfAttention()
        self.cross_attn = CrossAttention()

    def forward(self, first: _Side, second: _Side) -> tuple[_Side, _Side]:
        x0, x1 = self.self_attn(first.x, first.turn), self.self_attn(second.x, second.turn)
        x0, x1 = self.cross_attn(x0, x1)
        return _Side(x0, first.turn, first.index), _Side(x1, second.turn, second.index)


class MatchAssignment(nn.Module):
    """Computes which keypoints match, from a layer's vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.matchability = nn.Linear(SIZE, 1)
        self.final_proj = nn.Linear(SIZE, SIZE)

    def forward(self, x0: Tensor, x1: Tensor) -> Tensor:
        """Logarithms of the probabilities [M, N] of a match: both are matchable, and each is the best match of the
        other (7), (8), (9)."""
        similarity = self.final_proj(x0) @ self.final_proj(x1).T / math.sqrt(SIZE)
        matchable = F.logsigmoid(self.matchability(x0)) + F.logsigmoid(self.matchability(x1)).T
        return similarity.log_softmax(dim=1) + similarity.log_softmax(dim=0) + matchable

    def matchable(self, x: Tensor) -> Tensor:
        """Probabilities [N] of having a match at all (8)."""
        return self.matchability(x)[:, 0].sigmoid()


class TokenConfidence(nn.Module):
    """How certain it is that each keypoint's state is final (10)."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Sequential(nn.Linear(SIZE, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """Confidences [N] of vectors [N, 256]."""
        return self.token(x)[:, 0]


class LightGlue(nn.Module):
    """The network of section 3 of the paper."""

    def __init__(self, settings: LightGlueSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or LightGlueSettings()
        layers, size = self.settings.layers, self.settings.descriptor_size
        self.input_proj = nn.Identity() if size == SIZE else nn.Linear(size, SIZE)
        self.posenc = PositionalEncoding()
        self.transformers = nn.ModuleList(Layer() for _ in range(layers))
        self.log_assignment = nn.ModuleList(MatchAssignment() for _ in range(layers))
        self.token_confidence = nn.ModuleList(TokenConfidence() for _ in range(layers - 1))

    def forward(self, first: Described, second: Described) -> LightGlueMatches:
        sides = (self._enter(first), self._enter(second))
        layer = 0
        for layer in range(self.settings.layers):
            if min(len(side.x) for side in sides) == 0:
                return _no_matches(first.positions, layer)
            sides = self.transformers[layer](*sides)
            if layer == self.settings.layers - 1:
                break
            confidence = None
            if self.settings.depth_confidence is not None:
                confidence = [self.token_confidence[layer](side.x) for side in sides]
                if self._sure(confidence, layer, len(first.positions) + len(second.positions)):
                    break
            if self.settings.width_confidence is not None:
                sides = self._narrowed(sides, confidence, layer)
        if min(len(side.x) for side in sides) == 0:
            return _no_matches(first.positions, layer + 1)
        scores = self.log_assignment[layer](sides[0].x, sides[1].x)
        rows, columns, probabilities = mutual_best(scores, self.settings.threshold)
        indices = torch.stack([sides[0].index[rows], sides[1].index[columns]], dim=1)
        return LightGlueMatches(indices, probabilities, layer + 1)

    def _enter(self, photo: Described) -> _Side:
        index = torch.arange(len(photo.positions), device=photo.positions.device)
        return _Side(self.input_proj(photo.descriptors), self.posenc(photo.positions), index)

    def _sure(self, confidence: list[Tensor], layer: int, keypoints: int) -> bool:
        """Whether enough keypoints are final (11), counting those that were dropped."""
        unsure = sum(int((values < self._threshold(layer)).sum()) for values in confidence)
        return 1 - unsure / keypoints > (self.settings.depth_confidence or 0)

    def _narrowed(
        self, sides: tuple[_Side, _Side], confidence: list[Tensor] | None, layer: int
    ) -> tuple[_Side, _Side]:
        """Without the keypoints that are final and have no match."""
        assignment = cast(MatchAssignment, self.log_assignment[layer])
        needed = 1 - (self.settings.width_confidence or 0)
        narrowed = []
        for number, side in enumerate(sides):
            keep = assignment.matchable(side.x) > needed
            if confidence is not None:
                keep |= confidence[number] <= self._threshold(layer)
            narrowed.append(side.only(keep))
        return narrowed[0], narrowed[1]

    def _threshold(self, layer: int) -> float:
        return sure_from(layer, self.settings.layers)


def sure_from(layer: int, layers: int) -> float:
    """The minimum confidence of a final keypoint: early layers are less certain."""
    return min(1.0, 0.8 + 0.1 * math.exp(-4.0 * layer / layers))


def mutual_best(scores: Tensor, threshold: float) -> tuple[Tensor, Tensor, Tensor]:
    """Rows, columns and probabilities [M] of the mutual maxima of logarithms [m, n] that are more probable than
    threshold.
    """
    best, column = scores.max(dim=1)
    row = scores.argmax(dim=0)
    index = torch.arange(len(column), device=scores.device)
    chosen = (row[column] == index) & (best.exp() > threshold)
    return index[chosen], column[chosen], best[chosen].exp()


def _no_matches(like: Tensor, layers: int) -> LightGlueMatches:
    indices = torch.empty(0, 2, dtype=torch.long, device=like.device)
    return LightGlueMatches(indices, like.new_empty(0), layers)
