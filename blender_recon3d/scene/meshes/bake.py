"""Bake the full mesh's detail, or another mesh's colors, onto a mesh with Cycles on the CPU.

Blender can bake only through an operator; it runs in a temporary scene, on copies at the origin, so that modes, hidden
objects and the user's materials are not affected.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils.bvhtree import BVHTree

from ...pipeline.errors import UserError
from ...pipeline.files.atomic_files import atomic_file
from ...pipeline.text import Said, sentences
from ..find_imports import MESH, check_editable, find_object
from ..modes import object_mode
from ..scratch_scene import evaluated_mesh, operating_on, scratch
from .mesh_material import mesh_material, set_base_color, set_normal_map
from .mesh_object import UV_MAP, full_mesh, texture_folder
from .surfaces import surface_of

NORMAL, COLOR = "NORMAL", "COLOR"
_SAMPLE = 5_000  # vertices used to measure the distance between both meshes
_MARGIN = 1.5  # times that distance, so that the cage contains everything


@dataclass(frozen=True)
class Bake:
    """A bake job. what: NORMAL or COLOR. target: the mesh to bake onto. source: the mesh to bake from. size: side of
    the image in pixels. extrusion: of the cage, in the model's units; 0: from the distance between both.
    """

    what: str
    target: bpy.types.Object
    source: bpy.types.Object
    size: int
    extrusion: float

    @property
    def image_name(self) -> str:
        return f"{self.target.name} {self.what.title()}"


def bake_normals(collection: bpy.types.Collection, size: int = 2048, extrusion: float = 0.0) -> str:
    """Bake the full mesh's normals onto the mesh, save the image and connect it; returns a message.

    size, extrusion: as in `Bake`. A mesh without UVs is unwrapped. UserError if a mesh or Cycles is missing.
    """
    return _baked(collection, NORMAL, size, extrusion)


def bake_texture(collection: bpy.types.Collection, size: int = 2048, extrusion: float = 0.0) -> str:
    """Bake the textured mesh's colors onto the quads or another copy with its own UVs; returns a message."""
    return _baked(collection, COLOR, size, extrusion)


def _baked(collection: bpy.types.Collection, what: str, size: int, extrusion: float) -> str:
    with object_mode():
        wanted = bake_wanted(collection, what, size, extrusion)
        image = bake_image(wanted)
        save_image(image, image_file(collection, wanted))
        return connect(wanted, image)


def bake_wanted(collection: bpy.types.Collection, what: str, size: int, extrusion: float) -> Bake:
    """The current bake job. UserError if baking is not possible."""
    if not 16 <= size <= 16_384:
        raise UserError(f"An image of {size} pixels cannot be baked: choose 16 to 16384.", 2)
    target = surface_of(collection)
    if has_tiles(target.data):
        raise UserError(
            f"{target.name} has a texture of several tiles: bake onto a mesh without UVs, or with UVs in 0 to 1."
        )
    if what == NORMAL:
        check_editable(target, target.data, *target.data.materials)
        return Bake(what, target, full_mesh(collection), size, extrusion)
    source = find_object(collection, MESH)
    if source is None or source == target:
        raise UserError(
            "The texture is baked from the mesh onto a copy: use Remesh to Quads first, and make the "
            "result active."
        )
    check_editable(target, target.data)
    return Bake(what, target, source, size, extrusion)


def connect(wanted: Bake, image: bpy.types.Image) -> str:
    """Connect the image to the target's material; returns a message."""
    target, size = wanted.target, wanted.size
    if wanted.what == COLOR:
        material = mesh_material(target.name, None, False)
        set_base_color(material, image, False)
        target.data.materials.clear()
        target.data.materials.append(material)
        return Said(
            "Baked {size} x {size} texture of {source} onto {target}.",
            size=size,
            source=wanted.source.name,
            target=target.name,
        )
    material = _own_material(target)
    wired = set_normal_map(material, image, target.data.uv_layers.active.name)
    sentence = Said(
        "Baked {size} x {size} normals of the full mesh onto {target}.", size=size, target=target.name
    )
    if wired:
        return sentence
    by_hand = Said(
        "{material} has no Principled BSDF: connect {image} yourself.",
        material=material.name,
        image=image.name,
    )
    return sentences(sentence, by_hand)


def has_tiles(mesh: bpy.types.Mesh) -> bool:
    """Whether its UVs are in several tiles (UDIM)."""
    layer = mesh.uv_layers.active
    if layer is None or not len(mesh.loops):
        return False
    uv = np.empty(2 * len(mesh.loops), np.float32)
    layer.uv.foreach_get("vector", uv)
    return bool(uv[::2].max() > 1 + 1e-4)


def cage_extrusion(low: bpy.types.Mesh, high: bpy.types.Mesh) -> float:
    """The distance of the detailed mesh from the other one, with a margin; both in the same coordinates."""
    tree = BVHTree.FromPolygons([v.co for v in low.vertices], [tuple(p.vertices) for p in low.polygons])
    step = max(1, len(high.vertices) // _SAMPLE)
    nearest = [tree.find_nearest(high.vertices[i].co)[3] for i in range(0, len(high.vertices), step)]
    distances = [distance for distance in nearest if distance is not None]
    size = max(max(v.co) for v in low.vertices) - min(min(v.co) for v in low.vertices)
    # The 99th percentile: parts that exist only in one mesh, because of trimming, are ignored.
    return max(float(np.quantile(distances, 0.99)) * _MARGIN, 1e-4 * size) if distances else 1e-2 * size


def unwrap(mesh: bpy.types.Mesh) -> None:
    """Unwrap with Blender's Smart UV Project, which is an Edit Mode operator. The mesh must have a single user."""
    mesh.uv_layers.new(name=UV_MAP)
    with scratch(mesh, keep=True) as obj, operating_on(obj):
        bpy.ops.object.mode_set(mode="EDIT")
        with bpy.context.temp_override(edit_object=obj):
            bpy.ops.mesh.select_all(action="SELECT")
            bpy.ops.uv.smart_project(island_margin=0.002)
        bpy.ops.object.mode_set(mode="OBJECT")


def image_file(collection: bpy.types.Collection, wanted: Bake) -> Path:
    """The image's path, beside the texture."""
    return texture_folder(collection) / f"{bpy.path.clean_name(wanted.image_name).lower()}.png"


def new_image(wanted: Bake) -> bpy.types.Image:
    """An empty image of that name, replacing an earlier one."""
    old = bpy.data.images.get(wanted.image_name)
    if old is not None and old.library is None:
        bpy.data.images.remove(old)
    return bpy.data.images.new(wanted.image_name, wanted.size, wanted.size, is_data=wanted.what == NORMAL)


def bake_image(wanted: Bake) -> bpy.types.Image:
    """Bake the image without saving it; a target without UVs is unwrapped. Takes seconds. UserError."""
    target = wanted.target
    if not len(target.data.uv_layers):
        unwrap(target.data)
    image = new_image(wanted)
    low, high = evaluated_mesh(target, "Low"), evaluated_mesh(wanted.source, "High")
    try:
        _run(image, low, high, wanted.what, wanted.extrusion)
    except RuntimeError as error:
        bpy.data.images.remove(image)
        raise UserError(f"Blender could not bake onto {target.name}: {str(error).strip()}") from error
    return image


def _run(
    image: bpy.types.Image, low: bpy.types.Mesh, high: bpy.types.Mesh, what: str, extrusion: float
) -> None:
    extrusion = extrusion or cage_extrusion(low, high)
    material = bpy.data.materials.new("Recon3D Bake")
    try:
        if material.node_tree is None:
            material.use_nodes = True
        node = material.node_tree.nodes.new("ShaderNodeTexImage")
        node.image = image
        material.node_tree.nodes.active = node  # Blender bakes into the active node
        low.materials.clear()
        low.materials.append(material)
        with scratch(low) as target, scratch(high) as source, operating_on(target, source) as scene:
            _set_up(scene, what)
            done = bpy.ops.object.bake(
                type="NORMAL" if what == NORMAL else "DIFFUSE",
                pass_filter=set() if what == NORMAL else {"COLOR"},
                use_selected_to_active=True,
                cage_extrusion=extrusion,
                max_ray_distance=2 * extrusion,
                margin=max(2, image.size[0] // 256),
                normal_space="TANGENT",
                use_clear=True,
                target="IMAGE_TEXTURES",
            )
        if done != {"FINISHED"}:
            raise RuntimeError("the operator was cancelled")
    finally:
        bpy.data.materials.remove(material)


def _set_up(scene: bpy.types.Scene, what: str) -> None:
    try:
        scene.render.engine = "CYCLES"
    except TypeError as error:
        raise UserError(
            "Baking needs Cycles: enable the add-on Cycles Render Engine in the preferences."
        ) from error
    scene.cycles.device = "CPU"
    scene.cycles.samples = 1 if what == NORMAL else 4
    scene.cycles.use_denoising = False


def _own_material(target: bpy.types.Object) -> bpy.types.Material:
    """The first material of the mesh; created if there is none."""
    material = next((m for m in target.data.materials if m is not None), None)
    if material is None:
        material = mesh_material(target.name, None, len(target.data.color_attributes) > 0)
        target.data.materials.append(material)
    return material


def save_image(image: bpy.types.Image, path: Path) -> None:
    """Save to a file, or pack into the .blend if that folder is not writable."""
    try:
        path.parent.mkdir(exist_ok=True)
        with atomic_file(path) as part:
            image.filepath_raw, image.file_format = str(part), "PNG"
            image.save()
        image.filepath_raw = str(path)
    except (OSError, RuntimeError):  # the folder is gone or may not be written: in the .blend then
        image.pack()
