"""Sinkhorn's algorithm on numbers instead of logarithms, fast, and mutual matches of its result.

The same iterations as `superglue.log_assignment`, which is the reference, with scaling vectors a and b on a kernel K of
exponentials: the assignment is a_i K_ij b_j, and a half-step is one matrix-vector product instead of as many
exponentials and logarithms as there are entries. To avoid under- and overflow, a and b are absorbed into the logarithms
and K is recomputed when they have grown large (Schmitzer: "Stabilized Sparse Scaling Algorithms for Entropy Regularized
Transport Problems", 2019, section 3.2). Logarithms are to the base 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# A half-step averages: it never changes the logarithms of a or b by more than the previous half-step changed those of
# the other, so that one measured change bounds all later ones.
GROWTH = 60.0  # of a and b together, as a power of two, at which both are absorbed into K
RANGE = 100.0  # the same as an upper bound: entries below 2^-126 that K lacks by then are still below 2^-26
TOLERANCE = 1e-3  # largest change of the logarithm of an entry by all skipped iterations
LONGEST = 10  # maximum number of iterations between two checks
ROWS = 256  # multiplied at a time, to fit into a cache


@dataclass(frozen=True)
class Assignment:
    """For a batch of pairs: row[:, :, None] * kernel * column[:, None, :], dustbins last.

    kernel: [B, M + 1, N + 1]; row: [B, M + 1]; column: [B, N + 1]; iterations: number of iterations run.
    """

    kernel: Tensor
    row: Tensor
    column: Tensor
    iterations: int

    def dense(self) -> Tensor:
        """The probabilities themselves, [B, M + 1, N + 1]."""
        return self.row[:, :, None] * self.kernel * self.column[:, None, :]


def logits_with_dustbins(first: Tensor, second: Tensor, bin_score: float) -> Tensor:
    """Products of first [B, M, C] and second [B, N, C], and a last row and column of `bin_score`."""
    (batch, rows, _), columns = first.shape, second.shape[1]
    result = first.new_full((batch, rows + 1, columns + 1), bin_score)
    for one, other, target in zip(first, second, result, strict=True):
        torch.mm(one, other.T, out=target[:-1, :-1])
    return result


def assign(logits: Tensor, iterations: int) -> Assignment:
    """logits: float32 [B, M + 1, N + 1], scores to the base 2 with dustbins, from `logits_with_dustbins`.

    Rows and columns of the result sum to 1, the dustbins' to the number of keypoints of the other image.
    """
    _, rows, columns = logits.shape
    mu, nu = logits.new_ones(rows), logits.new_ones(columns)
    mu[-1], nu[-1] = columns - 1, rows - 1
    u, v = -logits.amax(dim=2), torch.zeros_like(logits[:, 0])
    kernel = torch.add(logits, u[:, :, None]).exp2_()
    a, b = torch.ones_like(u), torch.ones_like(v)
    look = done = 0
    while done < iterations:
        before = b
        a = mu / times(kernel, b)
        b = nu / times(kernel.mT, a)
        done += 1
        if done < look or done == iterations:
            continue
        low, high = _logarithms(b / before)
        # A common factor of b is inverted in a. A value that is not a number ends the loop too.
        if not (high - low) * (iterations - done) >= TOLERANCE:
            break
        change = max(-low, high)
        growth = sum(max(abs(value) for value in _logarithms(vector)) for vector in (a, b))
        if growth > GROWTH:
            u, v, growth = u + a.log2(), v + b.log2(), 0.0
            torch.add(logits, u[:, :, None], out=kernel).add_(v[:, None, :]).exp2_()
            a, b = torch.ones_like(a), torch.ones_like(b)
        look = done + max(1, min(LONGEST, int((RANGE - growth) / (2 * change + 1e-9))))
    return Assignment(kernel, a, b, done)


def times(matrices: Tensor, vectors: Tensor) -> Tensor:
    """Products [B, M] of matrices [B, M, N] and vectors [B, N]."""
    if matrices.device.type == "cpu":  # where a batched product with a vector is twenty times slower
        return torch.stack(
            [torch.mv(matrix, vector) for matrix, vector in zip(matrices, vectors, strict=True)]
        )
    return (matrices @ vectors.unsqueeze(2)).squeeze(2)


def _logarithms(values: Tensor) -> tuple[float, float]:
    """Logarithms to the base 2 of the smallest and the largest."""
    low, high = torch.aminmax(values)
    return float(low.log2()), float(high.log2())


def mutual_matches(assignment: Assignment, threshold: float) -> list[tuple[Tensor, Tensor]]:
    """As `superglue.mutual_matches`, for each pair: the matched rows and their columns, int64 [K, 2], by rows, and
    confidences [K]; on the CPU."""
    inner = assignment.kernel[:, :-1, :-1]
    parts = zip(inner, assignment.row[:, :-1], assignment.column[:, :-1], strict=True)
    return [_mutual(kernel, row, column, threshold) for kernel, row, column in parts]


def _mutual(kernel: Tensor, row: Tensor, column: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Only the maxima are computed over all entries; their positions, which takes ten times as long, only for the rows
    with enough confidence."""
    blocks = kernel.split(ROWS)
    confidence = torch.cat([(block * column).amax(dim=1) for block in blocks]) * row
    best = torch.stack(
        [(block * part[:, None]).amax(dim=0) for block, part in zip(blocks, row.split(ROWS), strict=True)]
    ).amax(dim=0)
    rows = torch.nonzero(confidence > threshold).squeeze(1)
    columns = (kernel[rows] * column).argmax(dim=1)
    mutual = kernel[rows, columns] * row[rows] >= best[columns]
    rows, columns, confidence = (x[mutual].cpu() for x in (rows, columns, confidence[rows]))
    # Of several rows that are equally good for a column, the first one gets it.
    first = columns.new_full((len(best),), len(row)).scatter_reduce_(0, columns, rows, "amin")
    accepted = first[columns] == rows
    return torch.stack([rows, columns], dim=1)[accepted], confidence[accepted]
