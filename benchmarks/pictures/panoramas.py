"""A picture for the manual: a rendered 360-degree panorama, and the six views that it is cut into.

.venv/bin/python -m benchmarks.pictures.panoramas --output docs/images/panorama.jpg
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from blender_recon3d.pipeline.photos.panorama_views import SIDES, cut

WIDTH = 1320  # of the picture, pixels
GAP = 8
JOINTS = 8  # along each side of a wall


def tiles(noise: np.ndarray, number: int) -> np.ndarray:
    """A wall's or floor's texture in a color of its own, uint8 [T, T, 3] BGR, with a little of the noise and joints."""
    hue = np.uint8([[[(37 * number) % 180, 70, 205]]])
    color = cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)[0, 0].astype(float)
    texture = np.clip(color + 0.3 * (noise.mean(axis=2, keepdims=True) - 128.0), 0, 255).astype(np.uint8)
    step = len(texture) // JOINTS
    for place in range(0, len(texture), step):
        texture[place : place + 4] = texture[:, place : place + 4] = 90
    return texture


def main() -> int:
    from tests.support.rays import panorama, room

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True)
    output = parser.parse_args().output
    scene = [replace(face, texture=tiles(face.texture, number)) for number, face in enumerate(room())]
    whole = panorama(scene, np.column_stack([np.eye(3), [0.4, 1.5, 1.9]]), WIDTH)
    side = (WIDTH - (len(SIDES) - 1) * GAP) // len(SIDES)
    gap = np.full((side, GAP, 3), 255, np.uint8)
    views = []
    for name in SIDES:
        view = cv2.resize(cut(whole, name), (side, side), interpolation=cv2.INTER_AREA)
        cv2.putText(view, name, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 4, cv2.LINE_AA)
        cv2.putText(view, name, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA)
        views += [view, gap]
    row = np.concatenate(views[:-1], axis=1)
    row = cv2.resize(row, (WIDTH, side))
    picture = np.concatenate([whole, np.full((GAP, WIDTH, 3), 255, np.uint8), row])
    cv2.imwrite(str(output), picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
