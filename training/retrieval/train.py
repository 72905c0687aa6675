"""Trains the pair selection network: python -m training.retrieval --data ../shared/data --output DIR

EfficientNet-B0 starts as EfficientNet-Lite0 (`starting_point`) and learns that the cosine of two descriptors ranks
photos by the share of their common surface (`views`). DIR gets checkpoint.pt (for resuming), log.jsonl, renders/, and
in the end efficientnet_b0.safetensors with its card efficientnet_b0.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from blender_recon3d.pipeline.models.devices import select_device
from blender_recon3d.pipeline.models.efficientnet import IMAGENET_MEAN, IMAGENET_STD, EfficientNetB0

from ..photos import load_photos, sampling_weights
from ..renders import build, load_renders
from ..running import Meter, Run, mixed_precision
from ..trainer import Trainer, command_line, launch
from .card import write_card
from .starting_point import b0_from_lite0, find_checkpoint, lite0
from .validation import HeldOut, validate
from .views import Groups, Views, scene_views

CONFIG = Path(__file__).parents[1] / "configs" / "efficientnet.toml"
MIN_OVERLAP = 0.05  # a view without a larger overlap with any other does not teach an order


def ranking_loss(descriptors: Tensor, overlap: Tensor, temperature: float) -> Tensor:
    """Kullback-Leibler divergence of the softmax over similarities from the shares of overlap.

    descriptors: [B, C] of length 1; overlap: [B, B], symmetric. Each row ranks the other images of the batch (a
    list-wise loss, Cao et al., ICML 2007, with graded targets); rows without overlap are ignored.
    """
    count = len(descriptors)
    others = ~torch.eye(count, dtype=torch.bool, device=descriptors.device)
    target = overlap.masked_select(others).view(count, count - 1)
    logits = (descriptors @ descriptors.T / temperature).masked_select(others).view(count, count - 1)
    useful = target.amax(dim=1) > MIN_OVERLAP
    target = target / target.sum(dim=1, keepdim=True).clamp_min(1e-6)
    divergence = (torch.special.xlogy(target, target) - target * logits.log_softmax(dim=1)).sum(dim=1)
    return (divergence * useful).sum() / useful.sum().clamp_min(1)


def likeness_loss(maps: Tensor, target: Tensor) -> Tensor:
    """One minus the mean cosine of two feature maps [B, C, H, W], position by position."""
    return 1 - F.cosine_similarity(maps.float(), target.float(), dim=1).mean()


def normalize(images: Tensor) -> Tensor:
    """Images [B, 3, H, W] in [0, 1] normalized for the network."""
    mean, std = (images.new_tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


class EfficientNetTrainer(Trainer):
    log_every, validate_every = 20, 200

    def __init__(self, rank: int, workers: int, config: dict[str, Any], options: argparse.Namespace) -> None:
        device = select_device(options.device)
        self.bf16 = options.precision == "bf16"
        checkpoint = find_checkpoint()
        torch.manual_seed(config["seed"])
        self.teacher = lite0(checkpoint).to(device, memory_format=torch.channels_last)
        # Batch normalization keeps Lite0's statistics: those of a batch with few groups would be biased.
        network = b0_from_lite0(checkpoint).to(device, memory_format=torch.channels_last)
        run, betas = Run(options.output), (0.9, 0.99)
        super().__init__(config, run, device, network, network.parameters(), betas, rank, workers)
        self.options = options
        photos = load_photos(options.data)
        kinds = tuple(config["scenes"])
        if rank > 0:
            torch.distributed.barrier()  # until the first has rendered what is missing
        scenes = {kind: self._scenes(kind, False) for kind in kinds}
        self.groups = Groups(photos.train, sampling_weights(photos.train_names).numpy(), scenes, config)
        if rank == 0:
            held_out = {kind: self._scenes(kind, True) for kind in kinds}
            self.held_out = HeldOut.make(photos.held_out, held_out, config["seed"])
            if workers > 1:
                torch.distributed.barrier()

    def _scenes(self, kind: str, held_out: bool) -> list[Views]:
        """The scenes of a kind in the configuration; missing ones are rendered."""
        wanted = self.config["scenes"][kind]
        folder = (self.options.renders or self.options.output / "renders") / wanted[
            "held" if held_out else "train"
        ]
        count, sizes = wanted["held_scenes" if held_out else "scenes"], [tuple(wanted["size"])]
        around = kind == "around"
        build(self.options.data, folder, count, wanted["views"], sizes, self.config["seed"], held_out, around)
        return [scene_views(scene) for scene in load_renders(folder, count)]

    def restore(self) -> bool:
        if super().restore():
            return True
        if self.rank == 0:
            lite0_measures = validate(self.teacher, self.held_out)
            self.run.log(step=0, **{f"lite0_{key}": value for key, value in lite0_measures.items()})
            self.run.log(step=0, **validate(self.network, self.held_out))
        return False

    def validate(self) -> dict[str, float]:
        return validate(self.averaged(), self.held_out)

    def finish(self) -> None:
        write_card(self.averaged(), self.run.folder, self.config, self.run.seconds())

    def loss(self, meter: Meter) -> Tensor:
        config = self.config
        batch = self.groups.batch(np.random.default_rng([config["seed"], self.step, self.rank]))
        images = normalize(batch.images.to(self.device))
        with mixed_precision(self.device, self.bf16):
            with torch.no_grad():
                wanted = self.teacher.features(images)
            maps = self.network.features(images)
        descriptors = F.normalize(maps.float().mean(dim=(2, 3)), dim=1)
        ranking = ranking_loss(descriptors, batch.overlap.to(self.device), config["temperature"])
        likeness = likeness_loss(maps, wanted)
        meter.add(ranking=ranking.detach(), likeness=likeness.detach())
        first, last = config["likeness"]
        done = min(1.0, self.step / (config["relax"] * config["steps"]))
        return ranking + (first + (last - first) * done) * likeness

    def averaged(self) -> EfficientNetB0:
        network = EfficientNetB0().to(self.device, memory_format=torch.channels_last)
        network.load_state_dict(self.average.tensors)
        return network.eval()


def main() -> None:
    parser = command_line(__doc__, CONFIG, "fp32")  # on a CPU fp32 is faster for this network
    parser.add_argument("--renders", type=Path, help="where renders are, or will be (OUTPUT/renders)")
    launch(EfficientNetTrainer, parser.parse_args())


if __name__ == "__main__":
    main()
