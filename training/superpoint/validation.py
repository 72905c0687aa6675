"""Quality of SuperPoint on unseen photos: hard homographies under different light."""

from __future__ import annotations

import torch
from torch import Tensor

from blender_recon3d.pipeline.models.superpoint import Keypoints, SuperPoint, SuperPointSettings

from ..photometric import change_light
from ..photos import PhotoStack
from ..warps import WarpSettings, apply_homography, random_pair, sample_views

VIEW = (240, 320)  # pixels
HARD = WarpSettings(crop_scale=(0.8, 1.6), rotation=45, any_rotation=0, scale=1.6)
POINTS = 300
CORRECT = 3.0  # pixels


def validate(tensors: dict[str, Tensor], photos: PhotoStack, pairs: int) -> dict[str, float]:
    """Repeatability, mean matching accuracy and recall at 3 px of the plain network with these tensors, over `pairs`
    pairs of views."""
    device = photos.pixels.device
    network = SuperPoint(SuperPointSettings(max_keypoints=POINTS, published_sampling=False)).to(device)
    network.load_state_dict(tensors)
    network.eval()
    generator = torch.Generator().manual_seed(7)
    index = torch.randint(len(photos), (pairs,), generator=generator)
    first, second = random_pair(photos.sizes[index], VIEW, HARD, generator)
    sums = torch.zeros(5)
    for i in range(pairs):
        pair = torch.stack([first[i], second[i]])
        images, valid = sample_views(photos, index[i].expand(2), pair, VIEW)
        images = change_light(images, 0.7, generator)
        with torch.inference_mode():
            found = network(images, valid)
        sums += compare(found[0], found[1], torch.linalg.inv(second[i]) @ first[i], valid[1])
    repeated, common, right, matched, possible = sums.tolist()
    return {
        "repeatability": repeated / max(common, 1),
        "accuracy": right / max(matched, 1),
        "recall": right / max(possible, 1),
    }


def compare(one: Keypoints, other: Keypoints, to_other: Tensor, valid: Tensor) -> Tensor:
    """Counts of one pair: points repeated, points in the common area, right matches, matches, possible ones.

    to_other: [3, 3]; valid: bool [H, W] of the second view.
    """
    if len(one.keypoints) == 0 or len(other.keypoints) == 0:
        return torch.zeros(5)
    mapped = apply_homography(to_other[None], one.keypoints[None])[0]
    pixel = mapped.round().long()
    height, width = valid.shape
    inside = (pixel[:, 0] >= 0) & (pixel[:, 0] < width) & (pixel[:, 1] >= 0) & (pixel[:, 1] < height)
    inside &= valid[pixel[:, 1].clamp(0, height - 1), pixel[:, 0].clamp(0, width - 1)]
    distance = torch.cdist(mapped, other.keypoints)
    distance[~inside] = torch.inf
    repeated = (distance.amin(dim=1) <= CORRECT).sum()
    similarity = one.descriptors @ other.descriptors.T
    best = similarity.argmax(dim=1)
    mutual = (similarity.argmax(dim=0)[best] == torch.arange(len(best), device=best.device)) & inside
    right = (distance[torch.arange(len(best)), best] <= CORRECT) & mutual
    counts = (repeated, inside.sum(), right.sum(), mutual.sum(), repeated)
    return torch.stack([count.float().cpu() for count in counts])
