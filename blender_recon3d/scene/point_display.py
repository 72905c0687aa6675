"""Display a mesh of vertices as round points: a Geometry Nodes modifier and a material in the points' colors.

For Blender 4.2 to 5.2: node sockets are found by name, and modifier inputs are set where each version stores them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy

GROUP = "Recon3D Points"
MATERIAL = "Recon3D Points"
COLOR = "Col"

# Identifiers of the group's inputs: labels may change, and Blender numbers sockets in order of creation.
RADIUS, VIEWPORT_SHARE, _MATERIAL_INPUT = "Socket_2", "Socket_3", "Socket_4"

# More points than this are thinned out in the viewport (never in renders) to keep it responsive.
VIEWPORT_POINTS = 3_000_000


def show_as_points(cloud: bpy.types.Object, radius: float) -> bpy.types.Modifier:
    """Add the point display to a mesh object. radius: of a point, in the object's units."""
    group = _group()
    modifier = cloud.modifiers.new(GROUP, "NODES")
    modifier.node_group = group
    material = _material()
    cloud.data.materials.append(material)
    set_input(modifier, RADIUS, radius)
    set_input(modifier, VIEWPORT_SHARE, min(1.0, VIEWPORT_POINTS / max(1, len(cloud.data.vertices))))
    set_input(modifier, _MATERIAL_INPUT, material)
    return modifier


def limit_viewport(clouds: Iterable[bpy.types.Object], points: int) -> None:
    """Show at most that many points of these clouds together in the viewport, the same share of each."""
    clouds = [cloud for cloud in clouds if cloud.modifiers.get(GROUP) is not None]
    share = min(1.0, points / max(1, sum(len(cloud.data.vertices) for cloud in clouds)))
    for cloud in clouds:
        set_input(cloud.modifiers[GROUP], VIEWPORT_SHARE, share)
        cloud.update_tag()


def set_input(modifier: bpy.types.Modifier, identifier: str, value: Any) -> None:
    """Set a Geometry Nodes modifier's input by its socket's identifier."""
    if hasattr(modifier, "properties"):  # since 5.2
        getattr(modifier.properties.inputs, identifier).value = value
    else:
        modifier[identifier] = value


def get_input(modifier: bpy.types.Modifier, identifier: str) -> Any:
    """The value of a Geometry Nodes modifier's input."""
    if hasattr(modifier, "properties"):
        return getattr(modifier.properties.inputs, identifier).value
    return modifier[identifier]


def input_property(modifier: bpy.types.Modifier, identifier: str) -> tuple[Any, str]:
    """The owner of an input's value and its key there, for a layout's prop()."""
    if hasattr(modifier, "properties"):
        return getattr(modifier.properties.inputs, identifier), "value"
    return modifier, f'["{identifier}"]'


def _group() -> bpy.types.NodeTree:
    """The node group shared by all clouds; created if the file does not have it."""
    for tree in bpy.data.node_groups:
        if tree.get("recon3d") == GROUP:
            return tree
    tree = bpy.data.node_groups.new(GROUP, "GeometryNodeTree")
    tree["recon3d"] = GROUP
    tree.is_modifier = True
    socket = tree.interface.new_socket
    socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    radius = socket("Radius", in_out="INPUT", socket_type="NodeSocketFloat")
    radius.subtype, radius.default_value, radius.min_value = "DISTANCE", 0.01, 0.0
    radius.description = "Point radius, in the model's units"
    share = socket("Viewport Share", in_out="INPUT", socket_type="NodeSocketFloat")
    share.subtype, share.default_value, share.min_value, share.max_value = "FACTOR", 1.0, 0.0, 1.0
    share.description = "Fraction of the points shown in the viewport; renders show all"
    socket("Material", in_out="INPUT", socket_type="NodeSocketMaterial")

    def node(kind: str, x: float, y: float, **settings: Any) -> bpy.types.Node:
        new_node = tree.nodes.new(kind)
        new_node.location = (x, y)
        for key, value in settings.items():
            setattr(new_node, key, value)
        return new_node

    def link(a: bpy.types.Node, output: str, b: bpy.types.Node, target: str) -> None:
        outputs = [s for s in a.outputs if s.name == output and s.enabled]
        inputs = [s for s in b.inputs if s.name == target and s.enabled]
        tree.links.new(outputs[0], inputs[0])

    group_input = node("NodeGroupInput", -600, 0)
    chosen = node("FunctionNodeRandomValue", -400, -150, data_type="BOOLEAN")
    in_viewport = node("GeometryNodeIsViewport", -400, -320)
    # Shown: in the viewport only the chosen points, in renders all.
    shown = node("FunctionNodeBooleanMath", -200, -150, operation="IMPLY")
    points = node("GeometryNodeMeshToPoints", 0, 0)
    material = node("GeometryNodeSetMaterial", 200, 0)
    result = node("NodeGroupOutput", 400, 0)
    link(group_input, "Viewport Share", chosen, "Probability")
    tree.links.new(in_viewport.outputs[0], shown.inputs[0])
    tree.links.new(next(s for s in chosen.outputs if s.enabled), shown.inputs[1])
    link(group_input, "Geometry", points, "Mesh")
    link(group_input, "Radius", points, "Radius")
    tree.links.new(shown.outputs[0], points.inputs["Selection"])
    link(points, "Points", material, "Geometry")
    link(group_input, "Material", material, "Material")
    link(material, "Geometry", result, "Geometry")
    return tree


def _material() -> bpy.types.Material:
    """The points' own color, unlit, since it already contains the photos' lighting."""
    for material in bpy.data.materials:
        if material.get("recon3d") == MATERIAL:
            return material
    material = bpy.data.materials.new(MATERIAL)
    material["recon3d"] = MATERIAL
    if material.node_tree is None:  # needless since 5.0, where it only warns
        material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    color = tree.nodes.new("ShaderNodeAttribute")
    color.attribute_type, color.attribute_name = "GEOMETRY", COLOR
    emission = tree.nodes.new("ShaderNodeEmission")
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    color.location, emission.location, output.location = (-400, 0), (-200, 0), (0, 0)
    tree.links.new(color.outputs["Color"], emission.inputs["Color"])
    tree.links.new(emission.outputs["Emission"], output.inputs["Surface"])
    return material
