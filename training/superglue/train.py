"""Trains SuperGlue: python -m training.superglue --data ../shared/data --renders DIR --output DIR

On the keypoints of a trained SuperPoint, which is not changed: views of photos through homographies and over reliefs,
and renders of scans, whose true matches are known.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from safetensors.torch import load_file
from torch import Tensor, nn

from blender_recon3d.pipeline.models.devices import select_device
from blender_recon3d.pipeline.models.superglue import DESCRIPTOR_SIZE, SuperGlue
from blender_recon3d.pipeline.models.superpoint import SuperPoint

from ..descriptors.cache import HELD_OUT_CAPTURES
from ..photos import PhotoStack, load_photos, sampling_weights, stack_gray
from ..relief import ReliefSettings
from ..renders import load_renders
from ..running import Meter, Run, mixed_precision, save_whole
from ..trainer import Trainer, command_line, launch
from .data import PairBatch, ViewGroups, pair_batch, relief_groups, rendered_groups
from .forward import attended
from .losses import matching_loss, training_assignment
from .network import fix_normalization, grown, new_network, published_layout
from .taught import CapturePairs
from .validation import validate

CONFIG = Path(__file__).parents[1] / "configs" / "superglue.toml"
SUPERPOINT = Path(__file__).parents[2] / "vendor" / "weights" / "superpoint.safetensors"
HELD_OUT_GROUPS = 24
KEPT_GROUPS = 24  # scenes whose views are kept for reuse
TURNS = 10  # steps, a share of which is taught by another network


class Scenes:
    """Draws groups of views for the current phase of the training, and uses each `reuse` times."""

    def __init__(
        self,
        config: dict[str, Any],
        superpoint: SuperPoint,
        photos: PhotoStack,
        weights: Tensor,
        renders: Path | None,
        generator: torch.Generator,
        bf16: bool,
    ) -> None:
        self.config, self.superpoint, self.photos, self.weights = config, superpoint, photos, weights
        self.renders = [] if renders is None else load_renders(renders)
        self.generator, self.bf16 = generator, bf16
        self._kept: list[tuple[ViewGroups, int]] = []
        self._phase = -1

    def next(self, done: float) -> ViewGroups:
        """done: completed share of the steps."""
        number = next(i for i, phase in enumerate(self.config["phase"]) if done < phase["until"])
        if number != self._phase:
            self._kept, self._phase = [], number
        pick = int(torch.randint(KEPT_GROUPS, (1,), generator=self.generator, device=self.generator.device))
        if pick < len(self._kept):
            group, left = self._kept[pick]
            if left > 1:
                self._kept[pick] = (group, left - 1)
                return group
            self._kept.pop(pick)
            return group
        phase = self.config["phase"][number]
        group = self.draw(phase, phase.get("scenes", self.config["scenes"]))
        if self.config["reuse"] > 1:
            self._kept.append((group, self.config["reuse"] - 1))
        return group

    def draw(self, phase: dict[str, Any], scenes: int = 1) -> ViewGroups:
        views, count, light = self.config["views"], phase["keypoints"], phase["light"]
        place = self.generator.device
        if self.renders and float(torch.rand(1, generator=self.generator, device=place)) < phase["renders"]:
            picks = torch.randint(len(self.renders), (scenes,), generator=self.generator, device=place)
            chosen = [self.renders[pick] for pick in picks.tolist()]
            return rendered_groups(self.superpoint, chosen, views, count, light, self.generator, self.bf16)
        index = torch.multinomial(self.weights, scenes, generator=self.generator)
        settings = ReliefSettings(flat=phase["flat"], **phase.get("views", {}))
        return relief_groups(
            self.superpoint, self.photos, index, views, tuple(phase["shape"]), count, light, settings,
            self.generator, self.bf16,
        )  # fmt: skip


class SuperGlueTrainer(Trainer):
    def __init__(self, rank: int, workers: int, config: dict[str, Any], options: argparse.Namespace) -> None:
        device = select_device(options.device)
        self.bf16 = options.precision == "bf16"
        torch.manual_seed(config["seed"])
        network = first_network(config["layers"], options.start).to(device)
        groups = parameter_groups(network, config["rate"], config["weight_decay"])
        super().__init__(config, Run(options.output), device, network, groups, (0.9, 0.98), rank, workers)
        superpoint = SuperPoint().to(device, memory_format=torch.channels_last).eval()
        superpoint.load_state_dict({k: v.float() for k, v in load_file(options.superpoint).items()})
        photos = load_photos(options.data)
        weights = sampling_weights(photos.train_names).to(self.generator.device)
        stack = stack_gray(photos.train, device)
        self.scenes = Scenes(config, superpoint, stack, weights, options.renders, self.generator, self.bf16)
        self.captures = None
        if options.teacher:
            folders = [
                path for path in sorted((options.data / "train" / "captures").iterdir()) if path.is_dir()
            ]
            folders = [path for path in folders if path.name not in HELD_OUT_CAPTURES]
            self.captures = CapturePairs(folders, superpoint, self.bf16)
        self.held_out = self._held_out(superpoint, stack_gray(photos.held_out, device)) if rank == 0 else []

    def _held_out(self, superpoint: SuperPoint, photos: PhotoStack) -> list[PairBatch]:
        """Two pairs each of some held-out photos, always the same ones."""
        generator = torch.Generator(self.generator.device).manual_seed(11)
        weights = torch.ones(len(photos), dtype=torch.float64, device=self.generator.device)
        config = {**self.config, "views": 3}
        phase = {"keypoints": 512, "renders": 0, "light": 0.8, "flat": 0.5, "shape": [360, 480]}
        scenes = Scenes(config, superpoint, photos, weights, None, generator, False)
        return [pair_batch(scenes.draw(phase), 2, generator) for _ in range(HELD_OUT_GROUPS)]

    def validate(self) -> dict[str, float]:
        network = new_network(self.config["layers"]).to(self.device)
        network.load_state_dict(self.average.tensors)
        return validate(fix_normalization(network), self.held_out)

    def save_weights(self) -> None:
        average = {name: tensor.cpu() for name, tensor in self.average.tensors.items()}
        save_whole(published_layout(average), self.run.folder / "latest.safetensors")
        trained = {
            name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in average.items()
        }
        save_whole(trained, self.run.folder / "trained.safetensors")  # small: only the existing layers

    def _batch(self) -> PairBatch:
        config = self.config
        phase = next(phase for phase in config["phase"] if self.done < phase["until"])
        if self.captures is not None and self.step % TURNS < round(TURNS * phase["taught"]):
            pairs = phase.get("scenes", config["scenes"]) * config["pairs"]
            return self.captures.draw(
                pairs, tuple(phase["shape"]), phase["keypoints"], phase["light"], self.generator
            )
        return pair_batch(self.scenes.next(self.done), config["pairs"], self.generator)

    def loss(self, meter: Meter) -> Tensor:
        config = self.config
        batch = self._batch()
        with mixed_precision(self.device, self.bf16):
            x0, x1 = attended(self.network, batch.first, batch.second)
        # scores stay in fp32: in bf16 a similarity of 20 has steps of 0.1
        final = self.network.final_proj
        first, second = (F.linear(x.float(), final.weight[..., 0], final.bias) for x in (x0, x1))
        scores = first @ second.transpose(1, 2) / DESCRIPTOR_SIZE**0.5
        assignment = training_assignment(scores, self.network.bin_score, config["sinkhorn"])
        found, alone = matching_loss(assignment, batch)
        matches = batch.matches.sum() / len(x0)
        dustbin = self.network.bin_score.detach()
        meter.add(found=found.detach(), alone=alone.detach(), matches=matches, bin=dustbin)
        return found + config["alone"] * alone


def first_network(layers: int, start: Path | None) -> SuperGlue:
    """A new network, or the weights `start` with as many layers or more."""
    if start is None:
        return new_network(layers)
    tensors = {name: tensor.float() for name, tensor in load_file(start).items()}
    return grown({k: v for k, v in tensors.items() if _layer(k) < layers}, layers)


def parameter_groups(network: SuperGlue, rate: float, weight_decay: float) -> list[dict[str, Any]]:
    """The trained parameters, each group with its `rate`: Adam's steps have one size, and parameters that start large
    (the temperature within final_proj, the dustbin's score, queries and keys) need larger ones."""
    groups: dict[float, list[nn.Parameter]] = {}
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


def main() -> None:
    parser = command_line(__doc__, CONFIG, "bf16")
    parser.add_argument("--renders", type=Path, help="written by python -m training.renders")
    parser.add_argument("--superpoint", type=Path, default=SUPERPOINT)
    parser.add_argument(
        "--teacher", action="store_true", help="learn from real photos too (training/README.md)"
    )
    parser.add_argument("--start", type=Path, help="weights to continue from, with as many layers or fewer")
    launch(SuperGlueTrainer, parser.parse_args())


if __name__ == "__main__":
    main()
