"""Runs a network on several photos or pairs in parallel: on a CPU each on its own core.

Two photos in parallel with one thread each finish sooner than in sequence with two threads: no thread waits for another
after every operation, and small operations run in parallel too. Also, the result does not depend on the number of
cores: with another number of threads, convolutions and products round differently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

from ..system.cpu import cores

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_WORKERS = 4  # in parallel; more take more memory and share the caches


def in_parallel(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    device: torch.device,
    max_workers: int = MAX_WORKERS,
) -> list[Result]:
    """function(item) of each, in order. On a CPU up to `max_workers` at once, each with one torch thread."""
    if device.type != "cpu" or not items:
        return [function(item) for item in items]
    with ThreadPoolExecutor(min(max_workers, cores(), len(items)), initializer=_one_thread) as pool:
        return list(pool.map(function, items))


def _one_thread() -> None:
    torch.set_num_threads(1)  # applies to the calling thread


def prefetch(function: Callable[[Item], Result], items: Iterable[Item], count: int = 1) -> Iterator[Result]:
    """function(item) of each, in order, computed in another thread up to `count` items ahead."""
    pool = ThreadPoolExecutor(1)
    waiting: list[Future[Result]] = []
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > count:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
    finally:
        pool.shutdown(cancel_futures=True)
