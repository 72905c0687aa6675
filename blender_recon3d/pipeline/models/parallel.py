"""Work for a network on several photos or pairs at once: on a CPU each on a core of its own.

Two photos next to each other, one thread each, are through sooner than one after the other with two threads:
no thread waits for another after every operation, and what is small is done in parallel too. And the result does
not hang on how many cores there are: with other numbers of threads, convolutions and products round otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

from ..system.cpu import cores

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_WORKERS = 4  # side by side; more take more memory and share the caches


def in_parallel(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    device: torch.device,
    max_workers: int = MAX_WORKERS,
) -> list[Result]:
    """function(item) of each, in their order. On a CPU up to `max_workers` at once, each with one thread of torch's."""
    if device.type != "cpu" or not items:
        return [function(item) for item in items]
    with ThreadPoolExecutor(min(max_workers, cores(), len(items)), initializer=_one_thread) as pool:
        return list(pool.map(function, items))


def _one_thread() -> None:
    torch.set_num_threads(1)  # holds for the calling thread


def prefetch(function: Callable[[Item], Result], items: Iterable[Item], count: int = 1) -> Iterator[Result]:
    """function(item) of each, in their order, computed in another thread up to `count` before it is asked for."""
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
