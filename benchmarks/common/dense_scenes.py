"""Captures with exactly known surfaces: rendered scans on bumpy ground, from all around, and the demo's.

A scene's folder contains photos/, truth/ (a COLMAP text model, surface.ply, truth.json, as read by `recon3d evaluate`)
and depth/NAME.npy, the exact depth at every pixel's center, float32 [H, W], meters, 0 for the background.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.files.atomic_files import atomic_folder
from blender_recon3d.pipeline.files.ply import write_vertices
from training.photos import load_photos
from training.rendering.cameras import Camera, intrinsics, look_at
from training.rendering.scenes import CELLS, Scene
from training.rendering.surfaces import load_scan, merge, place, sheet
from training.rendering.textures import Atlas, pyramid
from training.renders import Light, render_view

SCANS = ("power_drill", "mustard_bottle")
SIZE = (1200, 900)  # pixels
RINGS = ((12, 16.0), (12, 42.0))  # photos, and degrees above the ground
FIELD = 48.0  # degrees, across the width
GROUND = 1.6  # meters along a side, with tiles of TILE photos each way
TILES = 6
BUMPS = 0.012  # meters between the ground's lowest and highest point
SAMPLES = 400_000  # of the surface, before hardly visible ones are dropped
KEPT = 150_000
MIN_VIEWS, MIN_COSINE = 3, 0.17  # for a sample to count; 0.17 is 80 degrees
DEPTH_TOLERANCE = 0.002  # of depth: samples farther behind a photo's depth are hidden there


@dataclass(frozen=True)
class Ball:
    """The region that is evaluated: center [3], radius in meters."""

    center: np.ndarray
    radius: float


def build_scene(scan: str, data: Path, folder: Path) -> Path:
    """Render the scene of `scan` from DATA/train into `folder` unless it exists; returns the folder."""
    if folder.exists():
        return folder
    random = np.random.default_rng(SCANS.index(scan))
    thing = load_scan(data / "train" / "meshes" / scan)
    photos = load_photos(data).held_out
    chosen = random.choice(len(photos), TILES * TILES, replace=False)
    relief = cv2.resize(
        random.random((9, 9)).astype(np.float32), (CELLS + 1,) * 2, interpolation=cv2.INTER_CUBIC
    )
    ground = sheet(
        -BUMPS * np.clip(relief, 0, 1),  # downwards: the object stands on its highest points
        np.array([-GROUND / 2, -GROUND / 2, 0.0]),
        np.array([GROUND, 0.0, 0.0]),
        np.array([0.0, GROUND, 0.0]),
        np.arange(1, TILES * TILES + 1).reshape(TILES, TILES).tolist(),
    )
    surface = merge([place(thing.surface, 1.0, 0.7, np.zeros(3, np.float32), 0), ground])
    atlas = Atlas([thing.pyramid, *(pyramid(photos[index]) for index in chosen)])
    low, high = thing.surface.vertices.min(axis=0), thing.surface.vertices.max(axis=0)
    size = float(np.linalg.norm(high - low))
    ball = Ball(np.array([0.0, 0.0, high[2] / 2]), 0.75 * size)
    scene = Scene(surface, atlas, _cameras(ball, random), np.array([205.0, 220.0, 240.0]))
    with atomic_folder(folder) as part:
        depths = _write_photos(scene, part)
        _write_truth(scene, depths, ball, size, part / "truth")
    return folder


def _cameras(ball: Ball, random: np.random.Generator) -> list[Camera]:
    cameras = []
    distance = ball.radius / np.tan(np.radians(FIELD) / 2) * 1.25
    for count, elevation in RINGS:
        for index in range(count):
            angle = 2 * np.pi * (index + random.uniform(-0.2, 0.2) + elevation / 90) / count
            tilt = np.radians(elevation + random.uniform(-3, 3))
            direction = np.array([np.cos(tilt) * np.cos(angle), np.cos(tilt) * np.sin(angle), np.sin(tilt)])
            eye = ball.center + distance * random.uniform(0.92, 1.08) * direction
            target = ball.center + random.normal(0, 0.06 * ball.radius, 3)
            pose = look_at(eye, target, np.radians(random.normal(0, 3)))
            cameras.append(Camera(intrinsics(SIZE, np.radians(FIELD)), pose, SIZE))
    return cameras


def _write_photos(scene: Scene, folder: Path) -> list[np.ndarray]:
    """Write photos/ and depth/; returns the depths."""
    light = Light(np.array([0.36, 0.48, 0.8]), np.full(3, 0.6), np.full(3, 0.55))
    (folder / "photos").mkdir()
    (folder / "depth").mkdir()
    depths = []
    for number, camera in enumerate(scene.cameras):
        view = render_view(scene, camera, light)
        name = photo_name(number)
        cv2.imwrite(str(folder / "photos" / name), cv2.cvtColor(view.image, cv2.COLOR_RGB2BGR))
        np.save(folder / "depth" / f"{name}.npy", view.depth)
        depths.append(view.depth)
    return depths


def photo_name(number: int) -> str:
    return f"view_{number:02}.png"


def _write_truth(scene: Scene, depths: list[np.ndarray], ball: Ball, size: float, folder: Path) -> None:
    folder.mkdir()
    k = scene.cameras[0].intrinsics
    focal, cx, cy = k[0, 0], k[0, 2] + 0.5, k[1, 2] + 0.5  # COLMAP's first pixel center is (.5, .5)
    (folder / "cameras.txt").write_text(
        f"1 PINHOLE {SIZE[0]} {SIZE[1]} {focal:.12g} {focal:.12g} {cx:.12g} {cy:.12g}\n"
    )
    lines = []
    for number, camera in enumerate(scene.cameras):
        pose = pycolmap.Rigid3d(camera.cam_from_world)
        x, y, z, w = pose.rotation.quat
        numbers = " ".join(f"{value:.12g}" for value in (w, x, y, z, *pose.translation))
        lines.append(f"{number + 1} {numbers} 1 {photo_name(number)}\n\n")
    (folder / "images.txt").write_text("".join(lines))
    (folder / "points3D.txt").write_text("")
    points, normals = _seen_surface(scene, depths, ball)
    columns = np.concatenate([points, normals], axis=1).astype("<f4")
    vertices = columns.view([(name, "<f4") for name in ("x", "y", "z", "nx", "ny", "nz")])[:, 0]
    write_vertices(folder / "surface.ply", vertices)
    facts = {
        "size": size, "units": "m", "up": [0, 0, 1], "centre": ball.center.tolist(),
        "radius_of_interest": ball.radius, "min_views": MIN_VIEWS,
    }  # fmt: skip
    (folder / "truth.json").write_text(json.dumps(facts, indent=1) + "\n")


def _seen_surface(scene: Scene, depths: list[np.ndarray], ball: Ball) -> tuple[np.ndarray, np.ndarray]:
    """Area-uniform samples [N, 3] of what MIN_VIEWS photos show in the ball, and their normals [N, 3]."""
    random = np.random.default_rng(3)
    corners = scene.surface.vertices[scene.surface.faces].astype(np.float64)
    corners = corners[np.linalg.norm(corners.mean(axis=1) - ball.center, axis=1) < 1.3 * ball.radius]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1)
    pick = random.choice(len(corners), SAMPLES, p=area / area.sum())
    a, b = np.sqrt(random.random(SAMPLES)), random.random(SAMPLES)
    weights = np.stack([1 - a, a * (1 - b), a * b], axis=1)
    points = np.einsum("nc,nck->nk", weights, corners[pick])
    normals = cross[pick] / area[pick, None]
    seen = np.zeros(SAMPLES, np.int64)
    for camera, depth in zip(scene.cameras, depths, strict=True):
        seen += _shows(camera, depth, points, normals)
    keep = np.flatnonzero((seen >= MIN_VIEWS) & (np.linalg.norm(points - ball.center, axis=1) < ball.radius))[
        :KEPT
    ]
    return points[keep], normals[keep]


def _shows(camera: Camera, depth: np.ndarray, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Which points [N, 3] the camera sees from their front, according to its depth map."""
    rotation, translation = camera.cam_from_world[:, :3], camera.cam_from_world[:, 3]
    ours = points @ rotation.T + translation
    facing = -(ours * (normals @ rotation.T)).sum(axis=1) / np.linalg.norm(ours, axis=1)
    pixel = ours @ camera.intrinsics.T
    xy = np.rint(pixel[:, :2] / pixel[:, 2:]).astype(np.int64)
    inside = (ours[:, 2] > 0) & (xy >= 0).all(axis=1) & (xy < np.array(camera.size)).all(axis=1)
    xy = np.where(inside[:, None], xy, 0)
    # A grazing surface's depth changes a lot within half a pixel.
    tolerance = DEPTH_TOLERANCE * ours[:, 2] / np.maximum(facing, MIN_COSINE)
    there = depth[xy[:, 1], xy[:, 0]]
    return inside & (facing > MIN_COSINE) & (there > 0) & (np.abs(there - ours[:, 2]) < tolerance)
