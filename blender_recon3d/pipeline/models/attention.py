"""Attention between rows of channels: torch's own, and one that is several times faster on a CPU with bf16.

torch's `scaled_dot_product_attention` runs at fp32 speed on a CPU even with bf16. Here the scores of some queries are
one bf16 product, their exponentials are taken in place, and two more products give the sums of values and of weights.
No maximum is subtracted, since bf16 has the range of fp32; the sums show whether that was enough, and if not, torch's
attention repeats the computation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from .superglue import DESCRIPTOR_SIZE, HEADS

Kind = Literal["torch", "blocks"]
Pair = Sequence[Tensor]  # of the two sides

HEAD_SIZE = DESCRIPTOR_SIZE // HEADS
BLOCK_BYTES = 2 * 2**20  # of scores at a time: what fits into a core's caches until it is used
SHARP = 60.0  # scores to the base 2; heads beyond this use torch's attention: bf16 has a resolution of a quarter there
MIN_SUM, MAX_SUM = (
    2.0**-100,
    2.0**100,
)  # range of the sums of weights within which nothing over- or underflowed


def attend(query: Tensor, key: Tensor, value: Tensor, out: Tensor, kind: Kind) -> None:
    """Multi-head attention, written to `out`.

    query, out: [B, M, 256]; key, value: [B, N, 256]; with any stride between rows. Each head has 64 consecutive
    channels; the softmax is to the base 2 and its scale is included in the queries.
    """
    if kind == "torch" or not _attend_blocks(query, key, value, out):
        _attend_torch(query, key, value, out)


def attend_both(keys: Pair, values: Pair, outs: Pair, kind: Kind) -> None:
    """Attention of two sets to each other from one product of their keys, written to `outs`.

    Each of the three: [M, 256] of one side and [N, 256] of the other; keys include the square root of the softmax's
    scale; the rest as in `attend`. Heads whose scores may be large use torch's attention: bf16 is too coarse for such
    scores.
    """
    heads: Sequence[int] = range(HEADS)
    if kind == "blocks":
        lengths = [side.float().unflatten(1, (HEADS, HEAD_SIZE)).norm(dim=2).amax(dim=0) for side in keys]
        heads = [head for head, limit in enumerate((lengths[0] * lengths[1]).tolist()) if limit > SHARP]
        for head in set(range(HEADS)) - set(heads):
            _attend_both_blocks(
                *([side[:, _channels(head)] for side in pair] for pair in (keys, values, outs))
            )
    if heads:
        for index, out in enumerate(outs):
            query, key, value = (
                torch.stack([rows[:, _channels(head)] for head in heads])[None]
                for rows in (keys[index], keys[1 - index], values[1 - index])
            )
            message = F.scaled_dot_product_attention(query, key, value, scale=math.log(2))[0]
            for head, message_of_head in zip(heads, message, strict=True):
                out[:, _channels(head)] = message_of_head


def _attend_torch(query: Tensor, key: Tensor, value: Tensor, out: Tensor) -> None:
    query, key, value = (x.unflatten(2, (HEADS, HEAD_SIZE)).transpose(1, 2) for x in (query, key, value))
    message = F.scaled_dot_product_attention(query, key, value, scale=math.log(2))
    out.copy_(message.transpose(1, 2).flatten(2))


def _attend_blocks(query: Tensor, key: Tensor, value: Tensor, out: Tensor) -> bool:
    """Returns False, with `out` unusable, when exponentials left the range."""
    batch, rows, columns = query.shape[0], query.shape[1], key.shape[1]
    step = max(1, min(rows, BLOCK_BYTES // (columns * query.element_size())))
    ones = query.new_ones(columns, 1)
    scores = query.new_empty(step, columns)
    sums = query.new_empty(batch, HEADS, rows, 1)
    for index in range(batch):
        for head in range(HEADS):
            channels = slice(head * HEAD_SIZE, (head + 1) * HEAD_SIZE)
            keys, values = key[index, :, channels].T, value[index, :, channels]
            for start in range(0, rows, step):
                block = slice(start, min(start + step, rows))
                weights = scores[: block.stop - start]
                torch.mm(query[index, block, channels], keys, out=weights).exp2_()
                total = torch.mm(weights, ones, out=sums[index, head, block])
                torch.div(weights @ values, total, out=out[index, block, channels])
    return _in_range(sums)


def _attend_both_blocks(keys: Pair, values: Pair, outs: Pair) -> None:
    """One head, [M, 64] and [N, 64] each. The exponentials of a block of one side's rows serve both sides: the other's
    sums are accumulated block by block, in float32."""
    rows, columns = len(keys[0]), len(keys[1])
    step = max(1, min(rows, BLOCK_BYTES // (columns * keys[0].element_size())))
    scores = keys[0].new_empty(step, columns)
    ones = keys[0].new_ones(max(columns, step), 1)
    accumulated, sums = torch.zeros(columns, HEAD_SIZE), torch.zeros(columns, 1)
    for start in range(0, rows, step):
        block = slice(start, min(start + step, rows))
        weights = scores[: block.stop - start]
        torch.mm(keys[0][block], keys[1].T, out=weights).exp2_()
        torch.div(weights @ values[1], weights @ ones[:columns], out=outs[0][block])
        accumulated += weights.T @ values[0][block]
        sums += weights.T @ ones[: len(weights)]
    torch.div(accumulated, sums, out=accumulated)
    outs[1].copy_(accumulated)


def _channels(head: int) -> slice:
    return slice(head * HEAD_SIZE, (head + 1) * HEAD_SIZE)


def _in_range(sums: Tensor) -> bool:
    low, high = torch.aminmax(sums)
    return MIN_SUM <= float(low) and float(high) <= MAX_SUM
