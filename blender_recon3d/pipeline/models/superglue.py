"""SuperGlue: matches between the keypoints of two images, in one file.

Written from the paper (Sarlin, DeTone, Malisiewicz, Rabinovich: "SuperGlue: Learning Feature Matching with Graph Neural
Networks", CVPR 2020, arXiv:1911.11763); numbers in brackets are its equations. The parameters have the names and shapes
of the published checkpoint (`kenc`, `gnn`, `final_proj`, `bin_score`), so that it and ours load into the same network.


Batches: pairs with different numbers of keypoints share a batch by padding; `valid` marks the real entries, and padding
has no influence on the rest. Every side of every pair needs one valid keypoint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor, nn

DESCRIPTOR_SIZE = 256
HEADS = 4
LAYERS = 18  # alternating self, cross, self, cross ...
KEYPOINT_ENCODER = (32, 64, 128, 256)
NEVER = -1e9  # log of the assignment of padding; finite, to avoid NaN


@dataclass(frozen=True)
class SuperGlueSettings:
    """layers: of attention, alternating self and cross. sinkhorn_iterations: 100 for use, 20 suffice in training.
    threshold: minimum confidence of a match."""

    layers: int = LAYERS
    sinkhorn_iterations: int = 100
    threshold: float = 0.2


@dataclass
class KeypointSet:
    """The keypoints of one side of a batch of pairs.

    keypoints: [B, N, 2] from `normalize_keypoints`; scores: [B, N], the detector's; descriptors: [B, N, 256]; valid:
    bool [B, N], False for padding, or None if all are real.
    """

    keypoints: Tensor
    scores: Tensor
    descriptors: Tensor
    valid: Tensor | None = None


def normalize_keypoints(xy: Tensor, image_size: tuple[float, float]) -> Tensor:
    """Keypoints [..., 2] in pixels, first pixel center (0, 0), of an image of (width, height), as input of the network:
    from the center of the image, in units of 0.7 times its longer side."""
    size = torch.tensor(image_size, dtype=xy.dtype, device=xy.device)
    return (xy - size / 2) / (0.7 * size.max())


def mlp(channels: Sequence[int]) -> nn.Sequential:
    """Pointwise perceptron: batch normalization and ReLU after each layer but the last."""
    layers: list[nn.Module] = []
    for index, (inputs, outputs) in enumerate(pairwise(channels)):
        layers.append(nn.Conv1d(inputs, outputs, 1))
        if index < len(channels) - 2:
            layers += [nn.BatchNorm1d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class KeypointEncoder(nn.Module):
    """Position and detection score as a vector to add to the descriptor (2)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = mlp([3, *KEYPOINT_ENCODER, DESCRIPTOR_SIZE])

    def forward(self, keypoints: Tensor, scores: Tensor) -> Tensor:
        """keypoints [B, N, 2], scores [B, N]: [B, 256, N]."""
        return self.encoder(torch.cat([keypoints, scores.unsqueeze(-1)], dim=-1).transpose(1, 2))


class Attention(nn.Module):
    """Multi-head attention (4), (5). Channel c of a projection belongs to head c % 4, as in the published
    checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.merge = nn.Conv1d(DESCRIPTOR_SIZE, DESCRIPTOR_SIZE, 1)
        self.proj = nn.ModuleList(nn.Conv1d(DESCRIPTOR_SIZE, DESCRIPTOR_SIZE, 1) for _ in range(3))

    def forward(self, x: Tensor, source: Tensor, valid: Tensor | None) -> Tensor:
        """Messages [B, 256, N] to x [B, 256, N] from source [B, 256, M], of which `valid` [B, M] are used."""
        query, key, value = (
            self._heads(layer(data)) for layer, data in zip(self.proj, (x, source, source), strict=True)
        )
        mask = None if valid is None else valid[:, None, None, :]
        message = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)  # [B, 4, N, 64]
        return self.merge(message.permute(0, 3, 1, 2).reshape(x.shape))

    @staticmethod
    def _heads(x: Tensor) -> Tensor:
        batch, channels, count = x.shape
        return x.view(batch, channels // HEADS, HEADS, count).permute(0, 2, 3, 1)  # [B, 4, N, 64]


class AttentionLayer(nn.Module):
    """One step of message passing: x + MLP([x, message]) (3)."""

    def __init__(self) -> None:
        super().__init__()
        self.attn = Attention()
        self.mlp = mlp([2 * DESCRIPTOR_SIZE, 2 * DESCRIPTOR_SIZE, DESCRIPTOR_SIZE])

    def forward(self, x: Tensor, source: Tensor, valid: Tensor | None) -> Tensor:
        return x + self.mlp(torch.cat([x, self.attn(x, source, valid)], dim=1))


class AttentionalGraphNetwork(nn.Module):
    """Layers of self attention (even) and cross attention (odd), the same for both images."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(AttentionLayer() for _ in range(layers))

    def forward(
        self, x0: Tensor, x1: Tensor, valid0: Tensor | None, valid1: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        for index, layer in enumerate(self.layers):
            if index % 2 == 0:
                x0, x1 = layer(x0, x0, valid0), layer(x1, x1, valid1)
            else:
                x0, x1 = layer(x0, x1, valid1), layer(x1, x0, valid0)
        return x0, x1


class SuperGlue(nn.Module):
    """The network of section 3 of the paper."""

    def __init__(self, settings: SuperGlueSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or SuperGlueSettings()
        self.kenc = KeypointEncoder()
        self.gnn = AttentionalGraphNetwork(self.settings.layers)
        self.final_proj = nn.Conv1d(DESCRIPTOR_SIZE, DESCRIPTOR_SIZE, 1)
        self.bin_score = nn.Parameter(torch.tensor(1.0))

    def encode(self, points: KeypointSet) -> Tensor:
        """Descriptors with the encoded position added: [B, 256, N]. Depends on one image alone."""
        return points.descriptors.transpose(1, 2) + self.kenc(points.keypoints, points.scores)

    def similarity(
        self, x0: Tensor, x1: Tensor, valid0: Tensor | None = None, valid1: Tensor | None = None
    ) -> Tensor:
        """Scores [B, M, N] of all pairs of keypoints (6), (7), from encoded keypoints."""
        x0, x1 = self.gnn(x0, x1, valid0, valid1)
        first, second = self.final_proj(x0), self.final_proj(x1)
        return torch.einsum("bdm,bdn->bmn", first, second) / DESCRIPTOR_SIZE**0.5

    def forward(self, points0: KeypointSet, points1: KeypointSet) -> Tensor:
        """Log of the assignment, float32 [B, M + 1, N + 1]; the last row and column are the dustbins.

        The exponentials of a row or a column sum to 1, a dustbin's to the number of keypoints of the other image.

        """
        scores = self.similarity(self.encode(points0), self.encode(points1), points0.valid, points1.valid)
        return log_assignment(
            scores, self.bin_score, points0.valid, points1.valid, self.settings.sinkhorn_iterations
        )

    def match(self, points0: KeypointSet, points1: KeypointSet) -> tuple[Tensor, Tensor]:
        """The keypoint of image 1 for each of image 0, int64 [B, M], -1 for none, and confidences [B, M]."""
        return mutual_matches(self(points0, points1), self.settings.threshold)


def log_assignment(
    scores: Tensor, bin_score: Tensor, valid0: Tensor | None, valid1: Tensor | None, iterations: int
) -> Tensor:
    """Optimal partial assignment by Sinkhorn's algorithm, in the log domain and fp32 (8)-(10).

    scores: [B, M, N]; bin_score: scalar, the score of leaving a keypoint unmatched. Returns [B, M + 1, N + 1];
    rows and columns of padding are NEVER or below.
    """
    batch, rows, columns = scores.shape
    real = torch.ones(batch, rows, dtype=torch.bool, device=scores.device)
    valid0 = real if valid0 is None else valid0
    valid1 = real.new_ones(batch, columns) if valid1 is None else valid1
    count0, count1 = valid0.sum(1, keepdim=True).float(), valid1.sum(1, keepdim=True).float()
    valid0, valid1 = F.pad(valid0, (0, 1), value=True), F.pad(valid1, (0, 1), value=True)

    couplings = bin_score.float().expand(batch, rows + 1, columns + 1).clone()
    couplings[:, :-1, :-1] = scores.float()
    couplings = couplings.masked_fill(~(valid0[:, :, None] & valid1[:, None, :]), NEVER)

    # Marginals: 1 for a keypoint, all keypoints of the other image for a dustbin; the sum scaled to 1.
    norm = -(count0 + count1).log()
    log_mu = torch.cat([norm.expand(-1, rows), count1.log() + norm], dim=1)
    log_nu = torch.cat([norm.expand(-1, columns), count0.log() + norm], dim=1)
    u, v = torch.zeros_like(log_mu), torch.zeros_like(log_nu)
    for _ in range(iterations):
        u = (log_mu - torch.logsumexp(couplings + v[:, None, :], dim=2)).masked_fill(~valid0, 0)
        v = (log_nu - torch.logsumexp(couplings + u[:, :, None], dim=1)).masked_fill(~valid1, 0)
    return couplings + u[:, :, None] + v[:, None, :] - norm[:, :, None]


def mutual_matches(log_assignment: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Pairs that are mutually best and more probable than `threshold`.

    log_assignment: [B, M + 1, N + 1], M and N at least 1. Returns the index in image 1 for each keypoint
    of image 0, int64 [B, M], -1 for none, and the confidences [B, M], 0 for none.
    """
    inner = log_assignment[:, :-1, :-1]
    best, match0 = inner.max(dim=2)
    match1 = inner.argmax(dim=1)
    own = torch.arange(inner.shape[1], device=inner.device).expand_as(match0)
    confidence = best.exp()
    accepted = (match1.gather(1, match0) == own) & (confidence > threshold)
    return match0.masked_fill(~accepted, -1), confidence.masked_fill(~accepted, 0)


def layers_of(tensors: Mapping[str, Tensor]) -> int:
    """The number of attention layers in a state dict: 18 in the published ones, fewer in smaller ones."""
    numbers = [int(name.split(".")[2]) for name in tensors if name.startswith("gnn.layers.")]
    return max(numbers) + 1 if numbers else LAYERS
