"""A concise builder for Geometry Nodes groups; sockets by name, since their order differs between versions."""

from __future__ import annotations

from typing import Any, TypeAlias

import bpy

Socket: TypeAlias = bpy.types.NodeSocket


class Builder:
    """A new group for a modifier. tree: the group."""

    def __init__(self, name: str) -> None:
        self.tree = bpy.data.node_groups.new(name, "GeometryNodeTree")
        self.tree.is_modifier = True
        self._group_input = self.tree.nodes.new("NodeGroupInput")
        self._group_output = self.tree.nodes.new("NodeGroupOutput")

    def input(self, name: str, kind: str, description: str = "", **settings: Any) -> None:
        self._socket(name, "INPUT", kind, description, settings)

    def output(self, name: str, kind: str) -> None:
        self._socket(name, "OUTPUT", kind, "", {})

    def _socket(self, name: str, in_out: str, kind: str, description: str, settings: dict[str, Any]) -> None:
        socket = self.tree.interface.new_socket(
            name, description=description, in_out=in_out, socket_type=kind
        )
        for key, value in settings.items():
            setattr(socket, key, value)

    def group_input(self, name: str) -> Socket:
        return self._group_input.outputs[name]

    def group_output(self, name: str, value: Socket) -> None:
        self.link(value, self._group_output.inputs[name])

    def node(self, kind: str, **settings: Any) -> bpy.types.Node:
        node = self.tree.nodes.new(kind)
        for key, value in settings.items():
            setattr(node, key, value)
        return node

    def link(self, value: Socket | float, target: Socket) -> None:
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, target)
        else:
            target.default_value = value

    def attribute(self, name: str, data_type: str) -> tuple[Socket, Socket]:
        """A named attribute's value, and whether it exists."""
        node = self.node("GeometryNodeInputNamedAttribute", data_type=data_type)
        node.inputs["Name"].default_value = name
        value = next(s for s in node.outputs if s.name == "Attribute" and s.enabled)
        return value, node.outputs["Exists"]

    def compare(self, data_type: str, operation: str, a: Socket | float, b: Socket | float) -> Socket:
        node = self.node("FunctionNodeCompare", data_type=data_type, operation=operation)
        for name, value in (("A", a), ("B", b)):
            self.link(value, next(s for s in node.inputs if s.name == name and s.enabled))
        return node.outputs["Result"]

    def boolean(self, operation: str, a: Socket, b: Socket) -> Socket:
        node = self.node("FunctionNodeBooleanMath", operation=operation)
        self.link(a, node.inputs[0])
        self.link(b, node.inputs[1])
        return node.outputs[0]

    def math(self, operation: str, a: Socket | float, b: Socket | float) -> Socket:
        node = self.node("ShaderNodeMath", operation=operation)
        self.link(a, node.inputs[0])
        self.link(b, node.inputs[1])
        return node.outputs[0]

    def arrange(self) -> None:
        """Lay out the nodes in columns by their longest path to the output, for readability."""
        depth = {self._group_output: 0}
        for _ in range(len(self.tree.nodes)):  # the longest path has at most as many steps as nodes
            for link in self.tree.links:
                step = depth.get(link.to_node, 0) + 1
                if depth.get(link.from_node, -1) < step:
                    depth[link.from_node] = step
        rows: dict[int, int] = {}
        for node, column in depth.items():
            rows[column] = rows.get(column, 0) + 1
            node.location = (-220 * column, -190 * rows[column])
