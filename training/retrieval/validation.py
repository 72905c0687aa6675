"""How well a descriptor ranks views of unseen photos and scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from blender_recon3d.pipeline.models.efficientnet import EfficientNetB0, prepare_image

from .views import Views, lying, photo_views, vary

SIDE = 256  # pixels, of a view
PHOTO_VIEWS = 8
OVERLAPS = 0.1  # views that share more than this should be found
NEIGHBORS = 5


@dataclass
class HeldOut:
    """Groups of views by kind."""

    groups: dict[str, list[Views]]

    @classmethod
    def make(cls, photos: Sequence[np.ndarray], scenes: dict[str, list[Views]], seed: int) -> HeldOut:
        """Parts of every fifth photo in varied light; the scenes by kind, unchanged and, for the first kind, with half
        of the views rotated."""
        rng = np.random.default_rng([seed, 99])
        parts = []
        for photo in photos[::5]:
            views = photo_views(rng, photo, PHOTO_VIEWS, SIDE)
            images = torch.from_numpy(views.images).permute(0, 3, 1, 2).float() / 255
            varied = (vary(images, 0.7, rng) * 255).round().byte().permute(0, 2, 3, 1).numpy()
            parts.append(Views(varied, views.overlap))
        first = next(iter(scenes))
        turned = [lying(views, rng) for views in scenes[first]]
        return cls({**scenes, f"{first}_lying": turned, "photos": parts})


def validate(network: EfficientNetB0, held_out: HeldOut) -> dict[str, float]:
    """For each kind: the share found among the NEIGHBORS nearest of all its views ("recall"), and the mean average
    precision of the order within a group ("order")."""
    result = {}
    for kind, groups in held_out.groups.items():
        descriptors = [_describe(network, views.images) for views in groups]
        overlap = torch.block_diag(*[torch.from_numpy(views.overlap) for views in groups]).numpy()
        everything = np.concatenate(descriptors)
        result[f"{kind}_recall"] = recall(everything @ everything.T, overlap > OVERLAPS, NEIGHBORS)
        orders = [
            average_precision(found @ found.T, views.overlap > OVERLAPS)
            for found, views in zip(descriptors, groups, strict=True)
        ]
        result[f"{kind}_order"] = float(np.nanmean(orders))
    return result


def recall(similarity: np.ndarray, overlapping: np.ndarray, k: int) -> float:
    """Overlapping ones among the k most similar, relative to the maximum possible with k, over all rows of [N, N]."""
    scores = similarity.astype(np.float64) - 10 * np.eye(len(similarity))
    truly = overlapping & ~np.eye(len(similarity), dtype=bool)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    found = np.take_along_axis(truly, best, axis=1).sum()
    return float(found / np.minimum(truly.sum(axis=1), k).sum())


def average_precision(similarity: np.ndarray, overlapping: np.ndarray) -> float:
    """Mean over the rows of [N, N] that have both overlapping and other views; NaN when there is none."""
    values = []
    for row in range(len(similarity)):
        others = np.arange(len(similarity)) != row
        truly = overlapping[row, others]
        if truly.any() and not truly.all():
            ranked = truly[np.argsort(-similarity[row, others], kind="stable")]
            precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
            values.append(precision[ranked].mean())
    return float(np.mean(values)) if values else float("nan")


@torch.inference_mode()
def _describe(network: EfficientNetB0, images: np.ndarray) -> np.ndarray:
    device = next(network.parameters()).device
    batch = torch.stack([prepare_image(image, SIDE) for image in images])
    return network(batch.to(device, memory_format=torch.channels_last)).cpu().numpy()
