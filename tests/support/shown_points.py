"""How many points of a cloud the viewport shows."""

import bpy


def shown_points(cloud) -> int:
    """How many points the display makes. Only meshes can be counted in every version, so a copy of the node
    group, with the points made vertices at its end, is put in its place."""
    tree = cloud.modifiers[0].node_group.copy()
    material = next(n for n in tree.nodes if n.bl_idname == "GeometryNodeSetMaterial")
    output = next(n for n in tree.nodes if n.bl_idname == "NodeGroupOutput")
    vertices = tree.nodes.new("GeometryNodePointsToVertices")
    tree.links.new(material.outputs[0], vertices.inputs[0])
    tree.links.new(vertices.outputs[0], output.inputs[0])
    cloud.modifiers[0].node_group = tree
    return len(cloud.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.vertices)
