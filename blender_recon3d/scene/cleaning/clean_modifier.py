"""Clean a cloud non-destructively: a Geometry Nodes modifier "Recon3D Clean" before the point display.

It removes points that are seen by few photos, are isolated, belong to small islands, have the key color, or are outside
the crop box. For Blender 4.2 to 5.2, like `point_display`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import bpy
import numpy as np

from ...pipeline.errors import UserError
from ...pipeline.text import Said
from .. import point_display
from ..cameras import KEY
from ..cloud import CONFIDENCE, spacing
from ..find_imports import (
    BOX,
    CLEANED,
    SURFACES,
    add_beside,
    check_addable,
    check_editable,
    cloud_of,
    find_object,
    hide,
    objects_of,
)
from ..modes import object_mode
from ..node_tree import Builder
from ..point_display import COLOR, get_input, set_input
from ..scratch_scene import evaluated_mesh, own_scene
from ..stepwise import Steps, run
from . import density

GROUP = "Recon3D Clean"
NEIGHBORS, ISLAND = "neighbours", "island"  # attributes, as files have them


class Input(NamedTuple):
    """An input of the modifier.

    identifier: of the socket, stored in files; Blender numbers sockets in order of creation. label: displayed and
    translated. attribute: the point attribute whose values must not be below the input; empty for none.
    """

    identifier: str
    label: str
    description: str
    attribute: str = ""


# By keyword argument.
INPUTS = {
    "min_views": Input("Socket_2", "Min Views", "Min number of photos that see a point", CONFIDENCE),
    "min_neighbors": Input(
        "Socket_3", "Min Neighbors", "Min number of points near a point; needs Compute Density", NEIGHBORS
    ),
    "min_cluster_size": Input(
        "Socket_4", "Min Cluster Size", "Min number of points in a cluster; needs Compute Density", ISLAND
    ),
    "key_color": Input("Socket_5", "Key Color", "Remove points of this color"),
    "key_distance": Input(
        "Socket_6",
        "Key Distance",
        "Distance from the key color, in sRGB, within which points are removed (0: none, 1.7: all)",
    ),
    "crop_box": Input("Socket_7", "Crop Box", "Remove points outside this box"),
}


def compute_density(collection: bpy.types.Collection) -> str:
    """Write the attributes `neighbors` and `island` to an import's cloud; returns a message with the numbers."""
    return run(density_in_steps(collection))


def density_in_steps(collection: bpy.types.Collection) -> Steps[str]:
    """`compute_density`, in steps."""
    cloud = cloud_of(collection)
    check_editable(cloud, cloud.data)
    analysis = yield from _analysis_in_steps(cloud.data)
    with object_mode():
        _write_analysis(cloud.data, analysis)
    islands = round(float((1.0 / analysis.island).sum()))
    return Said(
        "{points} points, {clusters} clusters, the largest with {largest} points.",
        points=f"{len(analysis.island):,}",
        clusters=f"{islands:,}",
        largest=f"{int(analysis.island.max()):,}",
    )


def add_cleaning(collection: bpy.types.Collection, **inputs: Any) -> bpy.types.Modifier:
    """Add the modifier to an import's cloud, or use the existing one, and set its inputs.

    inputs: by the keys of INPUTS (min_views=3). A new modifier gets defaults that keep the subject and remove floating
    points (density.sensible_limits). UserError if there is no cloud, or no such input.
    """
    return run(add_cleaning_in_steps(collection, **inputs))


def add_cleaning_in_steps(collection: bpy.types.Collection, **inputs: Any) -> Steps[bpy.types.Modifier]:
    """`add_cleaning`, in steps."""
    unknown = [key for key in inputs if key not in INPUTS]
    if unknown:
        raise UserError(f"Cleaning has no input {unknown[0]}: choose from {', '.join(INPUTS)}.", 2)
    cloud = cloud_of(collection)
    check_editable(cloud, cloud.data)
    modifier = find_cleaning(cloud)
    needed = modifier is None or inputs.get("min_neighbors") or inputs.get("min_cluster_size")
    analysis = None
    if needed and not is_analyzed(cloud.data):
        analysis = yield from _analysis_in_steps(cloud.data)
    with object_mode():
        if analysis is not None:
            _write_analysis(cloud.data, analysis)
        if modifier is None:
            neighbors, cluster_size = density.sensible_limits(analysis or _read_analysis(cloud.data))
            defaults = {"min_neighbors": neighbors, "min_cluster_size": cluster_size}
            box = find_object(collection, BOX)
            if box is not None:
                defaults["crop_box"] = box
            inputs = {**defaults, **inputs}
            modifier = _new_modifier(cloud)
        else:
            _relabel(modifier.node_group)
    for key, value in inputs.items():
        set_input(modifier, INPUTS[key].identifier, value)
    cloud.update_tag()
    return modifier


def clean_cloud(collection: bpy.types.Collection, **inputs: Any) -> str:
    """add_cleaning, then show the cloud and hide meshes; returns a message about the remaining points."""
    return run(clean_in_steps(collection, **inputs))


def clean_in_steps(collection: bpy.types.Collection, **inputs: Any) -> Steps[str]:
    """`clean_cloud`, in steps."""
    yield from add_cleaning_in_steps(collection, **inputs)
    cloud = cloud_of(collection)
    hide(cloud, hidden=False)
    hide(*objects_of(collection, *SURFACES))  # which would overlap the cloud
    remaining, total = f"{count_left(cloud):,}", f"{len(cloud.data.vertices):,}"
    return Said("{left} of {total} points remain.", left=remaining, total=total)


def remove_cleaning(collection: bpy.types.Collection) -> None:
    """Remove the modifier, which restores all points."""
    cloud = cloud_of(collection)
    check_editable(cloud)
    modifier = find_cleaning(cloud)
    if modifier is not None:
        cloud.modifiers.remove(modifier)


def apply_cleaning(collection: bpy.types.Collection) -> bpy.types.Object:
    """Create a cloud of the remaining points and hide the original. Adds the cleaning if there is none."""
    return run(apply_in_steps(collection))


def apply_in_steps(collection: bpy.types.Collection) -> Steps[bpy.types.Object]:
    """`apply_cleaning`, in steps."""
    cloud = cloud_of(collection)
    check_addable(cloud)
    if find_cleaning(cloud) is None:
        yield from add_cleaning_in_steps(collection)
    mesh = cleaned_mesh(cloud, f"{cloud.data.name} Cleaned")
    mesh.materials.clear()
    cleaned = bpy.data.objects.new(f"{cloud.name} Cleaned", mesh)
    cleaned[KEY] = {"kind": CLEANED}
    add_beside(cleaned, cloud, collection)
    if len(mesh.vertices):
        display = cloud.modifiers.get(point_display.GROUP)
        radius = get_input(display, point_display.RADIUS) if display else 0.7 * spacing(positions(mesh))
        point_display.show_as_points(cleaned, radius)
    hide(cloud)
    return cleaned


def find_cleaning(cloud: bpy.types.Object) -> bpy.types.Modifier | None:
    return next((m for m in cloud.modifiers if _is_ours(m)), None)


def cleaned_mesh(cloud: bpy.types.Object, name: str) -> bpy.types.Mesh:
    """A new mesh of the points that cleaning keeps, with their attributes."""
    with _only_cleaning(cloud):
        return evaluated_mesh(cloud, name)


def count_left(cloud: bpy.types.Object) -> int:
    """Number of points that cleaning keeps."""
    return len(_left(cloud))


def cleaned_positions(cloud: bpy.types.Object) -> np.ndarray:
    """The points that cleaning keeps, float32 [n, 3]; all points if it keeps none."""
    remaining = _left(cloud)
    return remaining if len(remaining) else positions(cloud.data)


def _left(cloud: bpy.types.Object) -> np.ndarray:
    if find_cleaning(cloud) is None:
        return positions(cloud.data)
    with _only_cleaning(cloud), own_scene(cloud) as scene:
        return positions(cloud.evaluated_get(scene.view_layers[0].depsgraph).data)


@contextmanager
def _only_cleaning(cloud: bpy.types.Object) -> Iterator[None]:
    """Disable the other modifiers inside the block."""
    cleaning = find_cleaning(cloud)
    others = [m for m in cloud.modifiers if m != cleaning and m.show_viewport]
    with object_mode():
        for other in others:
            other.show_viewport = False
        try:
            yield
        finally:
            for other in others:
                other.show_viewport = True


def settings_of(cloud: bpy.types.Object) -> dict[str, Any] | None:
    """The cleaning's inputs by the keys of INPUTS, for a re-imported cloud; None if there is no cleaning."""
    modifier = find_cleaning(cloud)
    if modifier is None:
        return None
    return {key: _plain(get_input(modifier, item.identifier)) for key, item in INPUTS.items()}


def restore_in_steps(cloud: bpy.types.Object, settings: dict[str, Any] | None) -> Steps[None]:
    """Give a new cloud the cleaning of an earlier one."""
    if settings is None or not len(cloud.data.vertices):
        return
    if settings["min_neighbors"] or settings["min_cluster_size"]:
        yield from analyze_in_steps(cloud.data)
    modifier = _new_modifier(cloud)
    for key, value in settings.items():
        set_input(modifier, INPUTS[key].identifier, value)


def positions(mesh: bpy.types.Mesh) -> np.ndarray:
    """Vertices in the mesh's own coordinates, float32 [n, 3]."""
    xyz = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", xyz)
    return xyz.reshape(-1, 3)


# -- attributes -------------------------------------------------------------------------------------


def is_analyzed(mesh: bpy.types.Mesh) -> bool:
    """Whether a cloud has the attributes that Min Neighbors and Min Cluster Size use."""
    return NEIGHBORS in mesh.attributes and ISLAND in mesh.attributes


def _analysis_in_steps(mesh: bpy.types.Mesh) -> Steps[density.Density]:
    """The density of a cloud's points."""
    with object_mode():
        xyz = positions(mesh)
    distance = yield partial(spacing, xyz)
    return (yield partial(density.analyze, xyz, distance))


def analyze_in_steps(mesh: bpy.types.Mesh) -> Steps[None]:
    """Write the attributes to a new mesh."""
    _write_analysis(mesh, (yield from _analysis_in_steps(mesh)))


def _write_analysis(mesh: bpy.types.Mesh, analysis: density.Density) -> None:
    for name, values in ((NEIGHBORS, analysis.neighbors), (ISLAND, analysis.island)):
        attribute = mesh.attributes.get(name) or mesh.attributes.new(name, "INT", "POINT")
        attribute.data.foreach_set("value", values)
    mesh.update()


def _read_analysis(mesh: bpy.types.Mesh) -> density.Density:
    values = [np.empty(len(mesh.vertices), np.int32) for _ in range(2)]
    for name, array in zip((NEIGHBORS, ISLAND), values, strict=True):
        mesh.attributes[name].data.foreach_get("value", array)
    return density.Density(*values)


# -- the modifier -----------------------------------------------------------------------------------


def _is_ours(modifier: bpy.types.Modifier) -> bool:
    group = modifier.node_group if modifier.type == "NODES" else None
    return group is not None and group.get(KEY) == GROUP


def _new_modifier(cloud: bpy.types.Object) -> bpy.types.Modifier:
    """Added before the point display, which turns vertices into points."""
    modifier = cloud.modifiers.new(GROUP, "NODES")
    modifier.node_group = _group()
    display = cloud.modifiers.find(point_display.GROUP)
    if 0 <= display < len(cloud.modifiers) - 1:
        cloud.modifiers.move(len(cloud.modifiers) - 1, display)
    return modifier


def _plain(value: Any) -> Any:
    return tuple(value) if hasattr(value, "__len__") else value


def _group() -> bpy.types.NodeTree:
    """The node group shared by all clouds; created if the file does not have it."""
    for tree in bpy.data.node_groups:
        if tree.get(KEY) == GROUP and tree.library is None:
            return tree
    build = Builder(GROUP)
    build.tree[KEY] = GROUP
    build.output("Geometry", "NodeSocketGeometry")
    build.input("Geometry", "NodeSocketGeometry")
    _add_inputs(build)
    conditions = [_below(build, item) for item in INPUTS.values() if item.attribute]
    conditions += [_of_key_color(build), _outside(build)]
    removed = conditions[0]
    for condition in conditions[1:]:
        removed = build.boolean("OR", removed, condition)
    delete = build.node("GeometryNodeDeleteGeometry", domain="POINT")
    build.link(build.group_input("Geometry"), delete.inputs["Geometry"])
    build.link(removed, delete.inputs["Selection"])
    build.group_output("Geometry", delete.outputs["Geometry"])
    build.arrange()
    return build.tree


def _relabel(tree: bpy.types.NodeTree) -> None:
    """Update the input labels of a group from an older file, unless it is linked."""
    if tree.library is not None:
        return
    items = {item.identifier: item for item in INPUTS.values()}
    for socket in tree.interface.items_tree:
        item = items.get(getattr(socket, "identifier", ""))
        if item is not None and socket.name != item.label:
            socket.name, socket.description = item.label, item.description


def _add_inputs(build: Builder) -> None:
    """In the order of INPUTS, which determines their identifiers."""
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "key_color": ("NodeSocketColor", {"default_value": (0.5, 0.7, 1.0, 1.0)}),
        "key_distance": ("NodeSocketFloat", {"min_value": 0.0, "max_value": 2.0}),
        "crop_box": ("NodeSocketObject", {}),
    }
    for key, item in INPUTS.items():
        kind, limits = kinds.get(key, ("NodeSocketInt", {"min_value": 0}))
        build.input(item.label, kind, item.description, **limits)


def _input_socket(build: Builder, key: str) -> bpy.types.NodeSocket:
    return build.group_input(INPUTS[key].label)


def _below(build: Builder, item: Input) -> bpy.types.NodeSocket:
    """Whether the attribute exists and is below the input."""
    value, exists = build.attribute(item.attribute, "INT")
    # Compared as integers: a float has 24 bits of precision, and a cluster may have more points.
    return build.boolean(
        "AND", exists, build.compare("INT", "LESS_THAN", value, build.group_input(item.label))
    )


def _of_key_color(build: Builder) -> bpy.types.NodeSocket:
    color, exists = build.attribute(COLOR, "FLOAT_COLOR")
    distance = build.node("ShaderNodeVectorMath", operation="DISTANCE")
    build.link(_display_values(build, color), distance.inputs[0])
    build.link(_display_values(build, _input_socket(build, "key_color")), distance.inputs[1])
    near = build.compare(
        "FLOAT", "LESS_THAN", distance.outputs["Value"], _input_socket(build, "key_distance")
    )
    return build.boolean("AND", exists, near)


def _display_values(build: Builder, color: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """A linear color as a vector of approximate sRGB values, whose distances are perceptual."""
    split = build.node("FunctionNodeSeparateColor")
    join = build.node("ShaderNodeCombineXYZ")
    build.link(color, split.inputs["Color"])
    for source, target in zip(("Red", "Green", "Blue"), ("X", "Y", "Z"), strict=True):
        power = build.node("ShaderNodeMath", operation="POWER")
        power.inputs[1].default_value = 1 / 2.2
        build.link(split.outputs[source], power.inputs[0])
        build.link(power.outputs[0], join.inputs[target])
    return join.outputs[0]


def _outside(build: Builder) -> bpy.types.NodeSocket:
    """Whether a box is set and the point is outside it, in the box's own coordinates from -1 to 1."""
    box = build.node("GeometryNodeObjectInfo", transform_space="RELATIVE")
    build.link(_input_socket(build, "crop_box"), box.inputs["Object"])
    inverse = build.node("FunctionNodeInvertMatrix")
    build.link(box.outputs["Transform"], inverse.inputs[0])
    local = build.node("FunctionNodeTransformPoint")
    build.link(build.node("GeometryNodeInputPosition").outputs[0], local.inputs["Vector"])
    build.link(inverse.outputs[0], local.inputs["Transform"])
    absolute = build.node("ShaderNodeVectorMath", operation="ABSOLUTE")
    build.link(local.outputs[0], absolute.inputs[0])
    split = build.node("ShaderNodeSeparateXYZ")
    build.link(absolute.outputs[0], split.inputs[0])
    largest = build.math(
        "MAXIMUM", build.math("MAXIMUM", split.outputs[0], split.outputs[1]), split.outputs[2]
    )
    # Without an object the scale is 0 and the transform the identity.
    size = build.node("ShaderNodeVectorMath", operation="LENGTH")
    build.link(box.outputs["Scale"], size.inputs[0])
    is_set = build.compare("FLOAT", "GREATER_THAN", size.outputs["Value"], 0.0)
    return build.boolean("AND", is_set, build.compare("FLOAT", "GREATER_THAN", largest, 1.0))
