"""The demo's truth: exact cameras as a COLMAP text model, and a sample of the surface that the photos show."""

import json
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector
from photos import RADIAL, View, intrinsics
from shapes import vertices

CENTER = (0.0, 0.0, 0.45)
RADIUS = 0.8  # meters around CENTER in which the surface is sampled
POINTS = 115_000
MIN_VIEWS = 3  # a point counts as visible when this many photos show it
MIN_COSINE = 0.17  # more grazing than 80 degrees is not seen


def write_cameras(views: list[View], width: int, folder: Path) -> None:
    """Write cameras.txt, images.txt and an empty points3D.txt (COLMAP; one SIMPLE_RADIAL camera, meters)."""
    width, height, focal = intrinsics(width)
    numbers = " ".join(f"{v:.12g}" for v in (focal, width / 2, height / 2, RADIAL))
    (folder / "cameras.txt").write_text(f"1 SIMPLE_RADIAL {width} {height} {numbers}\n")
    lines = []
    for number, view in enumerate(views, 1):
        pose = " ".join(f"{v:.12g}" for v in (*_quaternion(view.rotation), *view.translation))
        lines.append(f"{number} {pose} 1 {view.name}\n\n")
    (folder / "images.txt").write_text("".join(lines))
    (folder / "points3D.txt").write_text("")


def _quaternion(rotation: np.ndarray) -> np.ndarray:
    """Unit quaternion (w, x, y, z) of a rotation matrix: the eigenvector of Bar-Itzhack's matrix."""
    r = rotation
    k = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], r[1, 0] + r[0, 1], r[2, 0] + r[0, 2], r[2, 1] - r[1, 2]],
            [r[1, 0] + r[0, 1], r[1, 1] - r[0, 0] - r[2, 2], r[2, 1] + r[1, 2], r[0, 2] - r[2, 0]],
            [r[2, 0] + r[0, 2], r[2, 1] + r[1, 2], r[2, 2] - r[0, 0] - r[1, 1], r[1, 0] - r[0, 1]],
            [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], r[0, 0] + r[1, 1] + r[2, 2]],
        ]
    )
    x, y, z, w = np.linalg.eigh(k)[1][:, -1]
    return np.array([w, x, y, z]) * (1 if w >= 0 else -1)


def _triangles() -> np.ndarray:
    """Corners of all triangles in the scene whose middle is within RADIUS of CENTER, (N, 3, 3), world frame."""
    parts = []
    for thing in bpy.context.scene.objects:
        if thing.type != "MESH":
            continue
        mesh = thing.data
        mesh.calc_loop_triangles()
        index = np.empty(3 * len(mesh.loop_triangles), np.int32)
        mesh.loop_triangles.foreach_get("vertices", index)
        matrix = np.array(thing.matrix_world)
        corners = (vertices(mesh) @ matrix[:3, :3].T + matrix[:3, 3])[index.reshape(-1, 3)]
        parts.append(corners[np.linalg.norm(corners.mean(1) - CENTER, axis=1) < RADIUS])
    return np.concatenate(parts).astype(np.float64)


def _framed(view: View, points: np.ndarray, width: int) -> np.ndarray:
    """Which points (N, 3) fall into the photo, by COLMAP's SIMPLE_RADIAL projection."""
    width, height, focal = intrinsics(width)
    x, y, z = (points @ view.rotation.T + view.translation).T
    x, y = x / z, y / z
    bend = 1 + RADIAL * (x * x + y * y)
    return (z > 0) & (abs(focal * bend * x) < width / 2) & (abs(focal * bend * y) < height / 2)


def sample_surface(views: list[View], width: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """POINTS points, uniform by area, of the surface that at least MIN_VIEWS photos show; and their normals.

    Visibility is by casting rays to the cameras. Both (N, 3), meters, world frame; normals face the cameras.
    """
    random = np.random.default_rng(seed)
    triangles = _triangles()
    cross = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    area = np.linalg.norm(cross, axis=1)
    pick = random.choice(len(triangles), 2 * POINTS, p=area / area.sum())
    a, b = np.sqrt(random.random(len(pick))), random.random(len(pick))
    weights = np.stack([1 - a, a * (1 - b), a * b], 1)
    points = np.einsum("nc,ncd->nd", weights, triangles[pick])
    normals = cross[pick] / area[pick, None]
    seen = np.zeros(len(points), int)
    scene, graph = bpy.context.scene, bpy.context.evaluated_depsgraph_get()
    for number in random.permutation(len(views)):
        view = views[number]
        ray = -view.rotation.T @ view.translation - points
        reach = np.linalg.norm(ray, axis=1)
        ray /= reach[:, None]
        cosine = (ray * normals).sum(1)
        ask = (seen < MIN_VIEWS) & (abs(cosine) > MIN_COSINE) & _framed(view, points, width)
        for i in np.flatnonzero(ask):
            start = Vector(points[i] + 0.001 * ray[i])
            if not scene.ray_cast(graph, start, Vector(ray[i]), distance=reach[i] - 0.01)[0]:
                normals[i] *= np.sign(cosine[i])
                seen[i] += 1
    keep = np.flatnonzero(seen >= MIN_VIEWS)[:POINTS]
    return points[keep], normals[keep]


def write_surface(points: np.ndarray, normals: np.ndarray, path: Path) -> None:
    """Binary PLY: float x y z in meters; char nx ny nz, in 127ths."""
    rows = np.empty(len(points), [("xyz", "<f4", 3), ("normal", "i1", 3)])
    rows["xyz"], rows["normal"] = points, np.rint(127 * normals)
    header = "ply\nformat binary_little_endian 1.0\ncomment metres, z up; normals in 127ths\n"
    header += f"element vertex {len(rows)}\n"
    header += "".join(f"property float {c}\n" for c in "xyz") + "".join(
        f"property char n{c}\n" for c in "xyz"
    )
    path.write_bytes((header + "end_header\n").encode() + rows.tobytes())


def write(views: list[View], width: int, folder: Path) -> int:
    """Write the whole truth; returns the number of surface points."""
    write_cameras(views, width, folder)
    points, normals = sample_surface(views, width)
    write_surface(points, normals, folder / "surface.ply")
    facts = {
        "size": round(float(points[:, 2].max()), 3),
        "units": "m",
        "up": [0, 0, 1],
        "centre": CENTER,
        "radius_of_interest": RADIUS,
        "min_views": MIN_VIEWS,
    }
    (folder / "truth.json").write_text(json.dumps(facts, indent=1) + "\n")
    return len(points)
