"""Hugging-face `transformers`' SuperPoint and SuperGlue as the reference, and the names of parameters both ways.

Its parameters have other names, it stores pointwise convolutions as matrices, and its heads own blocks of
channels where the published checkpoint interleaves them.
"""

from __future__ import annotations

import re

import torch
from torch import Tensor

from blender_recon3d.pipeline.models.efficientnet import declare_missing_operators

declare_missing_operators()  # transformers imports torchvision

from transformers import (  # noqa: E402
    SuperGlueConfig,
    SuperGlueForKeypointMatching,
    SuperPointConfig,
    SuperPointForKeypointDetection,
)

SUPERPOINT_HEADS = {
    "convPa": "keypoint_decoder.conv_score_a",
    "convPb": "keypoint_decoder.conv_score_b",
    "convDa": "descriptor_decoder.conv_descriptor_a",
    "convDb": "descriptor_decoder.conv_descriptor_b",
}
ATTENTION = {
    "proj.0": "attention.self.query",
    "proj.1": "attention.self.key",
    "proj.2": "attention.self.value",
    "merge": "attention.output.dense",
}
HEADS = 4


def superpoint_reference(**settings: float) -> SuperPointForKeypointDetection:
    return SuperPointForKeypointDetection(SuperPointConfig(**settings)).eval()


def superglue_reference(threshold: float, layers: int) -> SuperGlueForKeypointMatching:
    config = SuperGlueConfig(
        matching_threshold=threshold,
        gnn_layers_types=["self", "cross"] * (layers // 2),
        attn_implementation="eager",
    )
    return SuperGlueForKeypointMatching(config).eval()


def superpoint_name(ours: str) -> str:
    layer, kind = ours.split(".")
    if layer in SUPERPOINT_HEADS:
        return f"{SUPERPOINT_HEADS[layer]}.{kind}"
    return f"encoder.conv_blocks.{int(layer[4]) - 1}.conv_{layer[5]}.{kind}"


def superglue_name(ours: str) -> str:
    if ours.startswith("final_proj"):
        return "final_projection." + ours
    if match := re.match(r"kenc\.encoder\.(\d+)\.(.*)", ours):
        index, rest = int(match[1]), match[2]
        kind = "" if index == 12 else ("linear.", "batch_norm.")[index % 3]
        return f"keypoint_encoder.encoder.{index // 3}.{kind}{rest}"
    if match := re.match(r"(gnn\.layers\.\d+)\.attn\.(proj\.\d|merge)\.(.*)", ours):
        return f"{match[1]}.{ATTENTION[match[2]]}.{match[3]}"
    if match := re.match(r"(gnn\.layers\.\d+)\.mlp\.(\d)\.(.*)", ours):
        kind = {"0": "0.linear", "1": "0.batch_norm", "3": "1"}[match[2]]
        return f"{match[1]}.mlp.{kind}.{match[3]}"
    return ours


def _interleaved_to_blocks() -> Tensor:
    """Index that gathers block-wise channels (head, dimension) from interleaved ones (dimension, head)."""
    return torch.arange(256).view(256 // HEADS, HEADS).T.reshape(-1)


def superglue_to_reference(ours: dict[str, Tensor]) -> dict[str, Tensor]:
    order = _interleaved_to_blocks()
    result = {}
    for name, tensor in ours.items():
        if ".proj." in name:
            tensor = tensor[order]
        elif name.endswith("merge.weight"):
            tensor = tensor[:, order]
        result[superglue_name(name)] = tensor.squeeze(-1) if tensor.ndim == 3 else tensor
    return result


def superglue_from_reference(theirs: dict[str, Tensor], ours: dict[str, Tensor]) -> dict[str, Tensor]:
    """`ours`: a state dict of our network, for its names and shapes."""
    order = torch.argsort(_interleaved_to_blocks())
    result = {}
    for name, like in ours.items():
        tensor = theirs[superglue_name(name)]
        if ".proj." in name:
            tensor = tensor[order]
        elif name.endswith("merge.weight"):
            tensor = tensor[:, order]
        result[name] = tensor.reshape(like.shape)
    return result


def superpoint_to_reference(ours: dict[str, Tensor]) -> dict[str, Tensor]:
    return {superpoint_name(name): tensor for name, tensor in ours.items()}


def superpoint_from_reference(theirs: dict[str, Tensor], ours: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: theirs[superpoint_name(name)] for name in ours}
