"""Blender's Smart UV Project on a mesh, for benchmarks/measure/texture_uvs.py. Needs bpy.

python -m benchmarks.common.smart_uv INPUT.npz OUTPUT.npz     vertices [V, 3], faces [F, 3] -> uv [F, 3, 2], seconds
"""

from __future__ import annotations

import math
import sys
import time

import bpy
import numpy as np

MARGIN = 0.001  # 4 texels of 4096 between charts, as ours


def main() -> int:
    given, found = sys.argv[1:]
    with np.load(given) as arrays:
        vertices, faces = arrays["vertices"], arrays["faces"]
    bpy.ops.wm.read_factory_settings(use_empty=True)
    mesh = bpy.data.meshes.new("mesh")
    mesh.from_pydata(vertices.tolist(), [], faces.tolist())
    body = bpy.data.objects.new("mesh", mesh)
    bpy.context.scene.collection.objects.link(body)
    bpy.context.view_layer.objects.active = body
    body.select_set(True)
    start, cpu = time.monotonic(), time.process_time()
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.uv.smart_project(
        angle_limit=math.radians(66), margin_method="FRACTION", island_margin=MARGIN, scale_to_bounds=False
    )
    bpy.ops.object.mode_set(mode="OBJECT")
    seconds = (time.monotonic() - start, time.process_time() - cpu)
    uv = np.empty(2 * len(mesh.loops), np.float32)
    mesh.uv_layers.active.data.foreach_get("uv", uv)
    np.savez(found, uv=uv.reshape(-1, 3, 2), seconds=seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
