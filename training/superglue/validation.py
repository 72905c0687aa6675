"""Quality of matches on unseen photos: precision and recall at 3 px against nearest neighbors."""

from __future__ import annotations

import torch
from torch import Tensor

from blender_recon3d.pipeline.models.superglue import SuperGlue, log_assignment, mutual_matches

from .data import PairBatch

THRESHOLD = 0.2


@torch.no_grad()
def validate(network: SuperGlue, batches: list[PairBatch]) -> dict[str, float]:
    """Precision and recall of SuperGlue and of mutual nearest neighbors over all pairs of the batches."""
    ours, nearest = torch.zeros(3), torch.zeros(3)
    for batch in batches:
        x0, x1 = network.encode(batch.first), network.encode(batch.second)
        scores = network.similarity(x0, x1)
        found, _ = mutual_matches(log_assignment(scores, network.bin_score, None, None, 50), THRESHOLD)
        ours += _counts(found, batch)
        similarity = batch.first.descriptors @ batch.second.descriptors.transpose(1, 2)
        nearest += _counts(_mutual_nearest(similarity), batch)
    return {
        "precision": float(ours[0] / ours[1].clamp(min=1)),
        "recall": float(ours[0] / ours[2].clamp(min=1)),
        "precision_nn": float(nearest[0] / nearest[1].clamp(min=1)),
        "recall_nn": float(nearest[0] / nearest[2].clamp(min=1)),
    }


def _mutual_nearest(similarity: Tensor) -> Tensor:
    best = similarity.argmax(dim=2)
    back = similarity.argmax(dim=1).gather(1, best)
    index = torch.arange(similarity.shape[1], device=similarity.device)
    return best.masked_fill(back != index, -1)


def _counts(found: Tensor, batch: PairBatch) -> Tensor:
    """Right matches, matches and true matches; matches of points with unknown truth are ignored."""
    matched = found >= 0
    right = batch.matches.gather(2, found.clamp(min=0)[..., None])[..., 0] > 0
    has_partner = batch.matches.sum(dim=2) > 0
    judged = matched & (has_partner | (batch.alone_first > 0))
    counts = ((right & matched).sum(), judged.sum(), batch.matches.sum())
    return torch.stack([count.float().cpu() for count in counts])
