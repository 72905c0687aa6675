"""A box that is photographed on a turntable, turned over, and photographed again, before a wall that stands still."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tests.support.masked_scenes import wall
from tests.support.scenes import Face, box_scene, depth, noise_texture, render, ring

TURNED_OVER = np.diag([1.0, -1.0, -1.0])  # of the box, about x; its frame is COLMAP's, y down


def closed_box() -> list[Face]:
    """The box of `scenes` with its bottom, centered."""
    sides = box_scene()[1:]
    x, _, z = np.eye(3)
    bottom = Face(np.array([-0.45, 0.0, -0.3]), 0.9 * x, 0.6 * z, noise_texture(99))
    middle = np.array([0.0, -0.35, 0.0])
    return [Face(face.corner - middle, face.along, face.across, face.texture) for face in (*sides, bottom)]


def poses_of_both_sides(count: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """cam_from_box [3, 4] of `count` photos of each side."""
    first = ring(count, radius=1.8, height=0.75, arc=2 * np.pi * (1 - 1 / count))
    second = [np.column_stack([pose[:, :3] @ TURNED_OVER, pose[:, 3]]) for pose in first]
    return first, second


def write_both_sides(folder: Path, count: int) -> dict[str, np.ndarray]:
    """Photos in folder/up and folder/down; returns cam_from_box by the photos' names in a workspace."""
    truth = {}
    for side, poses in zip(("up", "down"), poses_of_both_sides(count), strict=True):
        (folder / side).mkdir(parents=True)
        for number, pose in enumerate(poses):
            drawn, alone = render(closed_box(), pose), depth(closed_box(), pose) > 0
            behind = wall(0) if side == "up" else np.flip(wall(0), axis=(0, 1))
            photo = np.where(alone[..., None], drawn, behind).astype(np.uint8)
            content = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, 93])[1].tobytes()
            (folder / side / f"{number:02d}.jpg").write_bytes(content)
            truth[f"{side}_{number:02d}.jpg"] = pose
    return truth
