"""Distances of descriptors from the teacher's: by angle, as projected by LightGlue, and among all points."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

TEMPERATURE = 0.05
APART = 6.0  # pixels: closer points are not contrasted


def cosine_loss(ours: Tensor, teacher: Tensor) -> Tensor:
    """Mean of 1 - cosine of descriptors [..., 128] of length 1."""
    return 1 - (ours * teacher).sum(dim=-1).mean()


def projected_loss(ours: Tensor, teacher: Tensor, projection: Tensor) -> Tensor:
    """The share of error in LightGlue's first projection of the descriptors; projection: [256, 128].

    It weights some directions six times as strongly as others.
    """
    error = ((ours - teacher) @ projection.T).square().sum(dim=-1)
    return error.mean() / (2 * (teacher @ projection.T).square().sum(dim=-1).mean())


def contrastive_loss(ours: Tensor, teacher: Tensor, xy: Tensor) -> Tensor:
    """InfoNCE in both directions: among all points [B, N, 2] of a photo, the teacher's descriptor there is most
    similar.

    ours, teacher: [B, N, 128].
    """
    logits = ours @ teacher.transpose(1, 2) / TEMPERATURE
    near = torch.cdist(xy, xy) < APART
    near.diagonal(dim1=1, dim2=2).fill_(False)
    logits = logits.masked_fill(near, -1e4)
    target = torch.arange(logits.shape[1], device=logits.device).expand(len(logits), -1)
    return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.transpose(1, 2), target))
