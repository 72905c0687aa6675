"""Measures for the benchmark of textures: a mesh rendered from a photo's camera, its PSNR, SSIM and sharpness against
the photo, and how much a texture changes across the seams between its charts."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from blender_recon3d.pipeline.texturing.photo_background import background
from blender_recon3d.pipeline.texturing.raster import draw, planes
from blender_recon3d.pipeline.texturing.texture_views import TextureView
from blender_recon3d.pipeline.texturing.unwrap import Unwrapped
from blender_recon3d.pipeline.texturing.visibility import sample

OVERSAMPLING = 3  # samples per pixel, in each direction


@dataclass(frozen=True)
class Sight:
    """A photo and the mesh as seen from its camera: for each of P samples the face and the weights of its corners [P,
    3]."""

    photo: np.ndarray
    covered: np.ndarray  # bool [H, W]: all samples of the pixel are on the mesh, and the photo shows it
    index: np.ndarray  # of the samples in the picture of all samples
    face: np.ndarray
    corners: np.ndarray

    @classmethod
    def build(cls, view: TextureView, vertices: np.ndarray, faces: np.ndarray) -> Sight:
        width, height = view.width * OVERSAMPLING, view.height * OVERSAMPLING
        intrinsics = np.diag([OVERSAMPLING, OVERSAMPLING, 1.0]) @ view.intrinsics
        there = view.to_camera(vertices)
        number, _ = draw(there, faces, intrinsics, width, height)
        row, column = np.nonzero(number >= 0)
        face = number[row, column]
        pixels = there @ intrinsics.T
        pixels = pixels[:, :2] / pixels[:, 2:]
        used, which = np.unique(face, return_inverse=True)
        # Each corner's share divided by depth is linear in the picture.
        shares = np.eye(3)[None] / there[faces[used], 2][:, :, None]
        plane = planes(pixels[faces[used]], shares)
        x, y = column + 0.5, row + 0.5
        corners = np.stack(
            [plane[which, k, 0] * x + plane[which, k, 1] * y + plane[which, k, 2] for k in range(3)], axis=1
        )
        corners = np.clip(corners, 0, None)
        corners /= np.maximum(corners.sum(axis=1, keepdims=True), 1e-30)
        cover = cv2.resize(
            (number >= 0).astype(np.float32), (view.width, view.height), interpolation=cv2.INTER_AREA
        )
        photo = view.read()
        # Where the mesh is too wide, the photo shows the background: a texture should differ there.
        covered = (cover > 0.999) & ~background(photo, cover > 0.5, np.zeros_like(cover, bool))
        return cls(photo, covered, row * width + column, face, corners.astype(np.float32))

    def painted(self, values: np.ndarray) -> np.ndarray:
        """float32 [H, W, 3] from colors [P, 3] at the samples."""
        height, width = self.photo.shape[:2]
        image = np.zeros((height * width * OVERSAMPLING**2, 3), np.float32)
        image[self.index] = values
        image = image.reshape(height * OVERSAMPLING, width * OVERSAMPLING, 3)
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)

    def with_vertex_colors(self, colors: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """colors [V, 3] in 0..255."""
        return self.painted(
            np.einsum("pk,pkc->pc", self.corners, colors.astype(np.float32)[faces[self.face]])
        )

    def with_texture(self, image: np.ndarray, uv: np.ndarray) -> np.ndarray:
        """image RGB [S, S, 3]; uv [F, 3, 2] of the faces' corners."""
        place = np.einsum("pk,pkc->pc", self.corners, uv.astype(np.float32)[self.face])
        size = len(image)
        return self.painted(sample(image, place[:, 0] * size - 0.5, (1 - place[:, 1]) * size - 0.5))


def quality(found: np.ndarray, sight: Sight) -> dict[str, float]:
    """PSNR, and PSNR and SSIM after one gain per channel (photos differ in exposure), where the mesh covers the pixel;
    sharpness: root of the gradients' energy, relative to the photo's."""
    true = sight.photo.astype(np.float32)
    inside = sight.covered
    gain = (found[inside] * true[inside]).sum(axis=0) / np.maximum((found[inside] ** 2).sum(axis=0), 1)
    leveled = found * gain
    whole = np.where(inside[..., None], leveled, true)
    core = cv2.erode(inside.astype(np.uint8), np.ones((11, 11), np.uint8)) > 0
    return {
        "psnr": psnr(found[inside], true[inside]),
        "psnr_levelled": psnr(leveled[inside], true[inside]),
        "ssim": float(ssim(whole, true)[core].mean()),
        "sharpness": float(np.sqrt(gradient_energy(whole)[core].mean() / gradient_energy(true)[core].mean())),
    }


def gradient_energy(image: np.ndarray) -> np.ndarray:
    """Squared gradient of the luma, [H, W]."""
    gray = cv2.cvtColor(np.clip(image, 0, 255).astype(np.float32), cv2.COLOR_RGB2GRAY)
    return cv2.Sobel(gray, cv2.CV_32F, 1, 0) ** 2 + cv2.Sobel(gray, cv2.CV_32F, 0, 1) ** 2


def seam_contrast(image: np.ndarray, unwrapped: Unwrapped) -> float:
    """How much the texture [S, S, 3] changes across the edges between charts, relative to edges inside of them.

    Sampled one texel to either side of the edges' midpoints; 1: seams are invisible.
    """
    vertices = unwrapped.source[unwrapped.faces]  # the vertices of the mesh
    sides = np.stack([vertices, np.roll(vertices, -1, axis=1)], axis=-1).reshape(-1, 2)
    key = sides.min(axis=1).astype(np.int64) * (int(vertices.max()) + 1) + sides.max(axis=1)
    order = np.argsort(key, kind="stable")
    both = np.flatnonzero(key[order][:-1] == key[order][1:])
    one, other = order[both], order[both + 1]
    uv = unwrapped.uv[unwrapped.faces].astype(np.float64)
    middle = ((uv + np.roll(uv, -1, axis=1)) / 2).reshape(-1, 2)
    inward = np.repeat(uv.mean(axis=1), 3, axis=0) - middle
    size = len(image)
    place = middle + inward / np.maximum(np.linalg.norm(inward, axis=1, keepdims=True), 1e-12) / size
    color = sample(image, place[:, 0] * size - 0.5, (1 - place[:, 1]) * size - 0.5).astype(np.float32)
    step = np.abs(color[one] - color[other]).mean(axis=1)
    apart = np.abs(middle[one] - middle[other]).max(axis=1) > 1e-6
    return float(step[apart].mean() / max(step[~apart].mean(), 1e-6))


def psnr(found: np.ndarray, true: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((np.clip(found, 0, 255) - true) ** 2)))


def ssim(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Structural similarity of the luma (Wang et al. 2004: 11x11 Gaussian, sigma 1.5), [H, W]."""

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (11, 11), 1.5)

    a, b = (
        cv2.cvtColor(np.clip(i, 0, 255).astype(np.float32), cv2.COLOR_RGB2GRAY).astype(np.float64)
        for i in (one, other)
    )
    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b, both = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2, mean(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return (
        (2 * mean_a * mean_b + c1) * (2 * both + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    )
