"""The mesh's material: the photos' texture, or the vertex colors, as base color; plus a normal map and ambient
occlusion, if any.

A Principled BSDF, since exporters support it. It has no input for ambient occlusion, which Blender's renderers compute:
the map goes to the group that glTF's exporter reads it from.
"""

from __future__ import annotations

from pathlib import Path

import bpy

from ..cameras import KEY
from ..point_display import COLOR
from .image_tiles import load_image

KIND = "mesh material"
_COLOR_NODE, _NORMAL_NODE, _NORMAL_MAP = "Recon3D Colour", "Recon3D Normal", "Recon3D Normal Map"
_OCCLUSION_NODE, _OCCLUSION_OUTPUT = "Recon3D Occlusion", "Recon3D Occlusion Output"
GLTF_GROUP = "glTF Material Output"  # the name that the exporter looks for
ROUGHNESS = 0.9  # the texture already contains the photos' highlights


def mesh_material(name: str, texture: Path | None, colored: bool) -> bpy.types.Material:
    """A new material. texture: the image. colored: whether there are vertex colors to use without a texture."""
    material = bpy.data.materials.new(name)
    material[KEY] = {"kind": KIND}
    if material.node_tree is None:  # needless since 5.0, where it only warns
        material.use_nodes = True
    shader = principled(material)
    shader.inputs["Roughness"].default_value = ROUGHNESS
    set_base_color(material, texture, colored)
    return material


def update_materials(mesh: bpy.types.Mesh, texture: Path | None, colored: bool) -> list[bpy.types.Material]:
    """Set the texture of our materials on the mesh, without further maps; returns these materials."""
    ours = [m for m in mesh.materials if is_ours(m)]
    for material in ours:
        set_base_color(material, texture, colored)
        remove_normal_map(material)  # of the previous mesh
        remove_occlusion(material)
    return ours


def is_ours(material: bpy.types.Material | None) -> bool:
    stored = material.get(KEY) if material is not None else None
    return hasattr(stored, "get") and stored.get("kind") == KIND


def principled(material: bpy.types.Material) -> bpy.types.Node | None:
    """The Principled BSDF; None if the user's nodes have none."""
    nodes = material.node_tree.nodes if material.node_tree else ()
    return next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)


def set_base_color(
    material: bpy.types.Material, texture: Path | bpy.types.Image | None, colored: bool
) -> None:
    """Set the image, or its file, as base color, otherwise the vertex colors, otherwise gray."""
    shader, tree = principled(material), material.node_tree
    if shader is None:
        return
    old = tree.nodes.get(_COLOR_NODE)
    if old is not None:
        tree.nodes.remove(old)
    if texture is not None:
        node = tree.nodes.new("ShaderNodeTexImage")
        node.image = texture if isinstance(texture, bpy.types.Image) else load_image(texture)
    elif colored:
        node = tree.nodes.new("ShaderNodeVertexColor")
        node.layer_name = COLOR
    else:
        return
    node.name, node.label = _COLOR_NODE, "Color"
    node.location = (-400, 300)
    tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])


def color_image(material: bpy.types.Material) -> bpy.types.Image | None:
    """The image of our base color."""
    node = material.node_tree.nodes.get(_COLOR_NODE) if material.node_tree else None
    return getattr(node, "image", None)


def set_normal_map(material: bpy.types.Material, image: bpy.types.Image, uv_map: str) -> bool:
    """Connect a tangent-space normal map to the Principled BSDF; returns whether there is one."""
    shader, tree = principled(material), material.node_tree
    if shader is None:
        return False
    remove_normal_map(material)
    texture, normal = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeNormalMap")
    texture.name, texture.label, texture.location = _NORMAL_NODE, "Normal", (-700, -200)
    normal.name, normal.location = _NORMAL_MAP, (-350, -200)
    texture.image, normal.uv_map = image, uv_map
    tree.links.new(texture.outputs["Color"], normal.inputs["Color"])
    tree.links.new(normal.outputs["Normal"], shader.inputs["Normal"])
    return True


def set_occlusion(material: bpy.types.Material, image: bpy.types.Image) -> None:
    """Connect an ambient occlusion map to glTF's exporter."""
    tree = material.node_tree
    remove_occlusion(material)
    texture, output = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeGroup")
    texture.name, texture.label, texture.location = _OCCLUSION_NODE, "Occlusion", (-400, -500)
    texture.image = image
    output.name, output.location, output.node_tree = _OCCLUSION_OUTPUT, (0, -500), _gltf_group()
    tree.links.new(texture.outputs["Color"], output.inputs["Occlusion"])


def remove_normal_map(material: bpy.types.Material) -> None:
    _remove_nodes(material, _NORMAL_NODE, _NORMAL_MAP)


def remove_occlusion(material: bpy.types.Material) -> None:
    _remove_nodes(material, _OCCLUSION_NODE, _OCCLUSION_OUTPUT)


def _remove_nodes(material: bpy.types.Material, *names: str) -> None:
    for name in names:
        node = material.node_tree.nodes.get(name)
        if node is not None:
            material.node_tree.nodes.remove(node)


def _gltf_group() -> bpy.types.NodeTree:
    group = bpy.data.node_groups.get(GLTF_GROUP)
    if group is None:
        group = bpy.data.node_groups.new(GLTF_GROUP, "ShaderNodeTree")
    if not any(item.name == "Occlusion" for item in group.interface.items_tree):
        group.interface.new_socket("Occlusion", in_out="INPUT", socket_type="NodeSocketFloat")
    return group
