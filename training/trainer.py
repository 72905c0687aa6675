"""The training loop of all networks: steps, log, validation on held-out data, checkpoints for resuming.

A network's own module defines the loss of a step and how results are measured and written.
"""

from __future__ import annotations

import argparse
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .running import Meter, MovingAverage, Run, average_gradients, in_workers, learning_rate, read_config

Config = dict[str, Any]


class Trainer(ABC):
    """config: the keys seed, steps, rate, warm_up, decay, clip and average; parameters: for AdamW, with a `rate` for
    groups that differ from config's; rank, workers: this process and the number of processes, which see different data
    and take the same steps."""

    log_every = 50  # steps
    validate_every = 500

    def __init__(
        self,
        config: Config,
        run: Run,
        device: torch.device,
        network: nn.Module,
        parameters: Any,
        betas: tuple[float, float],
        rank: int = 0,
        workers: int = 1,
    ) -> None:
        self.config, self.run, self.device = config, run, device
        self.validate_every = config.get("validate_every", self.validate_every)
        self.rank, self.workers = rank, workers
        self.network = network
        self.average = MovingAverage(network, config["average"])
        self.optimizer = torch.optim.AdamW(
            parameters,
            config["rate"],
            betas,
            weight_decay=config["weight_decay"],
            fused=device.type == "cuda",
        )
        self.generator = torch.Generator(device if device.type == "cuda" else "cpu")
        self.step = 0
        self.done = 0.0  # completed share of the training

    @abstractmethod
    def loss(self, meter: Meter) -> Tensor:
        """The loss of one step, drawn with self.generator; parts of it go to the meter."""

    @abstractmethod
    def validate(self) -> dict[str, float]:
        """Measures of the averaged network on held-out data."""

    def save_weights(self) -> None:  # noqa: B027 - a network may leave it out
        """Write the averaged network for use, at every checkpoint."""

    def restore(self) -> bool:
        """Continue from the last checkpoint; False if there is none."""
        state = self.run.restore()
        if state is None:
            return False
        self.network.load_state_dict(state["network"])
        self.average.tensors = {name: tensor.to(self.device) for name, tensor in state["average"].items()}
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        return True

    def save(self) -> None:
        self.run.save(
            {
                "network": self.network.state_dict(),
                "average": self.average.tensors,
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
            }
        )
        self.save_weights()

    def _share(self) -> float:
        """The completed share of the steps, or of the minutes if they are limited."""
        share = self.step / self.config["steps"]
        minutes = self.config.get("minutes")
        return max(share, self.run.seconds() / (60 * minutes)) if minutes else share

    def train(self) -> None:
        """Run all remaining steps; only the first process writes."""
        meter = Meter()
        self.run.begin()
        while self._share() < 1:
            self._one_step(meter)
            self.step += 1
            if self.rank:
                continue
            if self.step % self.log_every == 0:
                self.run.log(step=self.step, **meter.read())
            last = self._share() >= 1
            if self.step % self.validate_every == 0 or last:
                self.run.log(step=self.step, **self.validate())
            if self.run.due() or last:
                self.save()

    def _one_step(self, meter: Meter) -> None:
        config = self.config
        self.done = min(self._share(), 1 - 1e-9)
        # A step's random numbers depend on its number alone, so that a resumed run draws the same.
        self.generator.manual_seed((config["seed"] * 1_000_003 + self.step) * self.workers + self.rank)
        for group in self.optimizer.param_groups:
            rate = group.get("rate", config["rate"])
            group["lr"] = learning_rate(self.step, self.done, rate, config["warm_up"], config["decay"])
        loss = self.loss(meter)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(self.network, self.workers)
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), config["clip"])
        if torch.isfinite(norm):  # a step with a non-finite gradient is skipped
            self.optimizer.step()
            self.average.update(self.network, self.step)
        meter.add(norm=norm)

    def finish(self) -> None:  # noqa: B027 - a network may leave it out
        """After the last step, in the first process."""


def command_line(description: str, config: Path, precision: str) -> argparse.ArgumentParser:
    """The options of every network's training; config, precision: the defaults."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, required=True, help="checkpoint, log and weights")
    parser.add_argument("--config", type=Path, default=config)
    parser.add_argument("--steps", type=int, help="instead of the configuration's")
    parser.add_argument("--minutes", type=float, help="end after this long, if the steps take longer")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", choices=("bf16", "fp32"), default=precision)
    parser.add_argument("--threads", type=int, default=0, help="of each process; 0: torch's default")
    parser.add_argument(
        "--workers", type=int, default=1, help="processes; on a CPU one per core, with one thread each"
    )
    return parser


def launch(network: type[Trainer], options: argparse.Namespace) -> None:
    """Train: `network` is a Trainer that takes (rank, workers, config, options)."""
    config = read_config(options.config)
    config["steps"] = options.steps or config["steps"]
    config["minutes"] = options.minutes
    in_workers(options.workers, _train, network, config, options)


def _train(rank: int, workers: int, network: type[Any], config: Config, options: argparse.Namespace) -> None:
    if options.threads:
        torch.set_num_threads(options.threads)
    trainer = network(rank, workers, config, options)
    trainer.restore()
    trainer.train()
    if rank == 0:
        trainer.finish()
