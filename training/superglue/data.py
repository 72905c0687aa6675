"""SuperGlue's training data: groups of views of one scene, SuperPoint's keypoints in each, and the positions of every
keypoint of one view in the others."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from blender_recon3d.pipeline.models.superglue import KeypointSet, normalize_keypoints
from blender_recon3d.pipeline.models.superpoint import SuperPoint, non_maximum_suppression, score_map

from ..photometric import change_light
from ..photos import PhotoStack
from ..relief import ReliefSettings, project, random_scenes, render
from ..renders import RenderedScene, correspondences, sample_depth
from ..running import mixed_precision
from ..superpoint.losses import descriptors_at

CORRECT, WRONG = 3.0, 5.0  # pixels: closer is a match; farther is certainly none
SAME_SURFACE = 3.0  # pixels of the view: tolerance for two views seeing the same point
BORDER = 4  # pixels without keypoints, as in use


@dataclass
class ViewGroups:
    """V views each of S scenes with N keypoints each.

    keypoints: [S, V, N, 2], first pixel center (0, 0); scores: [S, V, N]; descriptors: [S, V, N, 256]; shape:
    (height, width); projected: [S, V, V, N, 2], keypoints of view a in the pixels of view b; visible: bool
    [S, V, V, N], whether view b shows them; known: bool [S, V, N], whether the scene's surface is known there.
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
    """Pairs of views as input of SuperGlue, and the truth: matches float32 [B, M, N] (1 where they match), and float32
    [B, M] and [B, N], 1 where a keypoint certainly has no partner."""

    first: KeypointSet
    second: KeypointSet
    matches: Tensor
    alone_first: Tensor
    alone_second: Tensor


def relief_groups(
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
) -> ViewGroups:
    """Views of photos, index int64 [S], each over a random relief under different light."""
    scenes = random_scenes(photos, index, views, shape, settings, generator)
    seen = render(photos, scenes, shape)
    images = change_light(seen.images.flatten(0, 1)[:, None], light, generator)
    found = detect(network, images, seen.valid.flatten(0, 1), count, generator, bf16)
    size = (len(index), views)
    keypoints, scores, descriptors = (part.unflatten(0, size) for part in found)
    x, y = keypoints.long().unbind(dim=-1)
    scene = torch.arange(size[0], device=images.device)[:, None, None]
    view = torch.arange(views, device=images.device)[:, None]
    points = seen.surface[scene, view, y, x]  # [S, V, N, 3]
    flat = points.flatten(1, 2)[:, None].expand(-1, views, -1, -1)
    xy, _ = project(scenes.cameras, flat)  # [S, in b, of a, 2]
    projected = xy.unflatten(2, (views, count)).transpose(1, 2)
    visible = _seen(seen.surface, seen.valid, points, projected, shape)
    known = seen.valid[scene, view, y, x]
    visible = visible & known[:, :, None]
    return ViewGroups(keypoints, scores, descriptors, shape, projected, visible, known)


def rendered_groups(
    network: SuperPoint,
    scenes: list[RenderedScene],
    views: int,
    count: int,
    light: float,
    generator: torch.Generator,
    bf16: bool,
) -> ViewGroups:
    """Some views of rendered scenes of one size, chosen randomly, under different light."""
    device = network.conv1a.weight.device
    parts: tuple[list[np.ndarray], ...] = ([], [], [], [])
    for scene in scenes:
        order = torch.randperm(len(scene.images), generator=generator, device=generator.device)
        chosen = order[:views].cpu().numpy()
        parts[0].append(np.stack([cv2.cvtColor(scene.images[v], cv2.COLOR_RGB2GRAY) for v in chosen]))
        values = (scene.depths, scene.intrinsics, scene.cam_from_world)
        for part, value in zip(parts[1:], values, strict=True):
            part.append(value[chosen])
    gray, depth, lens, pose = (torch.from_numpy(np.stack(part)).to(device) for part in parts)
    images = change_light(gray.flatten(0, 1)[:, None].float() / 255, light, generator)
    everywhere = torch.ones_like(images[:, 0], dtype=torch.bool)
    found = detect(network, images, everywhere, count, generator, bf16)
    size = (len(scenes), views)
    keypoints, scores, descriptors = (part.unflatten(0, size) for part in found)
    known = sample_depth(depth.flatten(0, 1), found[0])[1].unflatten(0, size)

    def of_a(values: Tensor) -> Tensor:
        return values[:, :, None].expand(-1, -1, views, *values.shape[2:]).flatten(0, 2)

    def in_b(values: Tensor) -> Tensor:
        return values[:, None].expand(-1, views, *values.shape[1:]).flatten(0, 2)

    projected, visible = correspondences(
        of_a(depth), of_a(lens), of_a(pose), in_b(depth), in_b(lens), in_b(pose), of_a(keypoints)
    )
    projected, visible = (part.unflatten(0, (*size, views)) for part in (projected, visible))
    shape = (images.shape[-2], images.shape[-1])
    visible = visible & known[:, :, None]
    return ViewGroups(keypoints, scores, descriptors, shape, projected, visible, known)


def detect(
    network: SuperPoint, images: Tensor, valid: Tensor, count: int, generator: torch.Generator, bf16: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The `count` strongest keypoints of images [V, 1, H, W] where valid: [V, N, 2], [V, N], [V, N, 256].

    Views with fewer are filled up with random points: nothing to match, as often with weak keypoints.
    """
    with torch.no_grad(), mixed_precision(images.device, bf16):
        logits, coarse = network.dense(images.contiguous(memory_format=torch.channels_last))
        scores = score_map(logits)
        height, width = scores.shape[-2:]  # complete cells
        valid = valid[:, :height, :width]
        scores = non_maximum_suppression(scores * valid, 4)
        noise = torch.rand(scores.shape, generator=generator, device=generator.device).to(scores.device)
        ranked = scores + 1e-7 * noise * valid
        ranked = F.pad(ranked[:, BORDER:-BORDER, BORDER:-BORDER], (BORDER,) * 4)
        flat = ranked.flatten(1).topk(count).indices
        xy = torch.stack([flat % width, flat // width], dim=-1).float()
        strength = scores.flatten(1).gather(1, flat)
        return xy, strength, descriptors_at(coarse.float(), xy)


def pair_batch(groups: ViewGroups, pairs_a_group: int, generator: torch.Generator) -> PairBatch:
    """Random pairs of views of each group."""
    scenes, views = groups.keypoints.shape[:2]
    pairs = torch.combinations(torch.arange(views, device=generator.device))
    chosen = torch.rand(scenes, len(pairs), generator=generator, device=generator.device).argsort(dim=1)
    chosen = pairs[chosen[:, :pairs_a_group]].to(groups.keypoints.device)  # [S, P, 2]
    scene = torch.arange(scenes, device=chosen.device)[:, None].expand(chosen.shape[:2]).flatten()
    a, b = chosen.flatten(0, 1).unbind(dim=1)
    size = (groups.shape[1], groups.shape[0])
    first, second = (
        KeypointSet(
            normalize_keypoints(groups.keypoints[scene, view], size),
            groups.scores[scene, view],
            groups.descriptors[scene, view],
        )
        for view in (a, b)
    )
    return PairBatch(first, second, *true_matches(groups, scene, a, b))


def true_matches(groups: ViewGroups, scene: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Matches [P, N, N] of views a and b of scenes, int64 [P] each, and [P, N] and [P, N]: keypoints that certainly
    have none.

    A match is two keypoints that are mutually nearest, within CORRECT in both views.
    """
    there = _distance(groups.projected[scene, a, b], groups.keypoints[scene, b], groups.visible[scene, a, b])
    back = _distance(groups.projected[scene, b, a], groups.keypoints[scene, a], groups.visible[scene, b, a])
    back = back.transpose(1, 2)
    both = torch.maximum(there, back)
    index = torch.arange(both.shape[1], device=both.device)
    nearest, best = both.min(dim=2)
    mutual = (both.argmin(dim=1).gather(1, best) == index) & (nearest <= CORRECT)
    matches = torch.zeros_like(both).scatter_(2, best[..., None], mutual[..., None].float())
    alone_a = (there.amin(dim=2) > WRONG) & groups.known[scene, a]
    alone_b = (back.amin(dim=1) > WRONG) & groups.known[scene, b]
    return matches, alone_a.float(), alone_b.float()


def _distance(projected: Tensor, keypoints: Tensor, visible: Tensor) -> Tensor:
    """[P, N, M] in pixels, infinite for invisible points."""
    return torch.cdist(projected, keypoints).masked_fill(~visible[..., None], torch.inf)


def _seen(
    surface: Tensor, valid: Tensor, points: Tensor, projected: Tensor, shape: tuple[int, int]
) -> Tensor:
    """Whether each view b sees the points [S, V, N, 3] of view a: bool [S, V, V, N].

    surface: world points of the views' pixels [S, V, H, W, 3]; valid: bool [S, V, H, W]; projected:
    [S, V, V, N, 2].
    """
    height, width = shape
    pixel = projected.round().long()
    inside = (pixel[..., 0] >= 0) & (pixel[..., 0] < width) & (pixel[..., 1] >= 0) & (pixel[..., 1] < height)
    x, y = pixel[..., 0].clamp(0, width - 1), pixel[..., 1].clamp(0, height - 1)
    scene = torch.arange(len(points), device=points.device)[:, None, None, None].expand_as(x)
    view = torch.arange(points.shape[1], device=points.device)[:, None].expand_as(x)
    found = surface[scene, view, y, x]
    right, left = (x + 1).clamp(max=width - 1), (x - 1).clamp(min=0)
    beside = surface[scene, view, y, right] - surface[scene, view, y, left]
    pixel_size = 0.5 * beside.norm(dim=-1).clamp(max=8)
    apart = (found - points[:, :, None]).norm(dim=-1)
    return inside & valid[scene, view, y, x] & (apart < SAME_SURFACE * (1 + pixel_size))
