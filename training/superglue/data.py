"""What SuperGlue learns from: groups of views of one scene, SuperPoint's keypoints in each, and where every
keypoint of one view lies in the others."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody uses
from torch import Tensor

from blender_recon3d.pipeline.models.superglue import KeypointSet, normalize_keypoints
from blender_recon3d.pipeline.models.superpoint import SuperPoint, non_maximum_suppression, score_map

from ..photometric import change_light
from ..photos import PhotoStack
from ..relief import ReliefSettings, project, random_scenes, render
from ..renders import RenderedScene, correspondences, sample_depth
from ..running import mixed_precision
from ..superpoint.losses import descriptors_at

CORRECT, WRONG = 3.0, 5.0  # pixels: a match; surely none
SAME_SURFACE = 3.0  # pixels of the view: how far apart two views may see a point and yet see the same
BORDER = 4  # pixels without keypoints, as in use


@dataclass
class ViewGroup:
    """V views of one scene with N keypoints each.

    keypoints: [V, N, 2], first pixel center (0, 0); scores: [V, N]; descriptors: [V, N, 256]; shape: (height,
    width); projected: [V, V, N, 2], keypoints of view a in the pixels of view b; visible: bool [V, V, N], whether
    view b shows them; known: bool [V, N], whether the scene's surface is known there.
    """

    keypoints: Tensor
    scores: Tensor
    descriptors: Tensor
    shape: tuple[int, int]
    projected: Tensor
    visible: Tensor
    known: Tensor


@dataclass
class PairBatch:
    """Pairs of views as SuperGlue takes them, and the truth: matches float32 [B, M, N] (1 where they match),
    and float32 [B, M] and [B, N], 1 where a keypoint surely has no partner."""

    first: KeypointSet
    second: KeypointSet
    matches: Tensor
    alone_first: Tensor
    alone_second: Tensor


def relief_group(
    network: SuperPoint,
    photos: PhotoStack,
    index: Tensor,
    views: int,
    shape: tuple[int, int],
    count: int,
    light: float,
    settings: ReliefSettings,
    generator: torch.Generator,
    bf16: bool,
) -> ViewGroup:
    """Views of one photo, index int64 [1], over a random relief under different light."""
    scene = random_scenes(photos, index, views, shape, settings, generator)
    seen = render(photos, scene, shape)
    images = change_light(seen.images[0][:, None], light, generator)
    keypoints, scores, descriptors = detect(network, images, seen.valid[0], count, generator, bf16)
    surface = seen.surface[0]
    views_index = torch.arange(views, device=images.device)[:, None]
    pixel = keypoints.long()
    points = surface[views_index, pixel[..., 1], pixel[..., 0]]  # [V, N, 3]
    flat = points.reshape(1, 1, -1, 3).expand(1, views, -1, -1)
    xy, _ = project(scene.cameras, flat)
    projected = xy[0].view(views, views, count, 2).transpose(0, 1)  # [of a, in b]
    visible = _seen(surface, seen.valid[0], points, projected, shape)
    known = seen.valid[0][views_index, pixel[..., 1], pixel[..., 0]]
    return ViewGroup(keypoints, scores, descriptors, shape, projected, visible & known[:, None], known)


def rendered_group(
    network: SuperPoint,
    scene: RenderedScene,
    views: int,
    count: int,
    light: float,
    generator: torch.Generator,
    bf16: bool,
) -> ViewGroup:
    """Some views of a rendered scene, taken at random, under different light. Shape is the scene's own."""
    device = network.conv1a.weight.device
    chosen = torch.randperm(len(scene.images), generator=generator)[:views].numpy()
    gray = np.stack([cv2.cvtColor(scene.images[view], cv2.COLOR_RGB2GRAY) for view in chosen])
    images = torch.from_numpy(gray).to(device)[:, None].float() / 255
    images = change_light(images, light, generator)
    depth, lens, pose = (
        torch.from_numpy(values[chosen]).to(device)
        for values in (scene.depths, scene.intrinsics, scene.cam_from_world)
    )
    everywhere = torch.ones_like(depth, dtype=torch.bool)
    keypoints, scores, descriptors = detect(network, images, everywhere, count, generator, bf16)
    known = torch.stack([sample_depth(depth[v : v + 1], keypoints[v : v + 1])[1][0] for v in range(views)])
    rows = [
        correspondences(
            depth[a].expand_as(depth), lens[a].expand_as(lens), pose[a].expand_as(pose), depth, lens, pose,
            keypoints[a].expand_as(keypoints),
        )
        for a in range(views)
    ]  # fmt: skip
    projected, visible = (torch.stack(part) for part in zip(*rows, strict=True))
    shape = (images.shape[-2], images.shape[-1])
    return ViewGroup(keypoints, scores, descriptors, shape, projected, visible & known[:, None], known)


def detect(
    network: SuperPoint, images: Tensor, valid: Tensor, count: int, generator: torch.Generator, bf16: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The `count` strongest keypoints of images [V, 1, H, W] where valid: [V, N, 2], [V, N], [V, N, 256].

    Where a view has fewer, points at random make up the number: nothing to match, as weak keypoints often are.
    """
    with torch.no_grad(), mixed_precision(images.device, bf16):
        logits, coarse = network.dense(images.contiguous(memory_format=torch.channels_last))
        scores = score_map(logits)
        height, width = scores.shape[-2:]  # whole cells
        valid = valid[:, :height, :width]
        scores = non_maximum_suppression(scores * valid, 4)
        noise = torch.rand(scores.shape, generator=generator).to(scores.device)
        ranked = scores + 1e-7 * noise * valid
        ranked = F.pad(ranked[:, BORDER:-BORDER, BORDER:-BORDER], (BORDER,) * 4)
        flat = ranked.flatten(1).topk(count).indices
        xy = torch.stack([flat % width, flat // width], dim=-1).float()
        strength = scores.flatten(1).gather(1, flat)
        return xy, strength, descriptors_at(coarse.float(), xy)


def pair_batch(groups: list[ViewGroup], pairs_a_group: int, generator: torch.Generator) -> PairBatch:
    """Pairs of views of each group, at random, in either order; all groups of one shape and count."""
    sides: tuple[list[tuple[Tensor, ...]], ...] = ([], [])
    truth = []
    for group in groups:
        pairs = list(combinations(range(len(group.keypoints)), 2))
        for k in torch.randperm(len(pairs), generator=generator)[:pairs_a_group].tolist():
            a, b = pairs[k]
            for side, view in zip(sides, (a, b), strict=True):
                xy = normalize_keypoints(group.keypoints[view], (group.shape[1], group.shape[0]))
                side.append((xy, group.scores[view], group.descriptors[view]))
            truth.append(true_matches(group, a, b))
    first, second = (KeypointSet(*(torch.stack(part) for part in zip(*side, strict=True))) for side in sides)
    return PairBatch(first, second, *(torch.stack(part) for part in zip(*truth, strict=True)))


def true_matches(group: ViewGroup, a: int, b: int) -> tuple[Tensor, Tensor, Tensor]:
    """Matches [N, N] of two views of a group, and [N] and [N]: keypoints that surely have none.

    A match is two keypoints that are each other's nearest, within CORRECT in both views.
    """
    there = _distance(group.projected[a, b], group.keypoints[b], group.visible[a, b])
    back = _distance(group.projected[b, a], group.keypoints[a], group.visible[b, a]).T
    both = torch.maximum(there, back)
    size = len(both)
    index = torch.arange(size, device=both.device)
    best = both.argmin(dim=1)
    mutual = (both.argmin(dim=0)[best] == index) & (both[index, best] <= CORRECT)
    matches = torch.zeros_like(both)
    matches[index[mutual], best[mutual]] = 1
    alone_a = (there.amin(dim=1) > WRONG) & group.known[a]
    alone_b = (back.amin(dim=0) > WRONG) & group.known[b]
    return matches, alone_a.float(), alone_b.float()


def _distance(projected: Tensor, keypoints: Tensor, visible: Tensor) -> Tensor:
    """[N, M] in pixels, infinite for what is not visible."""
    return torch.cdist(projected, keypoints).masked_fill(~visible[:, None], torch.inf)


def _seen(
    surface: Tensor, valid: Tensor, points: Tensor, projected: Tensor, shape: tuple[int, int]
) -> Tensor:
    """Whether each view b sees the points [V, N, 3] of view a: bool [V, V, N].

    surface: world points of the views' pixels [V, H, W, 3]; valid: bool [V, H, W]; projected: [V, V, N, 2].
    """
    height, width = shape
    pixel = projected.round().long()
    inside = (pixel[..., 0] >= 0) & (pixel[..., 0] < width) & (pixel[..., 1] >= 0) & (pixel[..., 1] < height)
    x, y = pixel[..., 0].clamp(0, width - 1), pixel[..., 1].clamp(0, height - 1)
    view = torch.arange(len(points), device=points.device)[None, :, None].expand_as(x)
    found = surface[view, y, x]
    beside = surface[view, y, (x + 1).clamp(max=width - 1)] - surface[view, y, (x - 1).clamp(min=0)]
    pixel_size = 0.5 * beside.norm(dim=-1).clamp(max=8)
    apart = (found - points[:, None]).norm(dim=-1)
    return inside & valid[view, y, x] & (apart < SAME_SURFACE * (1 + pixel_size))
