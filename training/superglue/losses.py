"""SuperGlue's loss, and the assignment it is computed from."""

from __future__ import annotations

import torch
from torch import Tensor

from .data import PairBatch

FLOOR = (
    -60.0
)  # of log scores below a row's best: e^-60 is negligible as a probability, and fp32 can still divide by it


def training_assignment(scores: Tensor, bin_score: Tensor, iterations: int) -> Tensor:
    """`log_assignment` (all keypoints real) in the exponential domain: [B, M + 1, N + 1].

    Fifteen times as fast to differentiate as sums of exponentials. A row's best is subtracted first, so that nothing
    overflows while scores are within FLOOR of it; lower ones are raised to FLOOR.
    """
    batch, rows, columns = scores.shape
    bins_column = bin_score.expand(batch, rows, 1)
    bins_row = bin_score.expand(batch, 1, columns + 1)
    couplings = torch.cat([torch.cat([scores, bins_column], 2), bins_row], 1)
    best = couplings.amax(dim=2, keepdim=True).detach()
    couplings = (couplings - best).clamp(min=FLOOR)
    kernel = couplings.exp()
    mu = torch.ones(batch, rows + 1, 1, device=scores.device)
    nu = torch.ones(batch, columns + 1, 1, device=scores.device)
    mu[:, -1], nu[:, -1] = columns, rows
    v = torch.ones_like(nu)
    for _ in range(iterations):
        u = mu / (kernel @ v)
        v = nu / (kernel.transpose(1, 2) @ u)
    return couplings + u.log() + v.log().transpose(1, 2)


def matching_loss(log_assignment: Tensor, batch: PairBatch) -> tuple[Tensor, Tensor]:
    """Negative log likelihood of the true matches and of the dustbins of unmatched keypoints, in equal parts."""
    inner = log_assignment[:, :-1, :-1]
    found = -(inner * batch.matches).sum() / batch.matches.sum().clamp(min=1)
    alone = (log_assignment[:, :-1, -1] * batch.alone_first).sum()
    alone = alone + (log_assignment[:, -1, :-1] * batch.alone_second).sum()
    alone = -alone / (batch.alone_first.sum() + batch.alone_second.sum()).clamp(min=1)
    return found, alone
