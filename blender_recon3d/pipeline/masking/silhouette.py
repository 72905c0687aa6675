"""The outline of a model in a photo, and the outline of the subject near it by GrabCut (Rother et al. 2004)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from .mask_pixels import subject

BAND = 0.03  # of the longest side: how far the photo's outline may be from the model's
ITERATIONS = 3
DIFFERS = 1.6  # ratio of the areas of the two outlines; beyond, GrabCut has found something else
MAX_GAP = 12  # pixels between neighboring points of a model in the picture


def silhouette(
    points: np.ndarray, spacing: float, image: Any, camera: Any, size: tuple[int, int]
) -> np.ndarray:
    """Where points [N, 3] of a surface are in a small copy of a photo, bool [H, W].

    spacing: between neighboring points, in the model's units. image, camera: of pycolmap. size: the copy's width and
    height.
    """
    pose = image.cam_from_world()
    local = points @ pose.rotation.matrix().T + pose.translation
    local = local[local[:, 2] > 1e-9]
    width, height = size
    drawn = np.zeros((height, width), np.uint8)
    if not len(local):
        return drawn > 0
    pixels = np.asarray(camera.img_from_cam(local)) * (width / camera.width, height / camera.height)
    inside = (
        np.isfinite(pixels).all(axis=1) & (pixels >= 0).all(axis=1) & (pixels < (width, height)).all(axis=1)
    )
    column, row = pixels[inside].astype(int).T
    drawn[row, column] = 1
    if not inside.any():
        return drawn > 0
    focal = camera.mean_focal_length() * width / camera.width
    gap = int(np.clip(np.ceil(1.5 * spacing * focal / np.median(local[inside, 2])), 1, MAX_GAP))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * gap + 1,) * 2)
    wide = np.pad(drawn, 2 * gap)
    joined = cv2.erode(cv2.dilate(wide, kernel), kernel)[2 * gap : -2 * gap, 2 * gap : -2 * gap]
    return np.asarray(joined > 0)


def cut_out(picture: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """The subject, bool [H, W], in a picture, uint8 BGR [H, W, 3]: GrabCut in a band along the model's outline."""
    band = max(3, round(BAND * max(outline.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * band + 1,) * 2)
    values = outline.astype(np.uint8)
    core = cv2.erode(values, kernel, borderType=cv2.BORDER_REPLICATE) > 0
    reach = cv2.dilate(values, kernel) > 0
    if not core.any() or reach.all():
        return outline
    labels = np.full(outline.shape, cv2.GC_BGD, np.uint8)
    labels[reach] = cv2.GC_PR_BGD
    labels[outline] = cv2.GC_PR_FGD
    labels[core] = cv2.GC_FGD
    cv2.setRNGSeed(0)  # of its clustering of colors: the same bytes in every run
    colors = np.zeros((1, 65)), np.zeros((1, 65))  # its models of them, which it fills
    nowhere = (0, 0, 0, 0)  # the rectangle that it would start from
    cv2.grabCut(picture, labels, nowhere, *colors, ITERATIONS, cv2.GC_INIT_WITH_MASK)
    region = subject((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD), close=2, holes=True)
    ratio = max(1, region.sum()) / max(1, outline.sum())
    return region if 1 / DIFFERS < ratio < DIFFERS else outline
