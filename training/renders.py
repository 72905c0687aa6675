"""Renders the scans with exact depth: pictures with known overlap and correspondences for training.

    python -m training.renders --data ../shared/data --output DIR --scenes 150 --views 6 --size 400x300 --seed 0

Every scene becomes one file, DIR/NAME.npz, and depends only on the seed and its number, so that an interrupted run can
continue. `load_renders` reads them, `correspondences` maps pixels from view to view.
Pixels: the first pixel's center is (0, 0). Depth is along the optical axis, in meters, 0 for the background.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name
from torch import Tensor

from .photos import load_photos
from .rendering.cameras import Camera
from .rendering.raster import project, rasterize
from .rendering.scenes import Scene, make_scene
from .rendering.surfaces import load_scans

HELD_OUT = 6  # one scan in this many is kept for held-out scenes
SAMPLES = 2  # a pixel's color is the mean of SAMPLES x SAMPLES
STEPS = 65535  # of stored inverse depth
TOLERANCE = 0.01  # of depth: points farther behind another view's depth are hidden there


@dataclass(frozen=True)
class Light:
    """direction: [3], towards the light, length 1; ambient and diffuse: colors [3]; 1 leaves the texture unchanged."""

    direction: np.ndarray
    ambient: np.ndarray
    diffuse: np.ndarray


@dataclass
class View:
    """image: uint8 RGB [H, W, 3]; depth: float32 [H, W]; intrinsics: float64 [3, 3]; cam_from_world: [3, 4]."""

    image: np.ndarray
    depth: np.ndarray
    intrinsics: np.ndarray
    cam_from_world: np.ndarray


@dataclass
class RenderedScene:
    """images: uint8 RGB [V, H, W, 3]; depths: float32 [V, H, W]; intrinsics: [V, 3, 3]; cam_from_world:
    [V, 3, 4]; both float32."""

    name: str
    images: np.ndarray
    depths: np.ndarray
    intrinsics: np.ndarray
    cam_from_world: np.ndarray


def random_light(rng: np.random.Generator) -> Light:
    """Sun from anywhere above, more or less sky, slightly tinted, with varying brightness."""
    direction = rng.normal(size=3)
    direction[2] = abs(direction[2]) + 0.2
    gain, share = np.exp(rng.normal(0, 0.2)), rng.uniform(0.45, 0.9)
    tint = np.exp(rng.normal(0, 0.05, (2, 3)))
    return Light(
        direction / np.linalg.norm(direction), gain * share * tint[0], gain * 1.7 * (1 - share) * tint[1]
    )


def render_view(scene: Scene, camera: Camera, light: Light) -> View:
    """One picture with the depth at every pixel's center."""
    surface = scene.surface
    exact = rasterize(
        project(surface.vertices, camera.intrinsics, camera.cam_from_world), surface.faces, camera.size
    )
    depth = np.divide(1, exact.inverse_depth, out=np.zeros_like(exact.inverse_depth), where=exact.face >= 0)

    # Colors on a finer grid: sample s of pixel p is at p + (s + .5) / SAMPLES - .5.
    finer = camera.intrinsics.copy()
    finer[:2] *= SAMPLES
    finer[:2, 2] += (SAMPLES - 1) / 2
    size = (camera.size[0] * SAMPLES, camera.size[1] * SAMPLES)
    fine = rasterize(project(surface.vertices, finer, camera.cam_from_world), surface.faces, size)
    seen = fine.face >= 0
    face = fine.face[seen]
    weights = fine.weights.astype(np.float32)
    uv = np.einsum("nc,nck->nk", weights, surface.uv[face])
    level = _levels(scene, fine.magnification)[face]
    color = scene.atlas.sample(surface.texture[face], uv, level)
    facing = np.maximum(surface.normals @ light.direction, 0).astype(np.float32)
    lit = np.einsum("nc,nc->n", weights, facing[surface.faces[face]])
    color *= light.ambient.astype(np.float32) + lit[:, None] * light.diffuse.astype(np.float32)
    picture = np.empty((size[1], size[0], 3), np.float32)
    picture[:] = scene.sky * light.ambient
    picture[seen] = color
    mean = cv2.resize(picture, camera.size, interpolation=cv2.INTER_AREA)
    image = np.clip(np.rint(mean), 0, 255).astype(np.uint8)
    return View(image, depth.astype(np.float32), camera.intrinsics, camera.cam_from_world)


def _levels(scene: Scene, pixels: np.ndarray) -> np.ndarray:
    """Texels per pixel of each triangle, which covers `pixels` [F], as a power of two [F]."""
    uv = scene.surface.uv.astype(np.float64)
    first, second = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    area = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / 2
    texels = area * scene.atlas.sizes[scene.surface.texture].prod(axis=1)
    return 0.5 * np.log2(np.maximum(texels, 1e-9) / np.maximum(pixels, 1e-9))


def correspondences(
    depth_a: Tensor,
    intrinsics_a: Tensor,
    pose_a: Tensor,
    depth_b: Tensor,
    intrinsics_b: Tensor,
    pose_b: Tensor,
    xy_a: Tensor,
) -> tuple[Tensor, Tensor]:
    """The positions of view a's pixels in view b, and whether they are visible there.

    depth: [B, H, W] of both views; intrinsics: [B, 3, 3]; pose: cam_from_world [B, 3, 4]; xy_a: [B, N, 2], pixels with
    the first center at (0, 0), may be fractional. Returns xy_b [B, N, 2] and visible, bool [B, N]: false where there is
    no depth, where a is at the edge of an object, or where b does not see the point. xy_b is meaningless where a has no
    depth.
    """
    depth, smooth = sample_depth(depth_a, xy_a)
    rays = torch.cat([xy_a, torch.ones_like(xy_a[..., :1])], dim=-1) @ torch.linalg.inv(intrinsics_a).mT
    world = (rays * depth[..., None] - pose_a[:, None, :, 3]) @ pose_a[:, :, :3]
    camera = world @ pose_b[:, :, :3].mT + pose_b[:, None, :, 3]
    z = camera[..., 2]
    projected = camera @ intrinsics_b.mT
    xy_b = projected[..., :2] / torch.where(z > 1e-6, z, torch.ones_like(z))[..., None]
    height, width = depth_b.shape[-2:]
    inside = (xy_b >= 0).all(-1) & (xy_b[..., 0] <= width - 1) & (xy_b[..., 1] <= height - 1)
    there, whole = sample_depth(depth_b, xy_b)
    return xy_b, smooth & whole & inside & (z > 1e-6) & ((there - z).abs() < TOLERANCE * z)


def sample_depth(depth: Tensor, xy: Tensor) -> tuple[Tensor, Tensor]:
    """Depth [B, N] of maps [B, H, W] at pixels xy [B, N, 2], and whether there is a surface, bool [B, N].

    Inverse depth is interpolated between the four pixels around, which is exact on planes. If these are on different
    surfaces (differing by more than a twentieth), or on none, the answer is False.
    """
    height, width = depth.shape[-2:]
    limit = xy.new_tensor([width - 1, height - 1])
    inverse = torch.where(depth > 0, 1 / depth.clamp_min(1e-6), torch.zeros_like(depth))
    grid = (2 * xy / limit - 1).clamp(-2, 2)[:, None]

    def look(values: Tensor) -> Tensor:
        return F.grid_sample(values[:, None], grid.to(values), padding_mode="border", align_corners=True)[
            :, 0, 0
        ]

    corner = xy.floor()
    around = []
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        at = torch.minimum((corner + xy.new_tensor([dx, dy])).clamp_min(0), limit).long()
        around.append(inverse.flatten(1).gather(1, at[..., 1] * width + at[..., 0]))
    stacked = torch.stack(around)
    low, high = stacked.amin(dim=0), stacked.amax(dim=0)
    found = look(inverse)
    return 1 / found.clamp_min(1e-6), (low > 0) & (high - low < 0.05 * high)


def render_scene(scene: Scene, rng: np.random.Generator, name: str) -> RenderedScene:
    """All views of a scene; the light is the same in half of the scenes, and different in every view otherwise."""
    common = random_light(rng) if rng.random() < 0.5 else None
    views = [render_view(scene, camera, common or random_light(rng)) for camera in scene.cameras]
    return RenderedScene(
        name,
        np.stack([view.image for view in views]),
        np.stack([view.depth for view in views]),
        np.stack([view.intrinsics for view in views]).astype(np.float32),
        np.stack([view.cam_from_world for view in views]).astype(np.float32),
    )


def save(scene: RenderedScene, folder: Path) -> None:
    """Write FOLDER/NAME.npz atomically. Inverse depth is stored in 65,535 steps from 0 to its maximum."""
    inverse = np.divide(1, scene.depths, out=np.zeros_like(scene.depths), where=scene.depths > 0)
    step = inverse.max(axis=(1, 2)) / STEPS
    stored = np.rint(inverse / step[:, None, None]).astype(np.uint16)
    partial = folder / f"{scene.name}.part.npz"
    np.savez_compressed(
        partial,
        images=scene.images,
        inverse_depths=stored,
        steps=step,
        intrinsics=scene.intrinsics,
        cam_from_world=scene.cam_from_world,
    )
    os.replace(partial, folder / f"{scene.name}.npz")


def load_renders(folder: Path, limit: int | None = None) -> list[RenderedScene]:
    """The scenes that `save` wrote, by name; the first `limit`."""
    paths = sorted(path for path in folder.glob("*.npz") if not path.name.endswith(".part.npz"))
    return [_load(path) for path in paths[:limit]]


def _load(path: Path) -> RenderedScene:
    with np.load(path) as data:
        inverse = data["inverse_depths"] * data["steps"][:, None, None]
        depths = np.divide(1, inverse, out=np.zeros_like(inverse), where=inverse > 0).astype(np.float32)
        return RenderedScene(path.stem, data["images"], depths, data["intrinsics"], data["cam_from_world"])


def build(
    data: Path,
    output: Path,
    scenes: int,
    views: int,
    sizes: Sequence[tuple[int, int]],
    seed: int,
    held_out: bool = False,
    around: bool = False,
) -> None:
    """Write the missing ones of `scenes` scenes; held-out ones show scans and photos that the others do not. around:
    see `make_scene`."""
    output.mkdir(parents=True, exist_ok=True)
    names = [
        f"{'around_' * around}{'held' if held_out else 'train'}_{seed}_{number:04d}"
        for number in range(scenes)
    ]
    missing = [number for number, name in enumerate(names) if not (output / f"{name}.npz").exists()]
    if not missing:
        return
    everything = load_photos(data)
    photos = everything.held_out if held_out else everything.train
    scans = [
        scan for index, scan in enumerate(load_scans(data)) if (index % HELD_OUT == HELD_OUT - 1) == held_out
    ]
    for number in missing:
        start = time.process_time()
        rng = np.random.default_rng([seed, number, int(held_out)])
        scene = make_scene(rng, scans, photos, sizes[number % len(sizes)], views, around)
        save(render_scene(scene, rng, names[number]), output)
        seconds = (time.process_time() - start) / views
        logging.info("%s: %d views, %.2f CPU seconds each", names[number], views, seconds)


def _size(text: str) -> tuple[int, int]:
    width, height = text.lower().split("x")
    return int(width), int(height)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=150)
    parser.add_argument("--views", type=int, default=6)
    parser.add_argument("--size", type=_size, action="append", help="WxH; scenes take turns when given twice")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held-out", action="store_true", help="scans and photos kept from training")
    parser.add_argument("--around", action="store_true", help="whole circles round one or two scans")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sizes = options.size or [(400, 300)]
    kind = (options.held_out, options.around)
    build(options.data, options.output, options.scenes, options.views, sizes, options.seed, *kind)


if __name__ == "__main__":
    main()
