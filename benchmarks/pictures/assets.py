"""Pictures for docs/user/clean-and-export.md: a cloud before and after cleaning, and a mesh before and after baking.

    .venv-bpy/bin/python -m benchmarks.pictures.assets WORKSPACE OUT [FACES]

WORKSPACE has a dense cloud, a mesh and a texture. Cycles on the CPU, about a minute of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

SIZE = (1200, 600)
SAMPLES = 24


def main(workspace: str, out: str, faces: str = "10000") -> None:
    import blender_recon3d
    from blender_recon3d import api

    bpy.ops.wm.read_factory_settings(use_empty=True)
    blender_recon3d.register()
    result = api.import_result(workspace)
    api.ground()
    api.origin_under()
    folder = Path(out)
    clouds = [result.cloud.copy()]
    api.clean(min_views=4)
    clouds.append(api.apply_cleaning().copy())
    small = api.decimate(int(faces))
    api.bake_normals(2048)
    low, high = bounds(small)
    render(folder / "asset-clean.jpg", clouds, low, high, result.empty.matrix_basis, 1.9)
    copies = [small.copy() for _ in range(3)]
    for copy, keep in zip(copies, ((), ("Normal",), ("Normal", "Base Color")), strict=True):
        copy.data = small.data.copy()
        copy.data.materials[0] = with_inputs(small.data.materials[0], keep)
    render(folder / "asset-mesh.jpg", copies, low, high, result.empty.matrix_basis, 1.15)


def bounds(thing: bpy.types.Object) -> tuple[Vector, Vector]:
    """Without the ground around the subject: the middle 70 % of the vertices."""
    bpy.context.view_layer.update()
    xyz = np.array([thing.matrix_world @ v.co for v in thing.data.vertices])
    low, high = np.quantile(xyz, [0.15, 0.85], axis=0)
    return Vector((*low[:2], 0)), Vector((*high[:2], xyz[:, 2].max()))


def with_inputs(material: bpy.types.Material, keep: tuple[str, ...]) -> bpy.types.Material:
    """A copy whose shader has only these inputs connected."""
    copy = material.copy()
    shader = next(node for node in copy.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (0.3, 0.3, 0.3, 1)
    for name in ("Base Color", "Normal"):
        if name not in keep:
            for link in list(shader.inputs[name].links):
                copy.node_tree.links.remove(link)
    return copy


def render(
    path: Path, things: list[bpy.types.Object], low: Vector, high: Vector, world: Matrix, apart: float
) -> None:
    """The objects side by side, seen from the front and slightly from above."""
    scene = bpy.data.scenes.new("Picture")
    width = apart * max((high - low).x, (high - low).z * 0.62)
    for number, thing in enumerate(things):
        scene.collection.objects.link(thing)
        thing.parent, thing.hide_render = None, False
        thing.matrix_basis = Matrix.Translation(((number - (len(things) - 1) / 2) * width, 0, 0)) @ world
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    middle = Vector((0, 0, high.z / 2))
    camera.data.type, camera.data.ortho_scale = "ORTHO", max(width * len(things), 2.15 * high.z)
    camera.location = middle + Vector((0, -10, 2.2)).normalized() * 20 * high.z
    camera.rotation_euler = (middle - camera.location).to_track_quat("-Z", "Y").to_euler()
    camera.data.clip_end = 100 * high.z
    scene.camera = camera
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.data.energy, sun.rotation_euler = 3, (0.9, 0.1, -0.7)
    scene.collection.objects.link(sun)
    scene.world = bpy.data.worlds.new("World")
    if scene.world.node_tree is None:  # before 5.0
        scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.4, 0.42, 0.45, 1)
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", SAMPLES, False
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.image_settings.file_format, scene.render.image_settings.quality = "JPEG", 80
    scene.view_settings.view_transform = "Standard"
    scene.render.filepath = str(path.absolute())
    bpy.ops.render.render(write_still=True, scene=scene.name)


if __name__ == "__main__":
    main(*sys.argv[1:])
