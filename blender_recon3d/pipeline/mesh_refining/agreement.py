"""How well photos agree on the surface around each vertex, and how well they would if it were farther out or in.

Windows of the surface are moved along the vertices' normals and sampled in all of a vertex's photos. The agreement
is the mean over pairs of photos of their zero-mean normalized cross-correlation, with little weight on photos that
agree with no other at any offset, as when something occludes the surface there, or it reflects. With unit vectors p_k
for the photos' windows the mean over pairs follows from the length of their sum: |sum w p|^2 = sum w^2 + sum over
pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .gray_views import GrayView
from .surface_views import SurfaceViews
from .windows import to_camera_directions, windows_at

VARIANCE_FLOOR = 2e-5  # of gray values in 0..1: less is noise, not texture
DISAGREES, AGREES = (
    0.2,
    0.8,
)  # correlation with the others: below, a photo has minimum weight; above, full weight
MIN_WEIGHT = 0.02  # of a photo, so that it can recover
NUMBERS = 12_000_000  # gray values per block of vertices, which bounds the memory: 30 bytes each


@dataclass(frozen=True)
class Search:
    """scale: of the photos' size; radius: of the windows, in pixels at that scale; offsets: to either side of a vertex,
    in steps of `step` such pixels. share: of the vertices that are evaluated; where they are closer together than the
    windows are wide, the others can follow their neighbors."""

    scale: float
    radius: int
    offsets: int
    step: float
    share: float = 1.0

    @property
    def steps(self) -> np.ndarray:
        """float32 [D], from inside to outside."""
        return np.arange(-self.offsets, self.offsets + 1, dtype=np.float32)


def agreement(
    views: Sequence[GrayView],
    seen: SurfaceViews,
    vertices: np.ndarray,
    normals: np.ndarray,
    search: Search,
    device: torch.device,
    tell: Callable[[int, int], None],
) -> np.ndarray:
    """float32 [V, D] in -1..1 for each of the search's steps; 0 for vertices visible in fewer than two photos, and for
    those that are not evaluated.

    tell: called with the number of vertices done, and of all; may raise Cancelled.
    """
    scores = np.zeros((len(vertices), len(search.steps)), np.float32)
    photos = [view.at(search.scale, device) for view in views]
    evaluated = np.random.default_rng(0).random(len(vertices)) < search.share
    useful = np.flatnonzero(evaluated & (seen.chosen[:, 1] >= 0))
    first = seen.chosen[useful, 0]
    samples = seen.chosen.shape[1] * len(search.steps) * (2 * search.radius + 1) ** 2
    block = max(1, NUMBERS // samples)
    done = 0
    for number in np.unique(first).tolist():
        inverse_depth = torch.from_numpy(seen.inverse_depths[number]).to(device)
        of_photo = useful[first == number]
        for start in range(0, len(of_photo), block):
            part = of_photo[start : start + block]
            scores[part] = _block(
                views, photos, number, inverse_depth, vertices, normals, seen, part, search, device
            )
            done += len(part)
            tell(done, len(useful))
    return scores


def _block(
    views: Sequence[GrayView],
    photos: list[tuple[Tensor, np.ndarray]],
    number: int,
    inverse_depth: Tensor,
    vertices: np.ndarray,
    normals: np.ndarray,
    seen: SurfaceViews,
    part: np.ndarray,
    search: Search,
    device: torch.device,
) -> np.ndarray:
    """Agreement [B, D] for the vertices `part`, whose first photo is `number`."""

    def on_device(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(device)

    view = views[number]
    points = on_device(view.to_camera(vertices[part]))
    directions = on_device(to_camera_directions(view, normals[part]))
    pixel = on_device(seen.pixel[part])
    windows = windows_at(view, inverse_depth, points, directions, pixel, search.scale, search.radius)
    moves = directions * (pixel * (search.step / search.scale))[:, None]
    chosen = torch.from_numpy(seen.chosen[part].astype(np.int64)).to(device)
    steps = on_device(search.steps)
    shape = (len(part), chosen.shape[1], len(steps), windows.points.shape[1])
    units = torch.zeros(shape, device=device)
    root = windows.weights.sqrt()
    for other in torch.unique(chosen).tolist():
        if other < 0:
            continue
        which, place = torch.nonzero(chosen == other, as_tuple=True)
        photo, intrinsics = photos[other]
        rotation, offset = _projection(view, views[other], intrinsics, device)
        middle = windows.points[which] @ rotation.T + offset
        move = moves[which] @ rotation.T
        values = _sampled(photo, middle, move, steps)
        weights = windows.weights[which, None]
        values = (values - (values * weights).sum(dim=2, keepdim=True)) * root[which, None]
        units[which, place] = values * ((values * values).sum(dim=2, keepdim=True) + VARIANCE_FLOOR).rsqrt()
    return _mean_correlation(units, chosen >= 0).cpu().numpy()


def _projection(
    source: GrayView, target: GrayView, intrinsics: np.ndarray, device: torch.device
) -> tuple[Tensor, Tensor]:
    """From the source's camera to homogeneous pixels of the target: [3, 3] and [3]."""
    turn = target.cam_from_world[:, :3] @ source.cam_from_world[:, :3].T
    shift = target.cam_from_world[:, 3] - turn @ source.cam_from_world[:, 3]
    return (
        torch.tensor(intrinsics @ turn, dtype=torch.float32, device=device),
        torch.tensor(intrinsics @ shift, dtype=torch.float32, device=device),
    )


def _sampled(photo: Tensor, middle: Tensor, move: Tensor, steps: Tensor) -> Tensor:
    """Gray values [P, D, S] at homogeneous pixels: middle [P, S, 3], moved by steps [D] of move [P, 3]."""
    height, width = photo.shape
    z = middle[:, None, :, 2] + move[:, None, None, 2] * steps[:, None]
    scale = z.clamp_min(1e-9).reciprocal()
    grid = torch.empty(*z.shape, 2, device=z.device)
    for axis, size in enumerate((width, height)):
        place = middle[:, None, :, axis] + move[:, None, None, axis] * steps[:, None]
        grid[..., axis] = place * scale * (2 / size) - 1
    flat = grid.view(1, z.shape[0], -1, 2)
    return functional.grid_sample(
        photo[None, None], flat, padding_mode="border", align_corners=False
    ).view_as(z)


def _mean_correlation(units: Tensor, there: Tensor) -> Tensor:
    """[B, D] from unit vectors [B, K, D, S] of the available photos [B, K]."""
    own = (units * units).sum(dim=3)
    others = (there.sum(dim=1) - 1).clamp_min(1)[:, None, None]
    with_others = ((units * units.sum(dim=1, keepdim=True)).sum(dim=3) - own) / others
    trust = (with_others.amax(dim=2) - DISAGREES) / (AGREES - DISAGREES)
    weights = trust.clamp(MIN_WEIGHT, 1) * there
    total = (units * weights[:, :, None, None]).sum(dim=1).square().sum(dim=2)
    total = total - (own * (weights * weights)[:, :, None]).sum(dim=1)
    pairs = weights.sum(dim=1).square() - (weights * weights).sum(dim=1)
    return total / pairs.clamp_min(1e-9)[:, None]
