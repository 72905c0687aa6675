"""A cloud in cells: boxes of points, each an object in a collection of its own, for clouds too large for one object.

The cells hold all of the cloud's points with their attributes; the cloud itself stays, hidden. Blender does not draw
cells outside the view, and a cell whose collection is excluded from the view layer takes no time at all.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import bpy
import numpy as np

from . import point_display
from .cameras import KEY
from .cleaning import clean_modifier
from .cloud import deselect
from .find_imports import (
    CELL,
    CELLS,
    CLEANED,
    check_addable,
    cloud_of,
    find_object,
    hide,
    home_of,
    is_hidden,
    kind_of,
)
from .stepwise import Steps, run
from .unfinished import unfinished

POINTS = 1_000_000  # of a cell, at most

# How the values of an attribute are read and written: field, number of values, type.
_FIELDS = {
    "FLOAT_VECTOR": ("vector", 3, "float32"),
    "BYTE_COLOR": ("color_srgb", 4, "float32"),
    "FLOAT": ("value", 1, "float32"),
    "INT": ("value", 1, "int32"),
}


def split_cloud(collection: bpy.types.Collection, points: int = POINTS) -> bpy.types.Collection:
    """Split an import's cloud, or its cleaned cloud if that is shown, into cells of at most `points` points.

    Returns the collection with one collection for each cell, which replaces that of an earlier split. UserError if
    there is no cloud, or its collection cannot be changed.
    """
    return run(split_in_steps(collection, points))


def split_in_steps(collection: bpy.types.Collection, points: int) -> Steps[bpy.types.Collection]:
    """`split_cloud`, in steps."""
    cloud = _shown_cloud(collection)
    check_addable(cloud)
    with ExitStack() as made:
        source = cloud.data
        if clean_modifier.find_cleaning(cloud) is not None:
            source = clean_modifier.cleaned_mesh(cloud, f"{cloud.name} Cleaned")
            made.callback(partial(bpy.data.meshes.remove, source))
        xyz = clean_modifier.positions(source)
        cells = yield partial(cells_of, xyz, points)
        meshes = []
        for number, inside in enumerate(cells, 1):
            mesh = bpy.data.meshes.new(f"{cloud.name} Cell {number:02}")
            made.enter_context(unfinished(mesh))
            mesh.vertices.add(len(inside))
            meshes.append(mesh)
        for attribute in source.attributes:
            if attribute.data_type in _FIELDS and not attribute.name.startswith("."):
                yield from _copied(attribute, cells, meshes)
        for mesh in meshes:
            mesh.color_attributes.active_color = mesh.color_attributes.get(point_display.COLOR)
            mesh.color_attributes.render_color_index = mesh.color_attributes.active_color_index
            deselect(mesh)
            mesh.update()
        return _put_beside(cloud, collection, meshes)


def cells_of(xyz: np.ndarray, points: int) -> list[np.ndarray]:
    """The indices of the points [n, 3] of each cell, in their order: boxes are halved along their longest side, with as
    many points in either half, until none has more than `points`."""
    pending, cells = [np.arange(len(xyz), dtype=np.int32 if len(xyz) < 2**31 else np.int64)], []
    while pending:
        inside = pending.pop()
        if len(inside) <= points:
            cells.append(np.sort(inside))
            continue
        own = xyz[inside]
        along, half = int(np.argmax(np.ptp(own, axis=0))), len(inside) // 2
        order = np.argpartition(own[:, along], half)
        pending += [inside[order[half:]], inside[order[:half]]]
    return cells


def remove_cells(collection: bpy.types.Collection) -> None:
    """Remove the cells of an earlier split with their data and collections, but nothing of the user's in these."""
    for cells in [child for child in collection.children_recursive if kind_of(child) == CELLS]:
        own = [obj for obj in cells.all_objects if kind_of(obj) == CELL]
        meshes = [obj.data for obj in own]
        bpy.data.batch_remove(own)
        bpy.data.batch_remove([mesh for mesh in meshes if not mesh.users])
        for child in (*cells.children, cells):
            if not child.all_objects:
                bpy.data.collections.remove(child)


def _shown_cloud(collection: bpy.types.Collection) -> bpy.types.Object:
    cleaned = find_object(collection, CLEANED)
    usable = cleaned is not None and len(cleaned.data.vertices) and not is_hidden(cleaned)
    return cleaned if usable else cloud_of(collection)


def _copied(
    attribute: bpy.types.Attribute, cells: list[np.ndarray], meshes: list[bpy.types.Mesh]
) -> Steps[None]:
    """Copy one attribute to the cells, a cell a step: only one is in memory at a time."""
    name, kind = attribute.name, attribute.data_type
    field, width, dtype = _FIELDS[kind]
    flat = np.empty(len(attribute.data) * width, dtype)
    attribute.data.foreach_get(field, flat)
    values = flat.reshape(-1, width)
    for inside, mesh in zip(cells, meshes, strict=True):
        own = mesh.attributes.get(name) or mesh.attributes.new(name, kind, "POINT")
        own.data.foreach_set(field, values[inside].ravel())
        yield None


def _put_beside(
    cloud: bpy.types.Object, collection: bpy.types.Collection, meshes: list[bpy.types.Mesh]
) -> bpy.types.Collection:
    """Link the cells beside the cloud, which is hidden, in place of earlier ones."""
    remove_cells(collection)
    display = cloud.modifiers.get(point_display.GROUP)
    inputs: Callable[[str], float] = partial(point_display.get_input, display)
    all_cells = bpy.data.collections.new(f"{cloud.name} Cells")
    all_cells[KEY] = {"kind": CELLS}
    home_of(cloud, collection).children.link(all_cells)
    for mesh in meshes:
        obj = bpy.data.objects.new(mesh.name, mesh)
        obj[KEY] = {"kind": CELL}
        own = bpy.data.collections.new(mesh.name)
        own.objects.link(obj)
        all_cells.children.link(own)
        obj.parent = cloud.parent
        obj.matrix_parent_inverse = cloud.matrix_parent_inverse.copy()
        obj.matrix_basis = cloud.matrix_basis.copy()
        if display is not None:
            modifier = point_display.show_as_points(obj, inputs(point_display.RADIUS))
            point_display.set_input(
                modifier, point_display.VIEWPORT_SHARE, inputs(point_display.VIEWPORT_SHARE)
            )
    hide(cloud)
    return all_cells
