"""A cloud as one mesh object: a vertex per point, with color, normals and confidence as point attributes.

`Col` (BYTE_COLOR) holds the photos' sRGB bytes, `normal` (FLOAT_VECTOR) the unit normals, `confidence` (INT) the
number of photos that saw the point.
"""

from __future__ import annotations

import math
from functools import partial

import bpy
import numpy as np
from mathutils import kdtree

from .cameras import KEY
from .point_display import COLOR, show_as_points
from .points import Points
from .stepwise import Steps, run
from .unfinished import unfinished

NORMAL = "normal"
CONFIDENCE = "confidence"


def create_cloud(points: Points, name: str = "Cloud") -> bpy.types.Object:
    """A mesh object in the model's frame with its point display, not linked to a collection yet."""
    return run(cloud_in_steps(points, name))


def cloud_in_steps(points: Points, name: str) -> Steps[bpy.types.Object]:
    """What `create_cloud` does."""
    mesh = bpy.data.meshes.new(name)
    with unfinished(mesh):
        if len(points):  # an empty mesh has no attributes to set
            yield from fill_in_steps(mesh, points)
        radius = 0.7 * (yield partial(spacing, points.xyz)) if len(points) else 0.0
    cloud = bpy.data.objects.new(name, mesh)
    cloud[KEY] = {"kind": "cloud", "points": len(points)}
    if len(points):
        show_as_points(cloud, radius)
    return cloud


def fill_mesh(mesh: bpy.types.Mesh, points: Points) -> None:
    """Fill an empty mesh with the points and their attributes."""
    run(fill_in_steps(mesh, points))


def fill_in_steps(mesh: bpy.types.Mesh, points: Points) -> Steps[None]:
    """What `fill_mesh` does, an attribute a step."""
    mesh.vertices.add(len(points))
    mesh.attributes["position"].data.foreach_set("vector", _flat(points.xyz))
    deselect(mesh)
    yield None
    if points.rgb is not None:
        set_colors(mesh, points.rgb)
        yield None
    if points.normals is not None:
        mesh.attributes.new(NORMAL, "FLOAT_VECTOR", "POINT").data.foreach_set("vector", _flat(points.normals))
        yield None
    if points.views is not None:
        views = np.ascontiguousarray(points.views, np.int32)
        mesh.attributes.new(CONFIDENCE, "INT", "POINT").data.foreach_set("value", views)
    mesh.update()


def deselect(mesh: bpy.types.Mesh) -> None:
    """Deselect a new mesh, which Blender selects: selected points are used for ground and scale."""
    for name in (".select_vert", ".select_edge", ".select_poly"):
        selection = mesh.attributes.get(name)
        if selection is not None:
            mesh.attributes.remove(selection)


def set_colors(mesh: bpy.types.Mesh, rgb: np.ndarray) -> None:
    """Set the vertex colors, sRGB bytes [n, 3], as `Col`."""
    colors = mesh.color_attributes.new(COLOR, "BYTE_COLOR", "POINT")
    values = np.ones((len(rgb), 4), np.float32)
    np.multiply(rgb, np.float32(1 / 255), out=values[:, :3])
    # color_srgb takes the photos' values unchanged; `color` is linear.
    colors.data.foreach_set("color_srgb", values.ravel())
    mesh.color_attributes.active_color = colors
    mesh.color_attributes.render_color_index = mesh.color_attributes.active_color_index


def _flat(vectors: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(vectors, np.float32).ravel()


def spacing(xyz: np.ndarray, sample: int = 20_000) -> float:
    """Typical distance between neighboring points [n, 3] of a surface: 1 / sqrt(points per area).

    From the median distance to the nearest neighbor in a random sample. On a surface it grows with the square root of
    the sampling factor, and is 0.47 / sqrt(density) for randomly scattered points.
    """
    if len(xyz) > sample:
        xyz_sample = xyz[np.random.default_rng(0).choice(len(xyz), sample, replace=False)]
    else:
        xyz_sample = xyz
    tree = kdtree.KDTree(len(xyz_sample))
    coordinates = xyz_sample.tolist()
    for i, point in enumerate(coordinates):
        tree.insert(point, i)
    tree.balance()
    pairs = [tree.find_n(point, 2) for point in coordinates]
    nearest = np.array([pair[1][2] for pair in pairs if len(pair) == 2 and pair[1][2] > 0])
    if len(nearest) == 0:
        return 0.01
    return float(np.median(nearest)) / 0.47 * math.sqrt(len(xyz_sample) / len(xyz))
