"""A turntable of a finished reconstruction: pictures from all around it, as PNG files.

    blender -b --python examples/turntable.py -- FOLDER OUT [--frames 36] [--size 800]

FOLDER is a workspace or any folder with a COLMAP model. `ffmpeg -i OUT/%04d.png turntable.mp4` makes a video of them.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import headless


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="turntable.py", description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("out", metavar="OUT", type=Path)
    parser.add_argument("--frames", type=int, default=36)
    parser.add_argument("--size", type=int, default=800)
    chosen = parser.parse_args(words)
    api = headless.registered("api")
    result = api.import_result(chosen.folder)
    middle, distance = subject(list(result.cameras.values()))
    pivot = turning_camera(middle, distance)
    bpy.context.scene.camera.data.lens = next(
        iter(result.cameras.values())
    ).data.lens  # as wide as the photos
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 4, False
    scene.view_settings.view_transform = "Standard"  # the photos' colors as they are
    light(scene.camera)
    scene.world = bpy.data.worlds.new("Turntable")
    scene.world.color = (0.05, 0.05, 0.06)
    scene.render.resolution_x = scene.render.resolution_y = chosen.size
    scene.render.pixel_aspect_x = scene.render.pixel_aspect_y = 1.0
    for frame in range(chosen.frames):
        pivot.rotation_euler.z = 2 * math.pi * frame / chosen.frames
        scene.render.filepath = str(chosen.out.absolute() / f"{frame + 1:04d}.png")
        bpy.ops.render.render(write_still=True)
    print(f"{chosen.frames} pictures in {chosen.out}.")
    return 0


def subject(cameras: list[bpy.types.Object]) -> tuple[np.ndarray, float]:
    """What the photos look at: the point [3] nearest to all their axes, and how far it is from them."""
    bpy.context.view_layer.update()
    matrices = [np.array(camera.matrix_world) for camera in cameras]
    centers = np.array([matrix[:3, 3] for matrix in matrices])
    axes = np.array([-matrix[:3, 2] / np.linalg.norm(matrix[:3, 2]) for matrix in matrices])
    across = np.eye(3) - axes[:, :, None] * axes[:, None, :]
    middle = np.linalg.lstsq(
        across.sum(axis=0), (across @ centers[:, :, None]).sum(axis=0)[:, 0], rcond=None
    )[0]
    return middle, float(np.median(np.linalg.norm(centers - middle, axis=1)))


def turning_camera(middle: np.ndarray, distance: float) -> bpy.types.Object:
    """The scene's camera, a little above the subject, parented to an Empty in its middle, which is returned."""
    pivot = bpy.data.objects.new("Turntable", None)
    camera = bpy.data.objects.new("Turntable Camera", bpy.data.cameras.new("Turntable Camera"))
    for thing in (pivot, camera):
        bpy.context.scene.collection.objects.link(thing)
    pivot.location = middle.tolist()
    camera.parent = pivot
    camera.location = (0.0, -distance, 0.3 * distance)
    camera.rotation_euler = (math.pi / 2 - math.atan2(0.3, 1.0), 0.0, 0.0)
    camera.data.clip_start, camera.data.clip_end = distance / 1000, distance * 100
    bpy.context.scene.camera = camera
    return pivot


def light(camera: bpy.types.Object) -> None:
    """A sun behind the camera: a mesh has its texture's colors under it. A cloud shines by itself."""
    sun = bpy.data.objects.new("Turntable Sun", bpy.data.lights.new("Turntable Sun", "SUN"))
    sun.data.energy = math.pi
    sun.data.use_shadow = False
    if hasattr(sun.data.cycles, "cast_shadow"):  # before 5.0
        sun.data.cycles.cast_shadow = False
    bpy.context.scene.collection.objects.link(sun)
    sun.parent = camera


headless.end(main)
