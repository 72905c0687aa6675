"""Pictures for the manual: photos of a rig of three cameras, and a fisheye's photo with what it is for depth.

.venv/bin/python -m benchmarks.pictures.lenses --output docs/images
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from .panoramas import GAP, tiles

SIDE = 420  # pixels of the fisheye's photo
WIDE = 430  # pixels of a rig's photo
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 85]


def labeled(picture: np.ndarray, text: str) -> np.ndarray:
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 1)
    cv2.rectangle(picture, (0, 0), (width + 16, height + below + 12), (255, 255, 255), -1)
    cv2.putText(picture, text, (8, height + 6), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1, cv2.LINE_AA)
    return picture


def grid(rows: list[list[np.ndarray]]) -> np.ndarray:
    """Pictures of one size, with gaps."""
    height = rows[0][0].shape[0]
    beside = np.full((height, GAP, 3), 255, np.uint8)
    lines = []
    for row in rows:
        line = np.concatenate([part for picture in row for part in (picture, beside)][:-1], axis=1)
        lines += [line, np.full((GAP, line.shape[1], 3), 255, np.uint8)]
    return np.concatenate(lines[:-1])


def main() -> int:
    from tests.cases.test_camera_rigs import RIG, pose_of
    from tests.support.rays import dome, fisheye, pinhole, room
    from tests.support.scenes import HEIGHT, WIDTH, box_scene, render, ring

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="a folder")
    output = parser.parse_args().output
    scene = [replace(face, texture=tiles(face.texture, number)) for number, face in enumerate(room())]
    pose = dome(15)[2]
    pictures = [
        labeled(fisheye(scene, pose, SIDE, SIDE / 2 / np.radians(85)), "photo"),
        labeled(pinhole(scene, pose, SIDE), "its middle, undistorted"),
    ]
    cv2.imwrite(str(output / "fisheye.jpg"), grid([pictures]), QUALITY)
    box = [replace(face, texture=tiles(face.texture, number)) for number, face in enumerate(box_scene(3))]
    rows = []
    for shot, base in enumerate(ring(6)[1:4]):
        row = []
        for sensor, place in RIG.items():
            photo = render(box, pose_of(place, base))
            photo = cv2.resize(photo, (WIDE, WIDE * HEIGHT // WIDTH), interpolation=cv2.INTER_AREA)
            row.append(labeled(photo, f"{sensor}/{shot + 1:03}.jpg"))
        rows.append(row)
    cv2.imwrite(str(output / "rig.jpg"), grid(rows), QUALITY)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
