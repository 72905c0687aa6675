"""Trains SuperGlue: python -m training.superglue --data ../shared/data --renders DIR --output DIR

On the keypoints of a trained SuperPoint, which stays as it is: views of photos through homographies and over
reliefs, and renders of scans, whose true matches are known.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody uses
from safetensors.torch import load_file, save_file

from blender_recon3d.pipeline.models.devices import select_device
from blender_recon3d.pipeline.models.superglue import DESCRIPTOR_SIZE, SuperGlue
from blender_recon3d.pipeline.models.superpoint import SuperPoint

from .photos import PhotoStack, load_photos, sampling_weights, stack_grey
from .relief import ReliefSettings
from .renders import load_renders
from .running import (
    Meter,
    MovingAverage,
    Run,
    average_gradients,
    in_workers,
    learning_rate,
    mixed_precision,
    read_config,
)
from .superglue_data import PairBatch, ViewGroup, pair_batch, relief_group, rendered_group
from .superglue_forward import attended
from .superglue_losses import matching_loss, training_assignment
from .superglue_network import fix_normalisation, grown, new_network, published_layout
from .superglue_validation import validate

CONFIG = Path(__file__).parent / "configs" / "superglue.toml"
SUPERPOINT = Path(__file__).parents[1] / "vendor" / "weights" / "superpoint.safetensors"
LOG_EVERY, VALIDATE_EVERY = 50, 500  # steps
HELD_OUT_GROUPS = 24
KEPT_GROUPS = 24  # scenes whose views wait to be used again


class Scenes:
    """Draws groups of views as the phase of the training says, and hands each out `reuse` times."""

    def __init__(
        self,
        config: dict[str, Any],
        superpoint: SuperPoint,
        photos: PhotoStack,
        weights: torch.Tensor,
        renders: Path | None,
        generator: torch.Generator,
        bf16: bool,
    ) -> None:
        self.config, self.superpoint, self.photos, self.weights = config, superpoint, photos, weights
        self.renders = [] if renders is None else load_renders(renders)
        self.generator, self.bf16 = generator, bf16
        self._kept: list[tuple[ViewGroup, int]] = []
        self._phase = -1

    def next(self, done: float) -> ViewGroup:
        """done: share of the steps that are behind."""
        number = next(i for i, phase in enumerate(self.config["phase"]) if done < phase["until"])
        if number != self._phase:
            self._kept, self._phase = [], number
        pick = int(torch.randint(KEPT_GROUPS, (1,), generator=self.generator))
        if pick < len(self._kept):
            group, left = self._kept[pick]
            if left > 1:
                self._kept[pick] = (group, left - 1)
                return group
            self._kept.pop(pick)
            return group
        group = self.draw(self.config["phase"][number])
        if self.config["reuse"] > 1:
            self._kept.append((group, self.config["reuse"] - 1))
        return group

    def draw(self, phase: dict[str, Any]) -> ViewGroup:
        views, count, light = self.config["views"], phase["keypoints"], phase["light"]
        chance = float(torch.rand(1, generator=self.generator))
        if self.renders and chance < phase["renders"]:
            scene = self.renders[int(torch.randint(len(self.renders), (1,), generator=self.generator))]
            return rendered_group(self.superpoint, scene, views, count, light, self.generator, self.bf16)
        index = torch.multinomial(self.weights, 1, generator=self.generator)
        settings = ReliefSettings(flat=phase["flat"])
        return relief_group(
            self.superpoint, self.photos, index, views, tuple(phase["shape"]), count, light, settings,
            self.generator, self.bf16,
        )  # fmt: skip


class Trainer:
    def __init__(self, rank: int, workers: int, config: dict[str, Any], options: argparse.Namespace) -> None:
        self.rank, self.workers, self.config = rank, workers, config
        self.device, self.bf16 = select_device(options.device), not options.fp32
        self.run = Run(options.output)
        superpoint = SuperPoint().to(self.device, memory_format=torch.channels_last).eval()
        superpoint.load_state_dict({k: v.float() for k, v in load_file(options.superpoint).items()})
        self.generator = torch.Generator().manual_seed(config["seed"] + rank)
        photos = load_photos(options.data)
        weights = sampling_weights(photos.train_names)
        stack = stack_grey(photos.train, self.device)
        self.scenes = Scenes(config, superpoint, stack, weights, options.renders, self.generator, self.bf16)
        self.held_out = (
            self._held_out(superpoint, stack_grey(photos.held_out, self.device)) if rank == 0 else []
        )
        torch.manual_seed(config["seed"])
        self.network = self._first_network(options.start).to(self.device)
        self.average = MovingAverage(self.network, config["average"])
        groups = parameter_groups(self.network, config["rate"], config["weight_decay"])
        self.optimiser = torch.optim.AdamW(groups, config["rate"], (0.9, 0.98))
        self.step = 0

    def _first_network(self, start: Path | None) -> SuperGlue:
        layers = self.config["layers"]
        if start is None:
            return new_network(layers)
        tensors = {name: tensor.float() for name, tensor in load_file(start).items()}
        return grown({k: v for k, v in tensors.items() if _layer(k) < layers}, layers)

    def _held_out(self, superpoint: SuperPoint, photos: PhotoStack) -> list[PairBatch]:
        """Two pairs each of some held-out photos, always the same ones."""
        generator = torch.Generator().manual_seed(11)
        weights = torch.ones(len(photos), dtype=torch.float64)
        config = {**self.config, "views": 3}
        phase = {"keypoints": 512, "renders": 0, "light": 0.8, "flat": 0.5, "shape": [360, 480]}
        scenes = Scenes(config, superpoint, photos, weights, None, generator, False)
        return [pair_batch([scenes.draw(phase)], 2, generator) for _ in range(HELD_OUT_GROUPS)]

    def restore(self) -> None:
        state = self.run.restore()
        if state is not None:
            self.network.load_state_dict(state["network"])
            self.average.tensors = {name: t.to(self.device) for name, t in state["average"].items()}
            self.optimiser.load_state_dict(state["optimiser"])
            self.step = state["step"]
            self.generator.manual_seed(self.config["seed"] + self.rank + 1000 * self.step)

    def save(self) -> None:
        self.run.save(
            {
                "network": self.network.state_dict(),
                "average": self.average.tensors,
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
            }
        )
        partial = self.run.folder / "latest.part"
        save_file(published_layout(self.average.tensors), partial)
        partial.replace(self.run.folder / "latest.safetensors")

    def train(self) -> None:
        meter = Meter()
        steps = self.config["steps"]
        while self.step < steps:
            self._one_step(meter)
            self.step += 1
            if self.rank:
                continue
            if self.step % LOG_EVERY == 0:
                self.run.log(step=self.step, bin=float(self.network.bin_score.detach()), **meter.read())
            if self.step % VALIDATE_EVERY == 0 or self.step == steps:
                self.run.log(step=self.step, **self.validate())
            if self.run.due() or self.step == steps:
                self.save()

    def validate(self) -> dict[str, float]:
        network = new_network(self.config["layers"]).to(self.device)
        network.load_state_dict(self.average.tensors)
        return validate(fix_normalisation(network), self.held_out)

    def _one_step(self, meter: Meter) -> None:
        config = self.config
        group = self.scenes.next(self.step / config["steps"])
        batch = pair_batch([group], config["pairs"], self.generator)
        for part in self.optimiser.param_groups:
            part["lr"] = learning_rate(
                self.step, config["steps"], part["rate"], config["warm_up"], config["decay"]
            )
        with mixed_precision(self.device, self.bf16):
            x0, x1 = attended(self.network, batch.first, batch.second)
        # what is compared stays in fp32: a similarity of 20 has steps of 0.1 in bf16
        final = self.network.final_proj
        first, second = (F.linear(x.float(), final.weight[..., 0], final.bias) for x in (x0, x1))
        scores = first @ second.transpose(1, 2) / DESCRIPTOR_SIZE**0.5
        assignment = training_assignment(scores, self.network.bin_score, config["sinkhorn"])
        found, alone = matching_loss(assignment, batch)
        loss = found + config["alone"] * alone
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(self.network, self.workers)
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), config["clip"])
        if torch.isfinite(norm):  # a step whose gradient is not finite is passed over
            self.optimiser.step()
            self.average.update(self.network, self.step)
        meter.add(
            found=found.detach(), alone=alone.detach(), norm=norm, matches=batch.matches.sum() / len(x0)
        )


def parameter_groups(network: SuperGlue, rate: float, weight_decay: float) -> list[dict[str, Any]]:
    """What is trained, each group with its `rate`: Adam's steps are of one size, and parameters that start large
    (the temperature within final_proj, the dustbin's score, queries and keys) need larger ones."""
    groups: dict[float, list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        factor = 1.0
        if name == "bin_score":
            factor = 40.0
        elif name == "final_proj.weight":
            factor = 10.0
        elif ".attn.proj.0." in name or ".attn.proj.1." in name:
            factor = 3.0
        groups.setdefault(factor, []).append(parameter)
    return [
        {"params": parameters, "rate": rate * factor, "weight_decay": weight_decay if factor == 1 else 0.0}
        for factor, parameters in groups.items()
    ]


def _layer(name: str) -> int:
    return int(name.split(".")[2]) if name.startswith("gnn.") else -1


def _train(rank: int, workers: int, config: dict[str, Any], options: argparse.Namespace) -> None:
    trainer = Trainer(rank, workers, config, options)
    trainer.restore()
    trainer.train()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--renders", type=Path, help="what python -m training.renders made")
    parser.add_argument("--superpoint", type=Path, default=SUPERPOINT)
    parser.add_argument("--start", type=Path, help="weights to go on from, with as many layers or fewer")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--steps", type=int, help="instead of the configuration's")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--fp32", action="store_true", help="no bf16, for hardware that has none")
    parser.add_argument("--workers", type=int, default=1, help="processes; on a CPU one a core")
    options = parser.parse_args()
    config = read_config(options.config)
    config["steps"] = options.steps or config["steps"]
    in_workers(options.workers, _train, config, options)


if __name__ == "__main__":
    main()
