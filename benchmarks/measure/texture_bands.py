"""Multi-band blending compared with the texture stage's: sharp from one photo, tone from many.

    python -m benchmarks.measure.texture_bands WORKSPACE [--size 4096] [--every 7]
                                               [--markdown benchmarks/results/texture_bands.md]

Every photo is split into a blurred one, blended with equal weights, and the rest, blended with weights raised to a high
power (Burt and Adelson 1983, with two bands). Photos are held out as in benchmarks.measure.texture. WORKSPACE has a
mesh; nothing in it changes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from benchmarks.common.show_table import show_table
from benchmarks.common.texture_measures import seam_contrast
from benchmarks.measure.texture import Scene
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.texturing.blend import blend
from blender_recon3d.pipeline.texturing.choice import weights
from blender_recon3d.pipeline.texturing.exposure import gains
from blender_recon3d.pipeline.texturing.inpaint import picture, vertex_colors
from blender_recon3d.pipeline.texturing.paint import CONTRAST
from blender_recon3d.pipeline.texturing.photo_background import open_vertices
from blender_recon3d.pipeline.texturing.visibility import sample, view_maps
from blender_recon3d.pipeline.workspace import Workspace

TONE = 1.0  # contrast of the weights of the blurred photos
VARIANTS = ((4.0, 3.0), (4.0, 12.0), (8.0, 3.0), (8.0, 12.0))  # contrast of the rest's, blur in pixels


def in_bands(
    scene: Scene, tone: np.ndarray, sharp: np.ndarray, gain: np.ndarray, blur: float
) -> tuple[np.ndarray, np.ndarray]:
    """Colors [T, 3] of the texels and the trust in them [T]. tone, sharp [V, N]: weights of the two bands."""
    texels, count = scene.texels, len(scene.texels)
    sums = [np.zeros((count, 3), np.float32) for _ in range(2)]
    totals = [np.zeros((count, 1), np.float32) for _ in range(2)]
    best = np.zeros(count, np.float32)
    border = open_vertices(scene.faces)
    for number, view in enumerate(scene.views):
        corner_weights = np.stack([tone[:, number][scene.faces], sharp[:, number][scene.faces]], axis=2)
        chosen = np.flatnonzero(corner_weights[..., 0].max(axis=1) > 0.01)
        there, photo = view.to_camera(scene.vertices), view.read()
        maps = view_maps(view, photo, scene.vertices, scene.faces, border)
        blurred = cv2.GaussianBlur(photo.astype(np.float32), (0, 0), blur)
        for part in np.split(chosen, np.arange(20_000, len(chosen), 20_000)):
            own, which = texels.of_faces(part)
            corners = np.concatenate([there[scene.faces[part]], corner_weights[part]], axis=2)
            values = texels.interpolate(corners, part, own, which)
            pixels = values[:, :3] @ view.intrinsics.T
            x, y = pixels[:, 0] / pixels[:, 2], pixels[:, 1] / pixels[:, 2]
            trust = maps.visible(x, y, values[:, 2])
            seen = (trust > 0) & (values[:, 3] > 0)
            own, x, y, trust, shares = own[seen], x[seen] - 0.5, y[seen] - 0.5, trust[seen], values[seen, 3:]
            low = sample(blurred, x, y) * gain[number]
            whole = sample(photo, x, y, cv2.INTER_CUBIC) * gain[number]
            for band, color in enumerate((low, whole - low)):
                share = (np.clip(shares[:, band], 0, None) * trust)[:, None]
                sums[band][own] += share * color
                totals[band][own] += share
            best[own] = np.maximum(best[own], trust)
    return sum(s / np.maximum(t, 1e-9) for s, t in zip(sums, totals, strict=True)), best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--every", type=int, default=7)
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    options = parser.parse_args()
    scene = Scene(Workspace(options.workspace), options.size, options.every)
    gain = gains(scene.samples)
    by_contrast = {
        each: weights(scene.samples, gain, scene.faces, each)
        for each in {TONE, CONTRAST, *(v[0] for v in VARIANTS)}
    }
    behind = vertex_colors(scene.samples, by_contrast[CONTRAST], gain, scene.faces, scene.given)
    uv = scene.unwrapped.uv[scene.unwrapped.faces]
    lines = []

    def judge(name: str, color: np.ndarray, trust: np.ndarray) -> None:
        image = picture(scene.texels, color, trust, behind, scene.faces)
        row = scene.score(lambda sight: sight.with_texture(image, uv))
        scores = [f"{row['psnr']:.2f}", f"{row['psnr_levelled']:.2f}", f"{row['ssim']:.3f}"]
        scores += [f"{row['sharpness']:.3f}", f"{seam_contrast(image, scene.unwrapped):.3f}"]
        lines.append("| " + " | ".join([name, *scores]) + " |")
        sys.stderr.write(f"{lines[-1]}\n")

    weight = by_contrast[CONTRAST]
    judge("ours", *blend(scene.views, scene.vertices, scene.faces, scene.texels, weight, gain, Progress()))
    for contrast, blur in VARIANTS:
        color, trust = in_bands(scene, by_contrast[TONE], by_contrast[contrast], gain, blur)
        judge(f"two bands, contrast {contrast:g}, blur {blur:g}", color, trust)
    header = "| method | PSNR | levelled | SSIM | sharpness | seams |\n|---|---|---|---|---|---|"
    about = f"{options.workspace.name}, {options.size} x {options.size} texels; columns as in texture.md."
    show_table("Blending in two bands", "\n".join([about, "", header, *lines, ""]), options.markdown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
