"""Trains SuperPoint: python -m training.superpoint --data ../shared/data --output DIR

Self-supervised on photographs: two views of a photo through known homographies under different light. The
detector learns corners that both views agree on, the descriptor to find a point among all others of the batch.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody uses
from safetensors.torch import save_file
from torch import Tensor

from blender_recon3d.pipeline.models.devices import select_device
from blender_recon3d.pipeline.models.superpoint import CELL, score_map

from .corners import corner_response, hard_labels, soft_labels
from .photometric import change_light
from .photos import PhotoStack, load_photos, sampling_weights, stack_grey
from .running import Meter, MovingAverage, Run, batches, learning_rate, mixed_precision, read_config
from .superpoint_losses import (
    auxiliary_loss,
    descriptor_loss,
    descriptors_at,
    hard_detector_loss,
    sample_correspondences,
    soft_detector_loss,
)
from .superpoint_network import TrainableSuperPoint, folded
from .superpoint_validation import validate
from .warps import WarpSettings, random_pair, sample_views, warp_map

CONFIG = Path(__file__).parent / "configs" / "superpoint.toml"
LOG_EVERY, VALIDATE_EVERY = 100, 1000  # steps


@dataclass
class Views:
    """A batch of pairs. images, valid: first views then second ones, [2 B, 1, V, V] and bool [2 B, V, V];
    to_first: homographies [B, 3, 3] from second to first."""

    images: Tensor
    valid: Tensor
    to_first: Tensor


def make_views(photos: PhotoStack, index: Tensor, view: int, generator: torch.Generator) -> Views:
    shape = (view, view)
    first, second = random_pair(photos.sizes[index], shape, WarpSettings(), generator)
    images, valid = sample_views(photos, torch.cat([index, index]), torch.cat([first, second]), shape)
    return Views(images, valid, torch.linalg.inv(first) @ second)


def both_views(values: Tensor, views: Views) -> Tensor:
    """Maps [2 B, 1, V, V] averaged with those of the other view, where that sees the same."""
    first, second = values.chunk(2)
    shape = values.shape[-2:]
    valid_first, valid_second = views.valid[:, None].float().chunk(2)
    from_second, inside_first = warp_map(
        torch.cat([second, valid_second], 1), torch.linalg.inv(views.to_first), shape
    )
    from_first, inside_second = warp_map(torch.cat([first, valid_first], 1), views.to_first, shape)
    other = torch.cat([from_second, from_first])
    weight = (other[:, 1:] > 0.99) & torch.cat([inside_first, inside_second])[:, None]
    return torch.where(weight, 0.5 * (values + other[:, :1]), values)


class Trainer:
    def __init__(
        self, config: dict[str, Any], data: Path, run: Run, device: torch.device, bf16: bool
    ) -> None:
        self.config, self.run, self.device, self.bf16 = config, run, device, bf16
        photos = load_photos(data)
        self.photos = stack_grey(photos.train, device)
        self.held_out = stack_grey(photos.held_out, device)
        self.generator = torch.Generator().manual_seed(config["seed"])
        torch.manual_seed(config["seed"])
        self.network = TrainableSuperPoint().to(device, memory_format=torch.channels_last)
        self.average = MovingAverage(self.network, config["average"])
        self.teacher = TrainableSuperPoint().to(device, memory_format=torch.channels_last).eval()
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), config["rate"], (0.9, 0.99), weight_decay=config["weight_decay"]
        )
        self.step = 0
        self._indices = batches(sampling_weights(photos.train_names), config["pairs"], self.generator)

    def restore(self) -> None:
        state = self.run.restore()
        if state is not None:
            self.network.load_state_dict(state["network"])
            self.average.tensors = {name: t.to(self.device) for name, t in state["average"].items()}
            self.optimiser.load_state_dict(state["optimiser"])
            self.generator.set_state(state["random"])
            self.step = state["step"]

    def save(self) -> None:
        self.run.save(
            {
                "network": self.network.state_dict(),
                "average": self.average.tensors,
                "optimiser": self.optimiser.state_dict(),
                "random": self.generator.get_state(),
                "step": self.step,
            }
        )
        save_file(folded(self.average.tensors), self.run.folder / "latest.safetensors")

    def train(self) -> None:
        meter = Meter()
        while self.step < self.config["steps"]:
            self._one_step(meter)
            self.step += 1
            if self.step % LOG_EVERY == 0:
                self.run.log(step=self.step, light=self._light(), **meter.read())
            if self.step % VALIDATE_EVERY == 0 or self.step == self.config["steps"]:
                self.run.log(step=self.step, **validate(folded(self.average.tensors), self.held_out))
            if self.run.due() or self.step == self.config["steps"]:
                self.save()

    def _one_step(self, meter: Meter) -> None:
        config = self.config
        views = make_views(self.photos, next(self._indices), config["view"], self.generator)
        with torch.no_grad():
            response = both_views(corner_response(views.images), views)
            labels = self._labels(response, views)
            lit = change_light(views.images, self._light(), self.generator)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(
                self.step, config["steps"], config["rate"], config["warm_up"], config["decay"]
            )
        with mixed_precision(self.device, self.bf16):
            logits, descriptors, maps = self.network(lit.contiguous(memory_format=torch.channels_last))
        whole = F.pixel_unshuffle(views.valid[:, None].float(), CELL).amin(dim=1)
        if self.step < config["detector"]["hard_steps"]:
            loss = hard_detector_loss(logits, labels)
        else:
            loss = soft_detector_loss(logits, labels, whole)
        meter.add(detector=loss.detach())
        loss = config["detector"]["weight"] * loss
        inner = config["detector"]["auxiliary"] * max(0.0, 1 - 3 * self.step / config["steps"])
        if inner > 0:
            auxiliary = auxiliary_loss(maps, response, views.valid)
            meter.add(auxiliary=auxiliary.detach())
            loss = loss + inner * auxiliary
        if self.step >= config["descriptor"]["start"]:
            loss = loss + config["descriptor"]["weight"] * self._descriptor_loss(
                descriptors, response, views, meter
            )
        self._update(loss, meter)

    def _update(self, loss: Tensor, meter: Meter) -> None:
        """A gradient step; one whose gradient is not finite is passed over."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config["clip"])
        if torch.isfinite(norm):
            self.optimiser.step()
            self.average.update(self.network, self.step)
        meter.add(norm=norm)

    def _labels(self, response: Tensor, views: Views) -> Tensor:
        detector, adaptation = self.config["detector"], self.config["adaptation"]
        if self.step < detector["hard_steps"]:
            return hard_labels(response, views.valid, detector["threshold"])
        labels = soft_labels(response, views.valid, detector["half"], detector["power"])
        if self.step >= adaptation["start"]:
            own = adapted_labels(self._scores(views), views)
            labels = labels.lerp(own, adaptation["share"])
        return labels

    def _scores(self, views: Views) -> Tensor:
        """The average network's scores [2 B, 1, V, V] of the views in even light."""
        self.teacher.load_state_dict(self.average.tensors)
        with mixed_precision(self.device, self.bf16):
            logits = self.teacher(views.images.contiguous(memory_format=torch.channels_last))[0]
        return score_map(logits)[:, None]

    def _descriptor_loss(self, descriptors: Tensor, response: Tensor, views: Views, meter: Meter) -> Tensor:
        count = len(response) // 2
        to_second = torch.linalg.inv(views.to_first)
        valid = (views.valid[:count], views.valid[count:])
        xy, partner, usable = sample_correspondences(
            response[:count], valid, to_second, self.config["descriptor"]["count"], self.generator
        )
        first, second = descriptors_at(descriptors[:count], xy), descriptors_at(descriptors[count:], partner)
        loss, right = descriptor_loss(first, second, (xy, partner), usable)
        meter.add(descriptor=loss.detach(), right=right)
        return loss

    def _light(self) -> float:
        light = self.config["light"]
        risen = (self.step - self.config["detector"]["hard_steps"]) / light["rise"]
        return light["first"] + (light["last"] - light["first"]) * min(max(risen, 0.0), 1.0)


def adapted_labels(scores: Tensor, views: Views) -> Tensor:
    """Soft labels [2 B, 65, V/8, V/8] from scores [2 B, 1, V, V]: the mean of both views at its maxima.

    A score p is a probability already: its weight against "no keypoint" is p / (1 - p).
    """
    mean = both_views(scores, views).clamp(max=0.98)
    return soft_labels(mean / (1 - mean), views.valid, 1.0, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--steps", type=int, help="instead of the configuration's")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--fp32", action="store_true", help="no bf16, for hardware that has none")
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    config = read_config(arguments.config)
    config["steps"] = arguments.steps or config["steps"]
    device = select_device(arguments.device)
    trainer = Trainer(config, arguments.data, Run(arguments.output), device, not arguments.fp32)
    trainer.restore()
    trainer.train()


if __name__ == "__main__":
    main()
