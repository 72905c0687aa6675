"""Trains SuperPoint: python -m training.superpoint --data ../shared/data --output DIR

Self-supervised on photographs: two views of a photo through known homographies under different light. The detector
learns corners that both views agree on, the descriptor to find a point among all others of the batch.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from blender_recon3d.pipeline.models.devices import select_device
from blender_recon3d.pipeline.models.superpoint import CELL, score_map

from ..photometric import change_light
from ..photos import PhotoStack, load_photos, sampling_weights, stack_gray
from ..running import Meter, Run, batches, mixed_precision, save_whole
from ..trainer import Trainer, command_line, launch
from ..warps import WarpSettings, random_pair, sample_views, warp_map
from .corners import corner_response, hard_labels, soft_labels
from .losses import (
    auxiliary_loss,
    descriptor_loss,
    descriptors_at,
    hard_detector_loss,
    sample_correspondences,
    soft_detector_loss,
)
from .network import TrainableSuperPoint, folded
from .validation import validate

CONFIG = Path(__file__).parents[1] / "configs" / "superpoint.toml"


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
    """Maps [2 B, 1, V, V] averaged with those of the other view where both see the same."""
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


class SuperPointTrainer(Trainer):
    log_every, validate_every = 100, 1000

    def __init__(self, rank: int, workers: int, config: dict[str, Any], options: argparse.Namespace) -> None:
        device = select_device(options.device)
        photos = load_photos(options.data)
        self.photos = stack_gray(photos.train, device)
        self.held_out = stack_gray(photos.held_out, device)
        self.bf16 = options.precision == "bf16"
        torch.manual_seed(config["seed"])
        network = TrainableSuperPoint().to(device, memory_format=torch.channels_last)
        self.teacher = TrainableSuperPoint().to(device, memory_format=torch.channels_last).eval()
        run, betas = Run(options.output), (0.9, 0.99)
        super().__init__(config, run, device, network, network.parameters(), betas, rank, workers)
        self._indices = batches(sampling_weights(photos.train_names), config["pairs"], self.generator)

    def validate(self) -> dict[str, float]:
        return validate(folded(self.average.tensors), self.held_out, self.config["validation_pairs"])

    def save_weights(self) -> None:
        save_whole(folded(self.average.tensors), self.run.folder / "latest.safetensors")

    def loss(self, meter: Meter) -> Tensor:
        config = self.config
        views = make_views(self.photos, next(self._indices), config["view"], self.generator)
        with torch.no_grad():
            response = both_views(corner_response(views.images), views)
            labels = self._labels(response, views)
            lit = change_light(views.images, self._light(), self.generator)
        with mixed_precision(self.device, self.bf16):
            logits, descriptors, maps = self.network(lit.contiguous(memory_format=torch.channels_last))
        whole = F.pixel_unshuffle(views.valid[:, None].float(), CELL).amin(dim=1)
        if self.step < config["detector"]["hard_steps"]:
            loss = hard_detector_loss(logits, labels)
        else:
            loss = soft_detector_loss(logits, labels, whole)
        meter.add(light=self._light(), detector=loss.detach())
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
        return loss

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
        """The averaged network's scores [2 B, 1, V, V] for the views in even light."""
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
    launch(SuperPointTrainer, command_line(__doc__, CONFIG, "bf16").parse_args())


if __name__ == "__main__":
    main()
