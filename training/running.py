"""Common parts of training scripts: a resumable state on disk, a log, a learning rate schedule."""

from __future__ import annotations

import json
import os
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
import torch.distributed
import torch.multiprocessing
from safetensors.torch import save_file
from torch import Tensor, nn

CHECKPOINT_SECONDS = 60.0


def read_config(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


def learning_rate(step: int, done: float, peak: float, warm_up: int, decay: float) -> float:
    """Linear warm-up over `warm_up` steps, constant, and linear decay to zero over the last `decay` of the training;
    done: the completed share of it."""
    rise = min(1.0, (step + 1) / max(warm_up, 1))
    fall = min(1.0, max(0.0, 1 - done) / max(decay, 1e-9))
    return peak * rise * fall


def mixed_precision(device: torch.device, wanted: bool) -> AbstractContextManager[Any]:
    return torch.autocast(device.type, dtype=torch.bfloat16) if wanted else nullcontext()


class MovingAverage:
    """Exponential moving average of a network's parameters and buffers; it forgets faster in the beginning."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.tensors = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        state = network.state_dict()
        real = [name for name, tensor in state.items() if tensor.is_floating_point()]
        torch._foreach_lerp_([self.tensors[name] for name in real], [state[name] for name in real], 1 - decay)
        for name in state.keys() - set(real):
            self.tensors[name].copy_(state[name])


class Run:
    """One training run in a folder: checkpoint.pt (written atomically, every minute), log.jsonl."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.checkpoint = folder / "checkpoint.pt"
        self._saved = time.monotonic()
        self._started = time.monotonic()
        self._before = 0.0  # seconds of training in earlier processes

    def restore(self) -> dict[str, Any] | None:
        """The state written by `save`, or None on the first start."""
        if not self.checkpoint.exists():
            return None
        state: dict[str, Any] = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        self._before = state["seconds"]
        return state

    def begin(self) -> None:
        """Start the clock: preparation does not count."""
        self._started = time.monotonic()

    def due(self) -> bool:
        return time.monotonic() - self._saved > CHECKPOINT_SECONDS

    def save(self, state: dict[str, Any]) -> None:
        partial = self.checkpoint.with_suffix(".part")
        torch.save({**state, "seconds": self.seconds()}, partial)
        os.replace(partial, self.checkpoint)
        self._saved = time.monotonic()

    def seconds(self) -> float:
        """Seconds of training so far, over all processes."""
        return self._before + time.monotonic() - self._started

    def log(self, **values: Any) -> None:
        """Write a line to log.jsonl and to the terminal."""
        values = {key: _rounded(value) for key, value in values.items()}
        line = json.dumps({**values, "seconds": round(self.seconds())})
        with open(self.folder / "log.jsonl", "a", encoding="utf-8") as file:
            file.write(line + "\n")
        os.write(1, (line + "\n").encode())


def save_whole(tensors: dict[str, Tensor], path: Path) -> None:
    """A safetensors file, written atomically."""
    partial = path.with_suffix(".part")
    save_file(tensors, partial)
    os.replace(partial, path)


def in_workers(workers: int, function: Callable[..., None], *arguments: Any) -> None:
    """Call function(rank, workers, *arguments) in as many processes as there are workers.

    On a CPU, processes of one thread each that average their gradients use the cores better than threads that wait for
    each other in every layer.
    """
    if workers == 1:
        function(0, 1, *arguments)
    else:
        address = f"file://{tempfile.mkdtemp()}/workers"
        torch.multiprocessing.spawn(_worker, (workers, address, function, arguments), nprocs=workers)


def _worker(
    rank: int, workers: int, address: str, function: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=workers)
    function(rank, workers, *arguments)
    # Its threads hold tensors: left to Python's shutdown, they may release one when there is no Python any more.
    torch.distributed.destroy_process_group()


def average_gradients(network: nn.Module, workers: int) -> None:
    """Replace the gradients by their mean over all workers."""
    if workers > 1:
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        torch.distributed.all_reduce(flat)
        flat /= workers
        parts = flat.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))


class Meter:
    """Means of named losses since the last reading."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor | float] = {}
        self._counts: dict[str, int] = {}

    def add(self, **values: Tensor | float) -> None:
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def read(self) -> dict[str, float]:
        means = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
        self._sums, self._counts = {}, {}
        return means


def batches(weights: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Indices int64 [size], drawn with the given probabilities, forever."""
    while True:
        yield torch.multinomial(weights, size, replacement=True, generator=generator)


def _rounded(value: Any) -> Any:
    return float(f"{value:.5g}") if isinstance(value, float) else value
