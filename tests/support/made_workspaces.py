"""Writes small workspaces from numpy alone, in the formats that COLMAP and the engine write."""

from __future__ import annotations

import json
import os
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from blender_recon3d.pipeline.alignments.camera_alignment import quaternion_of

MODEL_NUMBERS = {"SIMPLE_PINHOLE": 0, "PINHOLE": 1, "SIMPLE_RADIAL": 2}
VERTEX = np.dtype(
    [(n, "<f4") for n in ("x", "y", "z", "nx", "ny", "nz")]
    + [(n, "u1") for n in ("red", "green", "blue", "views")]
)


@dataclass
class MadeCamera:
    model: str = "PINHOLE"
    width: int = 60
    height: int = 40
    params: tuple[float, ...] = (55.0, 55.0, 30.0, 20.0)


@dataclass
class MadeModel:
    """cameras by id; images: (name, camera id, qvec, tvec)."""

    cameras: dict[int, MadeCamera] = field(default_factory=lambda: {1: MadeCamera()})
    images: list[tuple] = field(default_factory=list)
    xyz: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    rgb: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.uint8))


def ring(count: int = 5, points: int = 500, camera: MadeCamera | None = None, seed: int = 0) -> MadeModel:
    """Cameras on a circle of radius 4 that look at a ball of points of radius 1; COLMAP's axes, y down."""
    rng = np.random.default_rng(seed)
    xyz = rng.normal(size=(points, 3))
    xyz /= np.linalg.norm(xyz, axis=1, keepdims=True)
    images = []
    for i in range(count):
        angle = 2 * np.pi * i / count
        center = np.array([4 * np.sin(angle), -1.0, -4 * np.cos(angle)])
        q, t = look_at(center, np.zeros(3))
        images.append((f"photo_{i:03d}.jpg", 1, q, t))
    rgb = rng.integers(0, 256, (points, 3), dtype=np.uint8)
    return MadeModel({1: camera or MadeCamera()}, images, xyz, rgb)


def look_at(center: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """cam_from_world (qvec, tvec) of a camera at `center` whose +z looks at `target`, with +y down."""
    z = target - center
    z = z / np.linalg.norm(z)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    rotation = np.stack([x, np.cross(z, x), z])
    return quaternion(rotation), -rotation @ center


def quaternion(r: np.ndarray) -> np.ndarray:
    """(w, x, y, z) of a rotation matrix."""
    return np.array(quaternion_of(r))


def rotation_matrix(q: np.ndarray) -> np.ndarray:
    w, x, y, z = np.asarray(q, float) / np.linalg.norm(q)
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip


def project(pinhole, q: np.ndarray, t: np.ndarray, xyz: np.ndarray) -> np.ndarray:
    """COLMAP's projection: pixels [n, 2] with the first pixel's center at (0.5, 0.5)."""
    camera = xyz @ rotation_matrix(q).T + t
    return camera[:, :2] / camera[:, 2:] * [pinhole.fx, pinhole.fy] + [pinhole.cx, pinhole.cy]


# -- files ------------------------------------------------------------------------------------------


def tracks_of(model: MadeModel) -> tuple[list[list[int]], list[list[tuple[int, int]]]]:
    """The points that each photo sees, and where each point is seen: number of the photo, from 1, and index there.

    The first two to four photos see a point, if there are that many.
    """
    seen: list[list[int]] = [[] for _ in model.images]
    tracks = []
    for point in range(1, len(model.xyz) + 1):
        photos = range(min(2 + point % 3, len(model.images)))
        tracks.append([(photo + 1, len(seen[photo])) for photo in photos])
        for photo in photos:
            seen[photo].append(point)
    return seen, tracks


def write_binary(folder: Path, model: MadeModel) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    cameras = struct.pack("<Q", len(model.cameras))
    for number, c in model.cameras.items():
        cameras += struct.pack("<iiQQ", number, MODEL_NUMBERS[c.model], c.width, c.height)
        cameras += struct.pack(f"<{len(c.params)}d", *c.params)
    (folder / "cameras.bin").write_bytes(cameras)
    seen_by, tracks = tracks_of(model)
    images = struct.pack("<Q", len(model.images))
    for i, (name, camera, q, t) in enumerate(model.images, 1):
        images += struct.pack("<I7dI", i, *q, *t, camera) + os.fsencode(name) + b"\0"
        seen = [*seen_by[i - 1], 2**64 - 1]
        images += struct.pack("<Q", len(seen)) + b"".join(struct.pack("<ddQ", 1.5, 2.5, n) for n in seen)
    (folder / "images.bin").write_bytes(images)
    points = [struct.pack("<Q", len(model.xyz))]
    for i, (p, c) in enumerate(zip(model.xyz, model.rgb, strict=True), 1):
        track = [number for element in tracks[i - 1] for number in element]
        points += [struct.pack("<Q3d3BdQ", i, *p, *map(int, c), 0.5, len(track) // 2)]
        points += [struct.pack(f"<{len(track)}I", *track)]
    (folder / "points3D.bin").write_bytes(b"".join(points))


def write_text(folder: Path, model: MadeModel) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "cameras.txt", "w", encoding="utf-8") as file:
        file.write("# Camera list with one line of data per camera:\n")
        for number, c in model.cameras.items():
            file.write(
                f"{number} {c.model} {c.width} {c.height} {' '.join(map(repr, map(float, c.params)))}\n"
            )
    seen_by, tracks = tracks_of(model)
    with open(folder / "images.txt", "w", encoding="utf-8") as file:
        file.write("# Image list with two lines of data per image:\n")
        for i, (name, camera, q, t) in enumerate(model.images, 1):
            numbers = " ".join(repr(float(v)) for v in (*q, *t))
            seen = " ".join(f"1.5 2.5 {point}" for point in (*seen_by[i - 1], -1))
            file.write(f"{i} {numbers} {camera} {name}\n{seen if seen_by[i - 1] else ''}\n")
    with open(folder / "points3D.txt", "w", encoding="utf-8") as file:
        for i, (p, c) in enumerate(zip(model.xyz, model.rgb, strict=True), 1):
            track = "".join(f" {photo} {place}" for photo, place in tracks[i - 1])
            file.write(f"{i} {' '.join(repr(float(v)) for v in p)} {' '.join(map(str, c))} 0.5{track}\n")


def write_cloud(path: Path, xyz: np.ndarray, rgb: np.ndarray, normals=None, views=None) -> None:
    """Binary PLY as COLMAP's fusion writes it, with the engine's views at the end."""
    vertices = np.zeros(len(xyz), VERTEX)
    for i, name in enumerate("xyz"):
        vertices[name] = xyz[:, i]
        vertices["n" + name] = (xyz if normals is None else normals)[:, i]
    for i, name in enumerate(("red", "green", "blue")):
        vertices[name] = rgb[:, i]
    vertices["views"] = 5 if views is None else views
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = {"f4": "float", "u1": "uchar"}
    lines = [f"property {kinds[VERTEX[n].str[1:]]} {n}" for n in VERTEX.names]
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {len(xyz)}",
        *lines,
        "end_header",
        "",
    ]
    path.write_bytes("\n".join(header).encode() + vertices.tobytes())


def png(pixels: np.ndarray) -> bytes:
    """uint8 [H, W, 3] as a PNG file (RFC 2083)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def write_workspace(root: Path, model: MadeModel, dense: bool = True, photos: bool = True) -> Path:
    """A finished workspace. Photos are black PNG files: Blender goes by content, not by name."""
    write_binary(root / "sparse" / "0", model)
    camera = next(iter(model.cameras.values()))
    picture = png(np.zeros((camera.height, camera.width, 3), np.uint8))
    folders = [root / "images"]
    if dense:
        write_binary(root / "dense" / "sparse", model)
        write_cloud(root / "dense" / "fusion.ply", model.xyz, model.rgb)
        folders.append(root / "dense" / "images")
    for folder in folders if photos else ():
        folder.mkdir(parents=True, exist_ok=True)
        for name, *_ in model.images:
            (folder / name).write_bytes(picture)
    entries = [
        {"name": name, "source": f"/photos/Mein Foto {i}.JPG", "state": "used", "reason": ""}
        for i, (name, *_) in enumerate(model.images)
    ]
    (root / "photos.json").write_text(json.dumps({"version": 1, "source": "/photos", "photos": entries}))
    placement = [[2.0, 0, 0, 1], [0, 0, 2.0, 2], [0, -2.0, 0, 3], [0, 0, 0, 1]]
    (root / "placement.json").write_text(
        json.dumps({"version": 1, "world_from_model": placement, "how": "cameras' up"})
    )
    return root
