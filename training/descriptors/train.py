"""Trains the descriptors: python -m training.descriptors.train --data DATA --cache CACHE --output DIR

SuperPoint's detector is not changed; the descriptors' own blocks learn to reproduce ALIKED's descriptors at the same
points of the same photo, whatever the light. CACHE is written by `training.descriptors.cache`, possibly at the same
time.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from blender_recon3d.pipeline.models.aliked_descriptors import AlikedDescriptors, half_features
from blender_recon3d.pipeline.models.devices import select_device

from ..photometric import change_light
from ..photos import gray, load_held_out, sampling_weights
from ..running import Meter, Run, mixed_precision, save_whole
from ..trainer import Trainer, command_line, launch
from .cache import SUPERPOINT
from .live import LiveViews, Views
from .losses import contrastive_loss, cosine_loss, projected_loss
from .network import first_network, load_superpoint
from .teacher import Teacher
from .validation import Validation
from .views import read_view

CONFIG = Path(__file__).parents[1] / "configs" / "aliked_descriptors.toml"
LIGHTGLUE, PROJECTION = SUPERPOINT.with_name("lightglue.safetensors"), "input_proj.weight"


class ViewFiles:
    """The available views; the folder is scanned again every `rescan` steps."""

    def __init__(self, cache: Path, rescan: int) -> None:
        self.cache, self.rescan = cache, rescan
        self._names: dict[str, list[Path]] = {}
        self._weights: dict[str, Tensor] = {}
        self._scan = -1

    def draw(self, step: int, config: dict[str, Any], generator: torch.Generator) -> Views:
        """One view, of a capture with probability config["captures"]; within both lists every folder is drawn about
        equally often. Raises FileNotFoundError if there is none yet."""
        if step // self.rescan != self._scan:
            self._scan = step // self.rescan
            self._look()
        lists = [name for name in ("captures", "photos") if self._names[name]]
        if not lists:
            raise FileNotFoundError(
                f"no views in {self.cache}: run python -m training.descriptors.cache first"
            )
        chance = float(torch.rand(1, generator=generator))
        name = lists[0] if chance < config["captures"] else lists[-1]
        pick = torch.multinomial(self._weights[name], 1, generator=generator)
        view = read_view(self._names[name][int(pick)])
        return Views((view.image.float() / 255)[None, None], view.xy[None], view.descriptors[None])

    def _look(self) -> None:
        for name in ("captures", "photos"):
            paths = sorted((self.cache / name).glob("*/*.npz"))
            self._names[name] = paths
            self._weights[name] = sampling_weights(
                [f"{path.parent.name.replace('_', '-')}_" for path in paths]
            )


class DescriptorTrainer(Trainer):
    log_every, validate_every = 100, 1000

    def __init__(self, rank: int, workers: int, config: dict[str, Any], options: argparse.Namespace) -> None:
        device = select_device(options.device)
        self.bf16 = options.precision == "bf16"
        torch.manual_seed(config["seed"])
        self.superpoint = load_superpoint(options.superpoint).to(device)
        network = first_network(self.superpoint, options.start).to(device)
        run = Run(options.output)
        super().__init__(config, run, device, network, network.parameters(), (0.9, 0.99), rank, workers)
        self.draw = (
            ViewFiles(options.cache, config["rescan"]).draw
            if options.cache
            else LiveViews(options.data, self.superpoint, self.bf16).draw
        )
        self.projection = load_file(LIGHTGLUE)[PROJECTION].float().to(device)  # [256, 128]
        self.validation = self.make_validation(options) if rank == 0 else None

    def make_validation(self, options: argparse.Namespace) -> Validation | None:
        if options.cache is None:
            return None
        held_out = load_held_out(options.data)
        return Validation(self.superpoint, options.cache, held_out, options.data / "captures")

    def train(self) -> None:
        if self.step == 0 and self.validation is not None:
            self.run.log(step=0, **_named("teacher", self.validation.measure(Teacher().describe)))
            own = self.validation.homographies(self.validation.own_descriptors)
            self.run.log(step=0, **_named("superpoint", own))
            self.run.log(step=0, **self.validate())
        super().train()

    def loss(self, meter: Meter) -> Tensor:
        config = self.config
        views = self.draw(self.step, config, self.generator)
        chance = torch.rand(1, generator=self.generator, device=self.generator.device)
        images = change_light(views.images, config["light"] * float(chance), self.generator).to(self.device)
        xy, teacher = views.xy.to(self.device), views.descriptors.float().to(self.device)
        with mixed_precision(self.device, self.bf16):
            with torch.no_grad():
                half = half_features(self.superpoint, images.contiguous(memory_format=torch.channels_last))
            ours = self.network(half, xy)
        cosine = cosine_loss(ours, teacher)
        projected = projected_loss(ours, teacher, self.projection)
        contrastive = contrastive_loss(ours, teacher, xy)
        meter.add(cosine=1 - cosine.detach(), projected=projected.detach(), contrastive=contrastive.detach())
        return cosine + config["projected"] * projected + config["contrastive"] * contrastive

    def validate(self) -> dict[str, float]:
        if self.validation is None:
            return {}
        network = AlikedDescriptors().to(self.device)
        network.load_state_dict(self.average.tensors)
        return self.validation.measure(describer(self.superpoint, network.eval()))

    def save_weights(self) -> None:
        tensors = {name: tensor.cpu().contiguous() for name, tensor in self.average.tensors.items()}
        save_whole(tensors, self.run.folder / "latest.safetensors")
        small = {name: tensor.half() for name, tensor in tensors.items()}
        save_whole(small, self.run.folder / "trained.safetensors")


def describer(superpoint: torch.nn.Module, network: AlikedDescriptors) -> Any:
    """The descriptors as a function for validation; fp32."""
    device = network.conv3a.weight.device

    @torch.inference_mode()
    def describe(rgb: Tensor, xy: Tensor) -> Tensor:
        half = half_features(superpoint, gray(rgb)[None].to(device))  # type: ignore[arg-type]
        return network(half, xy[None].to(device))[0].cpu()

    return describe


def _named(prefix: str, values: dict[str, float]) -> dict[str, float]:
    return {f"{prefix}_{name}": value for name, value in values.items()}


def main() -> None:
    parser = command_line(__doc__, CONFIG, "bf16")
    parser.add_argument(
        "--cache",
        type=Path,
        help="written by python -m training.descriptors.cache; without it the teacher runs during training, on a GPU",
    )
    parser.add_argument("--superpoint", type=Path, default=SUPERPOINT)
    parser.add_argument("--start", type=Path, help="weights to continue from")
    launch(DescriptorTrainer, parser.parse_args())


if __name__ == "__main__":
    main()
