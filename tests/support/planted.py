"""Weights that are built by hand instead of trained, to test the learned path with known results.

`planted_weights(folder)` writes superpoint, superglue and efficientnet_b0 .safetensors that `--weights folder`
takes:

- SuperPoint finds local maxima of a 4x4 blob filter (bright and dark, see `BLOB`), to the pixel, and describes
  them by gradient orientations in a grid of 8-pixel cells, much as SIFT does, without scale or rotation.
- SuperGlue is a nearest-neighbor matcher: the position is ignored, no layer adds anything, and the similarity
  is a scaled cosine. It has two layers, not 18, for speed; any even number is the same.
- EfficientNet-B0 is random: photos that look alike are still more similar than others.

How maxima survive three max-pools: channels hold copies of a map shifted by 0 and 1 pixels (of their own
resolution), so that after each pool the maxima over all windows of twice the size are there, wherever they
start. After the third, channel (a, b) of a cell is the maximum over the 8x8 window that starts at its pixel
(a, b). A pixel is a maximum of such a window exactly if the window loses by moving one column and by moving
one row away from it; the detector head adds up these losses for the windows to either side.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from blender_recon3d.pipeline.models.efficientnet import EfficientNetB0
from blender_recon3d.pipeline.models.superglue import SuperGlue, SuperGlueSettings
from blender_recon3d.pipeline.models.superpoint import SuperPoint

# Mean of the inner 2x2 pixels less the mean of the 12 around them; its center is the lower right corner of
# pixel (1, 1) of the 4, so that a keypoint lies half a pixel right of and below the blob it stands for.
BLOB = torch.full((4, 4), -1 / 12)
BLOB[1:3, 1:3] = 1 / 4
ORIENTATIONS = 8
MAPS = ORIENTATIONS + 2  # of the descriptor: gradients, bright and dark blobs
BLUR = torch.tensor([1.0, 2.0, 1.0]).outer(torch.tensor([1.0, 2.0, 1.0])) / 16
GAIN, OFFSET, DUSTBIN = 10.0, 8.0, -2.0  # logits: GAIN x losses - OFFSET, against DUSTBIN
TEMPERATURE = 0.04  # of SuperGlue's similarity
DUSTBIN_SCORE = 16.0  # in units of cosine / TEMPERATURE
REACH = 2  # cells to each side in the descriptor
FALLOFF = 2.0  # cells: standard deviation of the weights of the descriptor's cells


def planted_weights(folder: Path) -> Path:
    """Write the three files into `folder` (made if it is not there) and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(planted_superpoint(), folder / "superpoint.safetensors")
    save_file(planted_superglue(), folder / "superglue.safetensors")
    save_file(random_efficientnet(), folder / "efficientnet_b0.safetensors")
    return folder


def planted_superpoint() -> dict[str, Tensor]:
    tensors = {name: torch.zeros_like(tensor) for name, tensor in SuperPoint().state_dict().items()}
    _plant_full_resolution(tensors)
    _plant_pyramid(tensors)
    _plant_detector(tensors)
    _plant_descriptor(tensors)
    return tensors


def _plant_full_resolution(tensors: dict[str, Tensor]) -> None:
    """conv1a: nine shifted copies of the image (0-8) and gradients (9-16). conv1b: bright (0-3) and dark
    (4-7) blobs, each shifted by (0, 0), (1, 0), (0, 1), (1, 1), and blurred gradients (8-15)."""
    first, second = tensors["conv1a.weight"], tensors["conv1b.weight"]
    for dy in range(3):
        for dx in range(3):
            first[3 * dy + dx, 0, dy, dx] = 1
    smooth, slope = torch.tensor([1.0, 2.0, 1.0]) / 4, torch.tensor([-1.0, 0.0, 1.0]) / 2
    for k in range(ORIENTATIONS):
        angle = 2 * math.pi * k / ORIENTATIONS
        first[9 + k, 0] = math.cos(angle) * smooth.outer(slope) + math.sin(angle) * slope.outer(smooth)
        second[8 + k, 9 + k] = BLUR
    for ay in range(2):
        for ax in range(2):
            for row in range(4):
                for column in range(4):
                    # offset of this weight's pixel, split into a shifted copy and a tap of this layer
                    y, x = row - 2 + ay, column - 2 + ax
                    tap_y, tap_x = max(-1, min(1, y)), max(-1, min(1, x))
                    copy = 3 * (y - tap_y + 1) + (x - tap_x + 1)
                    second[2 * ay + ax, copy, tap_y + 1, tap_x + 1] = BLOB[row, column]
                    second[4 + 2 * ay + ax, copy, tap_y + 1, tap_x + 1] = -BLOB[row, column]


def _plant_pyramid(tensors: dict[str, Tensor]) -> None:
    """Window maxima of every start, and the descriptor's maps behind them, through the next two pools.

    After conv2a: 4 starts, 10 maps; after conv2b and conv3a: 16 starts, 10 maps; from conv3b on: 64, 10.
    """
    conv2a = tensors["conv2a.weight"]
    for start in range(4):
        conv2a[start, start, 1, 1] = conv2a[start, 4 + start, 1, 1] = 1  # bright and dark together
    for k in range(ORIENTATIONS):
        conv2a[4 + k, 8 + k] = BLUR
    conv2a[12, 0], conv2a[13, 4] = BLUR, BLUR
    for name, starts, doubled in (("conv2b", 2, True), ("conv3a", 4, False), ("conv3b", 4, True)):
        weight = tensors[f"{name}.weight"]
        wide = 2 * starts if doubled else starts
        for ky in range(wide):
            for kx in range(wide):  # the second half of the starts lies one pixel of this resolution on
                source = starts * (ky % starts) + kx % starts
                weight[wide * ky + kx, source, 1 + ky // starts, 1 + kx // starts] = 1
        for k in range(MAPS):
            weight[wide * wide + k, starts * starts + k] = BLUR
    for k in range(64 + MAPS):
        tensors["conv4a.weight"][k, k, 1, 1] = 1


def _plant_detector(tensors: dict[str, Tensor]) -> None:
    """convPa: 4 losses for each of the 64 pixels of a cell; convPb: their sum against a dustbin."""
    for k in range(64):
        tensors["conv4b.weight"][k, k, 1, 1] = 1
    head, logits = tensors["convPa.weight"], tensors["convPb.weight"]

    def add(output: int, y: int, x: int, value: float) -> None:
        """The window that starts at pixel (y, x), counted from the cell's first pixel, may be negative."""
        head[output, 8 * (y % 8) + x % 8, 1 + y // 8, 1 + x // 8] += value

    for y in range(8):
        for x in range(8):
            pixel = 8 * y + x
            # A window with the pixel in its first (last) row and column, and the two that just miss it.
            for corner, away in (((y, x), 1), ((y - 7, x - 7), -1)):
                for step_y, step_x in ((0, away), (away, 0)):
                    output = 4 * pixel + (0 if away == 1 else 2) + (1 if step_y else 0)
                    add(output, *corner, 1)
                    add(output, corner[0] + step_y, corner[1] + step_x, -1)
                    logits[pixel, output] = GAIN
    tensors["convPb.bias"][:64] = -OFFSET
    tensors["convPb.bias"][64] = DUSTBIN


def _plant_descriptor(tensors: dict[str, Tensor]) -> None:
    """conv4b: the maps shifted by one cell diagonally (64-103); convDa: all cells within REACH, weighted;
    convDb: each map less its even part."""
    conv4b, cells = tensors["conv4b.weight"], tensors["convDa.weight"]
    diagonal = [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    for shift, (dy, dx) in enumerate(diagonal):
        for k in range(MAPS):
            conv4b[64 + MAPS * shift + k, 64 + k, 1 + dy, 1 + dx] = 1
    offsets = [(y, x) for y in range(-REACH, REACH + 1) for x in range(-REACH, REACH + 1)]
    for place, (y, x) in enumerate(offsets):
        shift = diagonal.index((1 if y > 0 else -1, 1 if x > 0 else -1))
        dy, dx = diagonal[shift]
        weight = math.exp(-(x * x + y * y) / (2 * FALLOFF**2))
        for k in range(MAPS):
            cells[MAPS * place + k, 64 + MAPS * shift + k, 1 + y - dy, 1 + x - dx] = weight
    # An even map has `weights` for its cells: what is not along it tells places apart.
    weights = torch.tensor([math.exp(-(x * x + y * y) / (2 * FALLOFF**2)) for y, x in offsets])
    even = torch.kron(weights.outer(weights) / weights.square().sum(), torch.eye(MAPS))
    count = len(even)
    tensors["convDb.weight"][:count, :count, 0, 0] = torch.eye(count) - even


def planted_superglue(layers: int = 2) -> dict[str, Tensor]:
    network = SuperGlue(SuperGlueSettings(layers=layers))
    with torch.no_grad():
        for last in [network.kenc.encoder[-1], *(layer.mlp[-1] for layer in network.gnn.layers)]:
            last.weight.zero_()
            last.bias.zero_()
        # similarity = <Wa, Wb> / sqrt(256), so this makes it cosine / TEMPERATURE
        network.final_proj.weight.copy_(torch.eye(256)[:, :, None] * math.sqrt(16 / TEMPERATURE))
        network.final_proj.bias.zero_()
        network.bin_score.fill_(DUSTBIN_SCORE)
    return {name: tensor.contiguous() for name, tensor in network.state_dict().items()}


def random_efficientnet(seed: int = 0) -> dict[str, Tensor]:
    """Random, with the statistics that its batch normalization would have: else it gives nearly a constant."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = EfficientNetB0()
        network.train()
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1.0
        noise = torch.randn(8, 3, 12, 12)
        with torch.no_grad():
            network(torch.nn.functional.interpolate(noise, size=(96, 96), mode="bicubic"))
    return {name: tensor.contiguous() for name, tensor in network.state_dict().items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the planted weights into a folder.")
    parser.add_argument("folder", type=Path)
    planted_weights(parser.parse_args().folder)


if __name__ == "__main__":
    main()
