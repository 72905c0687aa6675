"""Pictures of meshes from four sides, shaded and with vertex colors, for inspection.

    .venv-bpy/bin/python -m benchmarks.pictures.meshes PICTURE.jpg WORKSPACE MESH.ply [MESH.ply ...] [--colors]
                         [--size 480] [--lift 20] [--turn 0] [--reach 1.0]

One row per mesh. The view fits the last one, with the up axis of placement.json; --reach zooms in or out. Needs bpy.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from blender_recon3d.pipeline.files.ply_mesh import read_mesh

SIDES = (0, 90, 180, 270)  # degrees about the up axis


def main() -> int:
    options = parse()
    to_world = np.array(json.loads((options.workspace / "placement.json").read_text())["world_from_model"])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        frame = framed(vertices_in_world(options.meshes[-1], to_world), options.reach)
        for path in options.meshes:
            bpy.ops.wm.read_factory_settings(use_empty=True)
            add_mesh(path, to_world)
            rows.append([drawn(options, frame, side, Path(folder) / "side.png") for side in SIDES])
    save(np.concatenate([np.concatenate(row, axis=1) for row in rows]), options.picture)
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("picture", type=Path)
    add("workspace", type=Path)
    add("meshes", type=Path, nargs="+")
    add("--colors", action="store_true")
    add("--size", type=int, default=480, help="pixels along a side of each view")
    add("--lift", type=float, default=20, help="degrees from which the views look down")
    add("--turn", type=float, default=0, help="degrees by which all views are rotated")
    add("--reach", type=float, default=1.0, help="times the mesh's size: the extent of the view")
    return parser.parse_args()


def vertices_in_world(path: Path, to_world: np.ndarray) -> np.ndarray:
    """[N, 3]."""
    vertices = read_mesh(path)[0]
    return np.stack([vertices[name] for name in "xyz"], axis=1) @ to_world[:3, :3].T + to_world[:3, 3]


def add_mesh(path: Path, to_world: np.ndarray) -> None:
    """Add it to the scene."""
    vertices, faces = read_mesh(path)
    xyz = vertices_in_world(path, to_world)
    mesh = bpy.data.meshes.new("mesh")
    mesh.from_pydata(xyz.tolist(), [], faces.tolist(), shade_flat=False)
    if "red" in vertices.dtype.names:
        color = mesh.color_attributes.new("Col", "BYTE_COLOR", "POINT")
        rgba = np.full((len(xyz), 4), 1.0, np.float32)
        rgba[:, :3] = np.stack([vertices[name] for name in ("red", "green", "blue")], axis=1) / 255
        color.data.foreach_set("color_srgb", rgba.ravel())
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("mesh", mesh))


def framed(xyz: np.ndarray, reach: float) -> tuple[np.ndarray, float]:
    """The center of the view, and its extent."""
    low, high = np.percentile(xyz, [1, 99], axis=0)
    return (low + high) / 2, reach * float(np.linalg.norm(high - low))


def drawn(
    options: argparse.Namespace, frame: tuple[np.ndarray, float], side: float, path: Path
) -> np.ndarray:
    """uint8 [size, size, 3]."""
    scene = bpy.context.scene
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x = scene.render.resolution_y = options.size
    scene.render.filepath = str(path)
    scene.render.image_settings.file_format = "PNG"
    scene.view_settings.view_transform = "Standard"
    shading = scene.display.shading
    shading.light = "FLAT" if options.colors else "STUDIO"
    shading.color_type = "VERTEX" if options.colors else "SINGLE"
    shading.single_color = (0.75, 0.75, 0.75)
    shading.show_cavity = not options.colors
    middle, size = frame
    azimuth, lift = math.radians(side + options.turn), math.radians(options.lift)
    away = Vector((math.sin(azimuth) * math.cos(lift), -math.cos(azimuth) * math.cos(lift), math.sin(lift)))
    data = bpy.data.cameras.new("view")
    data.type, data.ortho_scale = "ORTHO", 0.75 * size
    data.clip_end = 10 * size
    camera = bpy.data.objects.new("view", data)
    camera.rotation_mode = "QUATERNION"
    camera.rotation_quaternion = (-away).to_track_quat("-Z", "Y")
    camera.location = Vector(middle.tolist()) + away * 2 * size
    scene.collection.objects.link(camera)
    scene.camera = camera
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path), check_existing=False)
    pixels = np.empty(4 * options.size**2, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return np.rint(255 * pixels.reshape(options.size, options.size, 4)[::-1, :, :3]).astype(np.uint8)


def save(picture: np.ndarray, path: Path) -> None:
    height, width, _ = picture.shape
    image = bpy.data.images.new("picture", width, height)
    rgba = np.ones((height, width, 4), np.float32)
    rgba[:, :, :3] = picture[::-1] / np.float32(255)
    image.pixels.foreach_set(rgba.ravel())
    image.file_format = "JPEG"
    image.filepath_raw = str(path.absolute())
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(quality=82)


if __name__ == "__main__":
    sys.exit(main())
