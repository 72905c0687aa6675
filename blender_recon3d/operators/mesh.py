"""The mesh: let the engine make it, bring it in, fewer faces, quads, and what is baked onto it."""

from __future__ import annotations

import bpy

from ..jobs import session
from ..scene.find_imports import CLOUD, current_import, hide, make_active, objects_of
from ..scene.meshes import bake, mesh_object, remesh
from .reconstruct import StartsJob, run_job
from .reporting import ImportOperator, run_reported

_SIZES = [(str(size), f"{size} px", "") for size in (256, 512, 1024, 2048, 4096, 8192)]


class RECON3D_OT_make_mesh(StartsJob, bpy.types.Operator):
    bl_idname = "recon3d.make_mesh"
    bl_label = "Make Mesh"
    bl_description = "Let the engine make a mesh with texture from the cloud, in a process of its own"
    bl_options = {"REGISTER"}

    faces: bpy.props.IntProperty(
        name="Faces", description="At most; 0: as the quality says", min=0, max=20_000_000
    )
    texture: bpy.props.IntProperty(
        name="Texture", description="Side in pixels; 0: as the quality says", min=0, max=16_384
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_job(self, context, lambda: session.start_mesh(context, self.faces, self.texture))


class RECON3D_OT_import_mesh(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.import_mesh"
    bl_label = "Import Mesh"
    bl_description = "Bring the mesh of the results folder in, with its texture, or update it"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _imported(context))


class _Asks(ImportOperator):
    """What asks for its numbers first."""

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)


class RECON3D_OT_decimate(_Asks, bpy.types.Operator):
    bl_idname = "recon3d.decimate"
    bl_label = "Decimate"
    bl_description = "Make a mesh of fewer faces that looks alike; the original stays, hidden"

    faces: bpy.props.IntProperty(
        name="Faces", description="How many", default=20_000, min=4, soft_max=1_000_000
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _decimated(context, self.faces))


class RECON3D_OT_make_quads(_Asks, bpy.types.Operator):
    bl_idname = "recon3d.make_quads"
    bl_label = "Quads"
    bl_description = "Make a mesh of quads; the original stays, hidden. Bake Colours brings its texture over"

    faces: bpy.props.IntProperty(
        name="Faces", description="About how many", default=10_000, min=4, soft_max=200_000
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _quads(context, self.faces))


class RECON3D_OT_bake_normals(_Asks, bpy.types.Operator):
    bl_idname = "recon3d.bake_normals"
    bl_label = "Bake Normals"
    bl_description = "Bake the detail of the full mesh into a normal map, and wire it"

    size: bpy.props.EnumProperty(name="Size", description="Side of the image", items=_SIZES, default="2048")
    extrusion: bpy.props.FloatProperty(
        name="Extrusion", description="How far the cage lies off the mesh; 0: as both meshes ask for", min=0.0
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        call = bake.bake_normals
        return run_reported(self, lambda: call(current_import(context.scene), int(self.size), self.extrusion))


class RECON3D_OT_bake_colours(_Asks, bpy.types.Operator):
    bl_idname = "recon3d.bake_colours"
    bl_label = "Bake Colours"
    bl_description = "Bake the colours of the textured mesh onto the quads or another copy"

    size: bpy.props.EnumProperty(name="Size", description="Side of the image", items=_SIZES, default="2048")
    extrusion: bpy.props.FloatProperty(
        name="Extrusion", description="How far the cage lies off the mesh; 0: as both meshes ask for", min=0.0
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        call = bake.bake_colours
        return run_reported(self, lambda: call(current_import(context.scene), int(self.size), self.extrusion))


def _imported(context: bpy.types.Context) -> str:
    collection = current_import(context.scene)
    made, notes = mesh_object.import_mesh(collection)
    hide(*objects_of(collection, CLOUD))
    return " ".join((f"{made.name} has {len(made.data.polygons):,} faces.", *notes))


def _decimated(context: bpy.types.Context, faces: int) -> str:
    made = remesh.decimate(current_import(context.scene), faces)
    make_active(made)
    return f"{made.name} has {len(made.data.polygons):,} faces."


def _quads(context: bpy.types.Context, faces: int) -> str:
    made, sentence = remesh.quads(current_import(context.scene), faces)
    make_active(made)
    return sentence


CLASSES = (
    RECON3D_OT_make_mesh,
    RECON3D_OT_import_mesh,
    RECON3D_OT_decimate,
    RECON3D_OT_make_quads,
    RECON3D_OT_bake_normals,
    RECON3D_OT_bake_colours,
)
