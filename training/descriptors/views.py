"""Views of photos with the teacher's descriptors at some of their points: cut, written and read, one file per view."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

MULTIPLE = 32  # pixels: divisor of the teacher's coarsest level
LARGEST = (640, 640)  # height, width of a view
MAX_PIXELS = 480 * 640
SCALE = (0.6, 1.6)  # pixels of the view per pixel of the photo
ROTATION = 30.0  # degrees
PERSPECTIVE = 0.12  # change of scale from the center to the edge


@dataclass
class View:
    """image: uint8 [H, W], gray; xy: float32 [N, 2], first pixel center (0, 0), SuperPoint's keypoints first;
    descriptors: float16 [N, 128], the teacher's there; keypoints: how many of the points are SuperPoint's."""

    image: Tensor
    xy: Tensor
    descriptors: Tensor
    keypoints: int


def cut_view(photo: np.ndarray, variant: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A view uint8 [H, W, 3] of a photo [h, w, 3], and where it shows the photo, bool [H, W].

    Variant 0 is the unchanged middle of the photo; the others are randomly scaled, rotated and tilted. Beyond the
    photo's edge the view mirrors it: a black border would be the strongest edge of all.
    """
    if variant == 0:
        height, width = _whole(*photo.shape[:2])
        top, left = ((full - kept) // 2 for full, kept in zip(photo.shape, (height, width), strict=False))
        view = photo[top : top + height, left : left + width]
        return np.ascontiguousarray(view), np.ones((height, width), bool)
    scale = float(np.exp(random.uniform(*np.log(SCALE))))
    photo = _resized(photo, max(scale, 2 * MULTIPLE / min(photo.shape[:2])))
    height, width = _whole(*photo.shape[:2])
    to_photo = _random_homography(photo.shape[:2], (height, width), random)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    size = (width, height)
    view = cv2.warpPerspective(photo, to_photo, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    everywhere = np.ones(photo.shape[:2], np.float32)
    valid = cv2.warpPerspective(everywhere, to_photo, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return view, valid > 0.999


def random_points(valid: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Points float32 [count, 2] between the pixels where valid [H, W]."""
    rows, columns = np.nonzero(valid)
    chosen = random.integers(len(rows), size=count)
    xy = np.stack([columns[chosen], rows[chosen]], axis=1) + random.uniform(-0.5, 0.5, (count, 2))
    limits = np.array(valid.shape[::-1]) - 1
    return np.clip(xy, 0, limits).astype(np.float32)


def write_view(view: View, path: Path) -> None:
    """As an .npz file, written atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    with open(partial, "wb") as file:
        np.savez(
            file,
            image=view.image.numpy(),
            xy=view.xy.numpy(),
            descriptors=view.descriptors.numpy(),
            keypoints=view.keypoints,
        )
    os.replace(partial, path)


def read_view(path: Path) -> View:
    with np.load(path) as arrays:
        image, xy, descriptors = (torch.from_numpy(arrays[name]) for name in ("image", "xy", "descriptors"))
        return View(image, xy, descriptors, int(arrays["keypoints"]))


def _whole(height: int, width: int) -> tuple[int, int]:
    """The largest view within these sides that the teacher accepts and that is small enough for training."""
    height, width = min(height, LARGEST[0]), min(width, LARGEST[1])
    shrink = min(1.0, (MAX_PIXELS / (height * width)) ** 0.5)
    return tuple(max(MULTIPLE, int(side * shrink) // MULTIPLE * MULTIPLE) for side in (height, width))  # type: ignore[return-value]


def _resized(photo: np.ndarray, scale: float) -> np.ndarray:
    size = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def _random_homography(
    photo: tuple[int, int], view: tuple[int, int], random: np.random.Generator
) -> np.ndarray:
    """View to photo, float64 [3, 3]: rotated and tilted around the middle of a crop inside the photo."""
    height, width = view
    angle = np.radians(random.uniform(-ROTATION, ROTATION))
    tilt = random.uniform(-PERSPECTIVE, PERSPECTIVE, 2) * 2 / np.array([width, height])
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [*tilt, 1]])
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    room = np.array([photo[1] - width, photo[0] - height])
    target = middle + random.uniform(0, 1, 2) * room
    return _shift(*target) @ turn @ _shift(*-middle)


def _shift(x: float, y: float) -> np.ndarray:
    return np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]])
