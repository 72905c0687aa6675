"""The box scene in colors that are a function of position, as photos, cameras and a mesh: to test textures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.files.atomic_files import write_json
from blender_recon3d.pipeline.files.ply_mesh import VERTEX, write_mesh
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.scenes import HEIGHT, INTRINSICS, WIDTH, Face, box_scene, render, ring

TEXTURE = 512  # pixels of each rectangle's own texture
CELLS = 24  # squares along each side of a rectangle's mesh


def ground_color(points: np.ndarray) -> np.ndarray:
    """RGB [N, 3] of the ground: greens and blues in waves of half a meter (a pixel is 4 mm), never red."""
    x, z = points[:, 0], points[:, 2]
    wave = np.sin(4 * np.pi * x) * np.cos(4 * np.pi * z)
    return np.stack(
        [np.full(len(points), 40.0), 140 + 50 * wave, 150 - 40 * np.sin(2 * np.pi * (x + z))], axis=1
    )


def box_color(points: np.ndarray) -> np.ndarray:
    """RGB [N, 3] of the box: reds in waves."""
    wave = np.sin(6 * np.pi * points.sum(axis=1))
    return np.stack([190 + 30 * wave, np.full(len(points), 60.0), 70 - 20 * wave], axis=1)


def true_color(points: np.ndarray) -> np.ndarray:
    """RGB [N, 3] of points on the scene's surface."""
    on_ground = points[:, 1] > -1e-4
    return np.where(on_ground[:, None], ground_color(points), box_color(points))


def colored_faces() -> list[Face]:
    """`box_scene`'s rectangles, painted; without the bottom, since a box on the ground does not show it."""
    return [replace(face, texture=_texture(face)) for face in box_scene()]


def _texture(face: Face) -> np.ndarray:
    place = (np.arange(TEXTURE) + 0.5) / TEXTURE
    along, across = (part.ravel() for part in np.meshgrid(place, place))
    points = face.corner + along[:, None] * face.along + across[:, None] * face.across
    color = box_color(points) if abs(face.normal[1]) < 0.5 or face.corner[1] < -0.1 else ground_color(points)
    return np.rint(color[:, ::-1]).astype(np.uint8).reshape(TEXTURE, TEXTURE, 3)


def mesh_of(faces: list[Face]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices [V, 3], unit normals [V, 3], triangles [F, 3], of the rectangles, not joined to each other."""
    vertices, normals, triangles = [], [], []
    place = np.linspace(0, 1, CELLS + 1)
    along, across = (part.ravel() for part in np.meshgrid(place, place))
    corner = np.arange((CELLS + 1) ** 2).reshape(CELLS + 1, CELLS + 1)
    a, b, c, d = (
        part.ravel() for part in (corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1])
    )
    cells = np.concatenate([np.stack([a, c, b], 1), np.stack([a, d, c], 1)])
    for number, face in enumerate(faces):
        vertices.append(face.corner + along[:, None] * face.along + across[:, None] * face.across)
        normals.append(np.repeat(-face.normal[None], len(along), axis=0))  # Face.normal looks inward
        triangles.append(cells + number * len(along))
    return np.concatenate(vertices), np.concatenate(normals), np.concatenate(triangles).astype(np.int32)


@dataclass(frozen=True)
class Capture:
    """A workspace that is done up to the mesh."""

    workspace: Workspace
    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray


def write_capture(
    root: Path,
    count: int = 8,
    change: Callable[[int, np.ndarray], np.ndarray] = lambda number, photo: photo,
) -> Capture:
    """Photos, cameras and the exact mesh in a workspace; change(number, BGR photo) modifies photos."""
    workspace, faces, poses = Workspace(root), colored_faces(), ring(count)
    model = pycolmap.Reconstruction()
    camera = pycolmap.Camera(
        model="PINHOLE",
        width=WIDTH,
        height=HEIGHT,
        params=[INTRINSICS[0, 0], INTRINSICS[1, 1], WIDTH / 2, HEIGHT / 2],
        camera_id=1,
    )
    model.add_camera_with_trivial_rig(camera)
    workspace.images.mkdir(parents=True)
    for number, pose in enumerate(poses):
        name = f"view_{number:02d}.png"  # lossless, so that colors are exact
        photo = change(number, render(faces, pose))
        (workspace.images / name).write_bytes(cv2.imencode(".png", photo)[1].tobytes())
        image = pycolmap.Image(name=name, camera_id=1, image_id=number + 1)
        model.add_image_with_trivial_frame(image, pycolmap.Rigid3d(pose))
    workspace.model.mkdir(parents=True)
    model.write(workspace.model)
    vertices, normals, triangles = mesh_of(faces)
    write_mesh_file(workspace, vertices, normals, triangles)
    up = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])  # the scene's y is down
    write_json(workspace.placement, {"version": 1, "world_from_model": up.tolist(), "how": "known"})
    return Capture(workspace, vertices, normals, triangles)


def write_mesh_file(
    workspace: Workspace, vertices: np.ndarray, normals: np.ndarray, triangles: np.ndarray
) -> None:
    table = np.zeros(len(vertices), VERTEX)
    for axis, name in enumerate("xyz"):
        table[name], table["n" + name] = vertices[:, axis], normals[:, axis]
    for name in ("red", "green", "blue"):
        table[name] = 128
    write_mesh(workspace.mesh_file, table, triangles)
