"""A textured mesh from four sides, rendered by Blender without lights.

    .venv-bpy/bin/python -m benchmarks.pictures.textures MESH.glb... --output PICTURE.png [--size 400] [--samples 8]
                                                        [--height 15] [--near 1.0] [--turn 0]

One row per mesh. Needs bpy, not the engine.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("meshes", nargs="+", type=Path, metavar="MESH.glb")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--size", type=int, default=400, help="pixels of each picture")
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--height", type=float, default=15.0, help="degrees above the horizon")
    parser.add_argument("--near", type=float, default=1.0, help="larger: closer")
    parser.add_argument("--turn", type=float, default=0.0, help="degrees of the first view")
    parser.add_argument("--sides", type=int, default=4)
    options = parser.parse_args()
    rows = [np.concatenate(sides(path, options), axis=1) for path in options.meshes]
    save(np.concatenate(rows[::-1], axis=0), options.output)
    return 0


def sides(path: Path, options: argparse.Namespace) -> list[np.ndarray]:
    """Pictures [H, W, 4], rows from below, of a GLB."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(path))
    body = next(item for item in bpy.data.objects if item.type == "MESH")
    shine(body.active_material)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = options.samples
    scene.cycles.use_denoising = False
    scene.render.resolution_x = scene.render.resolution_y = options.size
    scene.view_settings.view_transform = "Standard"
    scene.world = bpy.data.worlds.new("gray")
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.lens, camera.data.sensor_width = 70, 36
    scene.collection.objects.link(camera)
    scene.camera = camera
    points = np.empty(3 * len(body.data.vertices), np.float32)
    body.data.vertices.foreach_get("co", points)
    points = points.reshape(-1, 3) @ np.array(body.matrix_world.to_3x3()).T + np.array(
        body.matrix_world.translation
    )
    low, high = np.percentile(points, [1, 99], axis=0)
    middle, reach = Vector((low + high) / 2), float(np.linalg.norm(high - low)) / options.near
    camera.data.clip_end = 100 * reach
    found = []
    for number in range(options.sides):
        angle = math.radians(options.turn + 360 / options.sides * number)
        rise = math.radians(options.height)
        way = Vector((math.sin(angle) * math.cos(rise), -math.cos(angle) * math.cos(rise), math.sin(rise)))
        camera.location = middle + way * reach * 1.9
        camera.rotation_euler = (-way).to_track_quat("-Z", "Y").to_euler()
        found.append(rendered(options.size))
    return found


def shine(material: bpy.types.Material) -> None:
    """The texture's own colors, independent of light; the back of a face is dark red, so that it is noticed."""
    tree = material.node_tree
    image = next(node for node in tree.nodes if node.type == "TEX_IMAGE")
    output = next(node for node in tree.nodes if node.type == "OUTPUT_MATERIAL")
    front, back = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeEmission")
    back.inputs["Color"].default_value = (0.2, 0.02, 0.02, 1)
    side, mix = tree.nodes.new("ShaderNodeNewGeometry"), tree.nodes.new("ShaderNodeMixShader")
    tree.links.new(image.outputs["Color"], front.inputs["Color"])
    tree.links.new(side.outputs["Backfacing"], mix.inputs[0])
    tree.links.new(front.outputs[0], mix.inputs[1])
    tree.links.new(back.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], output.inputs["Surface"])


def rendered(size: int) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        bpy.context.scene.render.filepath = str(Path(folder) / "side.png")
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(bpy.context.scene.render.filepath)
        pixels = np.empty(size * size * 4, np.float32)
        image.pixels.foreach_get(pixels)
        bpy.data.images.remove(image)
    return pixels.reshape(size, size, 4)


def save(pixels: np.ndarray, path: Path) -> None:
    height, width = pixels.shape[:2]
    image = bpy.data.images.new("sides", width, height)
    image.pixels.foreach_set(np.ascontiguousarray(pixels).ravel())
    image.filepath_raw = str(path.absolute())
    image.file_format = "JPEG" if path.suffix.lower() in (".jpg", ".jpeg") else "PNG"
    path.parent.mkdir(parents=True, exist_ok=True)
    bpy.context.scene.render.image_settings.quality = 85
    image.save()


if __name__ == "__main__":
    sys.exit(main())
