"""Trains the pair selection network: python -m training.efficientnet --data ../shared/data --output DIR

EfficientNet-B0 starts as EfficientNet-Lite0 (`retrieval_start`) and learns that the cosine of two descriptors ranks
photos by the share of the surface that they share (`retrieval_views`). DIR gets checkpoint.pt (resumed from),
log.jsonl, renders/, and in the end efficientnet_b0.safetensors with its card efficientnet_b0.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody uses
from torch import Tensor

from blender_recon3d.pipeline.models.devices import select_device
from blender_recon3d.pipeline.models.efficientnet import IMAGENET_MEAN, IMAGENET_STD, EfficientNetB0

from .photos import load_photos, sampling_weights
from .renders import build, load_renders
from .retrieval_card import write_card
from .retrieval_start import b0_from_lite0, find_checkpoint, lite0
from .retrieval_validation import HeldOut, validate
from .retrieval_views import Batch, Groups, Views, scene_views
from .running import Meter, MovingAverage, Run, learning_rate, mixed_precision, read_config

CONFIG = Path(__file__).parent / "configs" / "efficientnet.toml"
LOG_EVERY, VALIDATE_EVERY = 20, 200  # steps
LEAST_OVERLAP = 0.05  # a view that overlaps with no other by more teaches no order


def ranking_loss(descriptors: Tensor, overlap: Tensor, temperature: float) -> Tensor:
    """How far the softmax over similarities is from the shares of overlap, as a Kullback-Leibler divergence.

    descriptors: [B, C] of length 1; overlap: [B, B], symmetric. Each row ranks the other images of the batch
    (a list-wise loss, Cao et al., ICML 2007, with graded targets); rows without overlap do not count.
    """
    count = len(descriptors)
    others = ~torch.eye(count, dtype=torch.bool, device=descriptors.device)
    target = overlap.masked_select(others).view(count, count - 1)
    logits = (descriptors @ descriptors.T / temperature).masked_select(others).view(count, count - 1)
    useful = target.amax(dim=1) > LEAST_OVERLAP
    target = target / target.sum(dim=1, keepdim=True).clamp_min(1e-6)
    divergence = (torch.special.xlogy(target, target) - target * logits.log_softmax(dim=1)).sum(dim=1)
    return (divergence * useful).sum() / useful.sum().clamp_min(1)


def likeness_loss(maps: Tensor, wanted: Tensor) -> Tensor:
    """One minus the mean cosine of two feature maps [B, C, H, W], place by place."""
    return 1 - F.cosine_similarity(maps.float(), wanted.float(), dim=1).mean()


def normalise(images: Tensor) -> Tensor:
    """Images [B, 3, H, W] in [0, 1] as the network takes them."""
    mean, std = (images.new_tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


class Trainer:
    def __init__(self, config: dict[str, Any], options: argparse.Namespace) -> None:
        self.config, self.options = config, options
        self.device = select_device(options.device)
        self.run = Run(options.output)
        photos = load_photos(options.data)
        kinds = tuple(config["scenes"])
        scenes = {kind: self._scenes(kind, False) for kind in kinds}
        self.groups = Groups(photos.train, sampling_weights(photos.train_names).numpy(), scenes, config)
        held_out = {kind: self._scenes(kind, True) for kind in kinds}
        self.held_out = HeldOut.make(photos.held_out, held_out, config["seed"])
        checkpoint = find_checkpoint()
        torch.manual_seed(config["seed"])
        self.teacher = lite0(checkpoint).to(self.device, memory_format=torch.channels_last)
        # Batch normalisation keeps Lite0's statistics: those of a batch of few groups would be another place's.
        self.network = b0_from_lite0(checkpoint).to(self.device, memory_format=torch.channels_last)
        self.average = MovingAverage(self.network, config["average"])
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), config["rate"], (0.9, 0.99), weight_decay=config["weight_decay"]
        )
        self.step = 0

    def _scenes(self, kind: str, held_out: bool) -> list[Views]:
        """The scenes of a kind that the configuration describes, rendered where they are not there yet."""
        wanted = self.config["scenes"][kind]
        folder = (self.options.renders or self.options.output / "renders") / wanted[
            "held" if held_out else "train"
        ]
        count, sizes = wanted["held_scenes" if held_out else "scenes"], [tuple(wanted["size"])]
        around = kind == "around"
        build(self.options.data, folder, count, wanted["views"], sizes, self.config["seed"], held_out, around)
        return [scene_views(scene) for scene in load_renders(folder, count)]

    def restore(self) -> None:
        state = self.run.restore()
        if state is None:
            self.run.log(
                step=0, **{f"lite0_{k}": v for k, v in validate(self.teacher, self.held_out).items()}
            )
            self.run.log(step=0, **validate(self.network, self.held_out))
            return
        self.network.load_state_dict(state["network"])
        self.average.tensors = {name: tensor.to(self.device) for name, tensor in state["average"].items()}
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]

    def save(self) -> None:
        self.run.save(
            {
                "network": self.network.state_dict(),
                "average": self.average.tensors,
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
            }
        )

    def train(self) -> None:
        meter = Meter()
        steps = self.config["steps"]
        while self.step < steps:
            # The random numbers of a step depend on its number alone, so that a resumed run sees the same.
            batch = self.groups.batch(np.random.default_rng([self.config["seed"], self.step]))
            self._one_step(batch, meter)
            self.step += 1
            if self.step % LOG_EVERY == 0:
                self.run.log(step=self.step, **meter.read())
            if self.step % VALIDATE_EVERY == 0 or self.step == steps:
                self.run.log(step=self.step, **validate(self.averaged(), self.held_out))
            if self.run.due() or self.step == steps:
                self.save()

    def _one_step(self, batch: Batch, meter: Meter) -> None:
        config = self.config
        for part in self.optimiser.param_groups:
            part["lr"] = learning_rate(
                self.step, config["steps"], config["rate"], config["warm_up"], config["decay"]
            )
        images = normalise(batch.images.to(self.device))
        with mixed_precision(self.device, self.options.bf16):
            with torch.no_grad():
                wanted = self.teacher.features(images)
            maps = self.network.features(images)
        descriptors = F.normalize(maps.float().mean(dim=(2, 3)), dim=1)
        ranking = ranking_loss(descriptors, batch.overlap.to(self.device), config["temperature"])
        likeness = likeness_loss(maps, wanted)
        first, last = config["likeness"]
        done = min(1.0, self.step / (config["relax"] * config["steps"]))
        loss = ranking + (first + (last - first) * done) * likeness
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), config["clip"])
        if torch.isfinite(norm):  # a step whose gradient is not finite is passed over
            self.optimiser.step()
            self.average.update(self.network, self.step)
        meter.add(ranking=ranking.detach(), likeness=likeness.detach(), norm=norm)

    def averaged(self) -> EfficientNetB0:
        network = EfficientNetB0().to(self.device, memory_format=torch.channels_last)
        network.load_state_dict(self.average.tensors)
        return network.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--renders", type=Path, help="where renders are, or will be (OUTPUT/renders)")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--steps", type=int, help="instead of the configuration's")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--bf16", action="store_true", help="for a GPU; on a CPU fp32 is faster here")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    config = read_config(options.config)
    config["steps"] = options.steps or config["steps"]
    trainer = Trainer(config, options)
    trainer.restore()
    trainer.train()
    write_card(trainer.averaged(), options.output, config, trainer.run.seconds())


if __name__ == "__main__":
    main()
