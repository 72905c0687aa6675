"""The listed pairs in blocks that are matched together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from .database import read_pairs

TILE = 16  # photos

Names = tuple[str, str]


@dataclass(frozen=True)
class Plan:
    """How pairs are matched in blocks, as items of work: the name of the step that is next, its blocks, and the pairs
    that are done."""

    step: str
    blocks: list[list[Names]]
    done: set[Names]


def blocks(pair_list: Path, unmatched: Collection[Names], size: int) -> list[list[Names]]:
    """Those of `unmatched` of each block of `size` pairs. Blocks are cut from all listed pairs, so that a resumed
    run, and every machine, has the same ones."""
    pairs, wanted = by_tiles(read_pairs(pair_list)), set(unmatched)
    cut = [pairs[start : start + size] for start in range(0, len(pairs), size)]
    return [block for whole in cut if (block := [pair for pair in whole if pair in wanted])]


def by_tiles(pairs: list[Names]) -> list[Names]:
    """The pairs in an order in which a photo's pairs are close together, however many photos there are."""
    number = {name: index for index, name in enumerate(sorted({name for pair in pairs for name in pair}))}

    def key(pair: Names) -> tuple[int, ...]:
        first, second = number[pair[0]], number[pair[1]]
        return first // TILE, second // TILE, first, second

    return sorted(pairs, key=key)
