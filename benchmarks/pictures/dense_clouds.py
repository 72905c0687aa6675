"""Dense clouds side by side, seen from slightly beside one of their photos.

    python -m benchmarks.pictures.dense_clouds WORKSPACE... --photo 2 --output dense.jpg [--turn 12]
                                        [--crop X Y W H]

Each WORKSPACE has dense/fusion.ply and dense/sparse (as `benchmarks.measure.dense --keep` leaves them in OUTPUT/runs).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.files.ply import columns, read_vertices
from blender_recon3d.pipeline.workspace import Workspace

BACKGROUND = 46
GAP = 6  # pixels between two clouds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workspaces", type=Path, nargs="+", metavar="WORKSPACE")
    parser.add_argument(
        "--photo", type=int, default=0, help="number of the photo, in the order of their names"
    )
    parser.add_argument("--turn", type=float, default=12.0, help="degrees around the cloud's center")
    parser.add_argument("--back", type=float, default=1.1, help="times the photo's distance")
    parser.add_argument("--crop", type=int, nargs=4, metavar=("X", "Y", "W", "H"), help="of the picture")
    parser.add_argument("--scale", type=float, default=0.75)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    pictures = [
        picture(Workspace(path).dense, options.photo, options.turn, options.back, options.scale)
        for path in options.workspaces
    ]
    if options.crop:
        x, y, width, height = options.crop
        pictures = [image[y : y + height, x : x + width] for image in pictures]
    gap = np.full((len(pictures[0]), GAP, 3), 255, np.uint8)
    row = [part for image in pictures for part in (gap, image)][1:]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(options.output), np.hstack(row), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return 0


def picture(dense: Path, number: int, turn: float, back: float, scale: float) -> np.ndarray:
    """uint8 BGR [H, W, 3] of dense/fusion.ply."""
    vertices = read_vertices(dense / "fusion.ply")
    xyz = columns(vertices, "x", "y", "z")
    assert xyz is not None
    colors = np.stack([vertices[name] for name in ("blue", "green", "red")], axis=-1)
    model = pycolmap.Reconstruction(dense / "sparse")
    image = sorted((model.image(i) for i in model.reg_image_ids()), key=lambda item: item.name)[number]
    camera = model.camera(image.camera_id)
    pose = np.array(image.cam_from_world().matrix())
    middle = np.median(xyz, axis=0)
    center = -pose[:, :3].T @ pose[:, 3]
    turned = cv2.Rodrigues(pose[1, :3] * np.radians(turn))[0]
    eye = middle + turned @ (center - middle) * back
    rotation = pose[:, :3] @ turned.T
    intrinsics = np.diag([scale, scale, 1.0]) @ camera.calibration_matrix()
    size = (round(camera.width * scale), round(camera.height * scale))
    return splatted((xyz - eye) @ rotation.T @ intrinsics.T, colors, size)


def splatted(pixels: np.ndarray, colors: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Points (x z, y z, z) [N, 3] as squares of 2x2 pixels, the nearest on top."""
    front = pixels[:, 2] > 1e-6
    pixels, colors = pixels[front], colors[front]
    order = np.argsort(-pixels[:, 2])
    x, y = (pixels[order, :2] / pixels[order, 2:]).astype(np.int64).T
    colors = colors[order]
    image = np.full((size[1], size[0], 3), BACKGROUND, np.uint8)
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        inside = (x + dx >= 0) & (x + dx < size[0]) & (y + dy >= 0) & (y + dy < size[1])
        image[y[inside] + dy, x[inside] + dx] = colors[inside]
    return image


if __name__ == "__main__":
    sys.exit(main())
