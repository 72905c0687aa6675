"""The training loop: resumed exactly, in several processes, and one real network's training through its command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from tests.support.engine import REPOSITORY
from training.running import Meter, Run, average_gradients, in_workers
from training.trainer import Trainer

CONFIG = {
    "seed": 4, "steps": 60, "rate": 0.1, "warm_up": 2, "decay": 0.5, "clip": 1.0, "average": 0.9, "weight_decay": 0.0
}  # fmt: skip


class Line(Trainer):
    """Fits y = 3 x - 1 to points drawn with the generator."""

    log_every = validate_every = 15

    def __init__(self, folder: Path, steps: int, rank: int = 0, workers: int = 1) -> None:
        torch.manual_seed(0)
        network = nn.Linear(1, 1)
        config = {**CONFIG, "steps": steps}
        device = torch.device("cpu")
        super().__init__(
            config, Run(folder), device, network, network.parameters(), (0.9, 0.99), rank, workers
        )
        self.seen: list[float] = []

    def loss(self, meter: Meter) -> Tensor:
        x = torch.rand(8, 1, generator=self.generator)
        self.seen.append(float(x[0]))
        loss = (self.network(x) - (3 * x - 1)).square().mean()
        meter.add(loss=loss.detach())
        return loss

    def validate(self) -> dict[str, float]:
        return {"slope": float(self.average.tensors["weight"])}


def test_a_resumed_run_ends_as_one_that_was_not_interrupted(tmp_path: Path) -> None:
    whole = Line(tmp_path / "whole", 60)
    assert not whole.restore()
    whole.train()
    # Interrupted after 37 steps; the learning rate is still that of a run of 60.
    first = Line(tmp_path / "parts", 60)
    while first.step < 37:
        first._one_step(Meter())
        first.step += 1
    first.save()
    second = Line(tmp_path / "parts", 60)
    assert second.restore() and second.step == 37
    second.train()
    assert first.seen + second.seen == whole.seen and len(set(whole.seen)) == 60
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, second.network.state_dict()[name])
        assert torch.equal(whole.average.tensors[name], second.average.tensors[name])
    rows = [json.loads(line) for line in (tmp_path / "whole" / "log.jsonl").read_text("utf-8").splitlines()]
    losses = [row["loss"] for row in rows if "loss" in row]
    assert len(losses) == 4 and losses[-1] < 0.1 * losses[0]
    assert rows[-1]["step"] == 60 and "slope" in rows[-1]


def test_gradients_are_averaged_over_processes(tmp_path: Path) -> None:
    in_workers(2, _average, tmp_path)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert torch.equal(first, second)
    assert torch.equal(first, torch.tensor([[1.5, 3.0], [1.5, 3.0]]))


def _average(rank: int, workers: int, folder: Path) -> None:
    network = nn.Linear(2, 2, bias=False)
    network.weight.grad = torch.tensor([[1.0, 2.0], [1.0, 2.0]]) * (rank + 1)
    average_gradients(network, workers)
    torch.save(network.weight.grad, folder / f"{rank}.pt")


def test_two_processes_see_different_data_and_stay_one_network(tmp_path: Path) -> None:
    in_workers(2, _line, tmp_path)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert first["seen"] != second["seen"]
    assert torch.equal(first["weight"], second["weight"])


def _line(rank: int, workers: int, folder: Path) -> None:
    trainer = Line(folder / "run", 5, rank, workers)
    trainer.train()
    state = {"seen": trainer.seen, "weight": trainer.network.weight.detach()}
    torch.save(state, folder / f"{rank}.pt")


def test_superpoint_trains_in_two_processes_and_resumes(tmp_path: Path) -> None:
    photos = tmp_path / "data" / "train" / "photos"
    photos.mkdir(parents=True)
    random = np.random.default_rng(0)
    for index in range(21):
        coarse = random.integers(0, 255, (24, 32, 3), np.uint8)
        cv2.imwrite(str(photos / f"scenery_{index:03}.jpg"), cv2.resize(coarse, (320, 240)))
    text = (REPOSITORY / "training" / "configs" / "superpoint.toml").read_text("utf-8")
    for large, small in (("view = 160", "view = 64"), ("\npairs = 4\n", "\npairs = 1\n"), ("= 48", "= 2")):
        assert large in text
        text = text.replace(large, small)
    config = tmp_path / "superpoint.toml"
    config.write_text(text, "utf-8")
    run = tmp_path / "run"
    for steps in (2, 3):
        command = [
            sys.executable, "-m", "training.superpoint", "--data", tmp_path / "data", "--output", run, "--config",
            config, "--steps", str(steps), "--workers", "2", "--device", "cpu", "--precision", "fp32",
        ]  # fmt: skip
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    assert state["step"] == 3
    assert load_file(run / "latest.safetensors").keys() >= {"conv1a.weight"}
