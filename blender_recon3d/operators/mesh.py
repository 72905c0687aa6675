"""The mesh: let the engine make it, bring it in, fewer faces, quads, and what is baked onto it."""

from __future__ import annotations

import bpy

from ..jobs import session
from ..scene.find_imports import CLOUD, current_import, hide, make_active, objects_of
from ..scene.meshes import background_work, bake, mesh_object, remesh
from .background import WaitsForBlender
from .reconstruct import StartsJob, run_job
from .reporting import ImportOperator, run_reported

TEXTURE_SIZES = [(str(size), f"{size} px", "") for size in (256, 512, 1024, 2048, 4096, 8192)]


class RECON3D_OT_make_mesh(StartsJob, bpy.types.Operator):
    bl_idname = "recon3d.make_mesh"
    bl_label = "Build Mesh"
    bl_description = "Build a textured mesh from the cloud, in the background"
    bl_options = {"REGISTER"}

    faces: bpy.props.IntProperty(
        name="Faces", description="Maximum number of faces; 0: set by the quality", min=0, max=20_000_000
    )
    texture: bpy.props.IntProperty(
        name="Texture", description="Width and height in pixels; 0: set by the quality", min=0, max=16_384
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_job(self, context, lambda: session.start_mesh(context, self.faces, self.texture))


class RECON3D_OT_import_mesh(ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.import_mesh"
    bl_label = "Import Mesh"
    bl_description = "Import the mesh and texture of the results folder, or update them"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _imported(context))


class _Asks(ImportOperator):
    """What asks for its numbers first."""

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)


class _Bakes(WaitsForBlender, ImportOperator):
    """What bakes an image. what: as `bake.Bake` has it."""

    bl_options = {"UNDO"}
    doing = "Baking..."
    what = ""

    size: bpy.props.EnumProperty(
        name="Size",
        description="Width and height of the image in pixels",
        items=TEXTURE_SIZES,
        default="2048",
    )
    extrusion: bpy.props.FloatProperty(name="Extrusion", description="Cage extrusion; 0: automatic", min=0.0)

    def begin(self, context: bpy.types.Context) -> background_work.BackgroundWork:
        return background_work.start_bake(
            current_import(context.scene), self.what, int(self.size), self.extrusion
        )

    def at_once(self, context: bpy.types.Context) -> str:
        call = bake.bake_normals if self.what == bake.NORMAL else bake.bake_texture
        return call(current_import(context.scene), int(self.size), self.extrusion)


class RECON3D_OT_decimate(_Asks, bpy.types.Operator):
    bl_idname = "recon3d.decimate"
    bl_label = "Decimate Mesh"
    bl_description = "Make a similar mesh with fewer faces; the original is kept, hidden"

    faces: bpy.props.IntProperty(
        name="Faces", description="Target number of faces", default=20_000, min=4, soft_max=1_000_000
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _decimated(context, self.faces))


class RECON3D_OT_make_lods(_Asks, bpy.types.Operator):
    bl_idname = "recon3d.make_lods"
    bl_label = "Make LODs"
    bl_description = (
        "Make copies with fewer and fewer faces, hidden beside the mesh, which is the first level"
    )

    levels: bpy.props.IntProperty(
        name="Levels",
        description="Number of levels, the mesh itself being the first",
        default=5,
        min=2,
        max=8,
    )
    ratio: bpy.props.FloatProperty(
        name="Ratio",
        description="Faces of each level, relative to the one before",
        default=0.5,
        min=0.05,
        max=0.95,
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        return run_reported(self, lambda: _lods(context, self.levels, self.ratio))


class RECON3D_OT_make_quads(WaitsForBlender, ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.make_quads"
    bl_label = "Remesh to Quads"
    bl_description = "Make a quad mesh; the original is kept, hidden. Bake Texture transfers its texture"
    bl_options = {"UNDO"}
    doing = "Remeshing to quads..."

    faces: bpy.props.IntProperty(
        name="Faces", description="Approximate number of faces", default=10_000, min=4, soft_max=200_000
    )

    def begin(self, context: bpy.types.Context) -> background_work.BackgroundWork:
        return background_work.start_quads(current_import(context.scene), self.faces, make_active)

    def at_once(self, context: bpy.types.Context) -> str:
        return _quads(context, self.faces)


class RECON3D_OT_bake_normals(_Bakes, bpy.types.Operator):
    bl_idname = "recon3d.bake_normals"
    bl_label = "Bake Normals"
    bl_description = "Bake the detail of the full mesh into a normal map, and connect it to the material"
    what = bake.NORMAL


class RECON3D_OT_bake_texture(_Bakes, bpy.types.Operator):
    bl_idname = "recon3d.bake_texture"
    bl_label = "Bake Texture"
    bl_description = "Bake the textured mesh's color onto the quads or another copy"
    what = bake.COLOR


def _imported(context: bpy.types.Context) -> str:
    collection = current_import(context.scene)
    made, notes = mesh_object.import_mesh(collection)
    hide(*objects_of(collection, CLOUD))
    return " ".join((f"{made.name} has {len(made.data.polygons):,} faces.", *notes))


def _decimated(context: bpy.types.Context, faces: int) -> str:
    made = remesh.decimate(current_import(context.scene), faces)
    make_active(made)
    return f"{made.name} has {len(made.data.polygons):,} faces."


def _lods(context: bpy.types.Context, levels: int, ratio: float) -> str:
    made = remesh.make_lods(current_import(context.scene), levels, ratio)
    return (
        f"{made[0].name} has {len(made)} levels: "
        + ", ".join(f"{len(o.data.polygons):,}" for o in made)
        + " faces."
    )


def _quads(context: bpy.types.Context, faces: int) -> str:
    made, sentence = remesh.quads(current_import(context.scene), faces)
    make_active(made)
    return sentence


CLASSES = (
    RECON3D_OT_make_mesh,
    RECON3D_OT_import_mesh,
    RECON3D_OT_decimate,
    RECON3D_OT_make_quads,
    RECON3D_OT_make_lods,
    RECON3D_OT_bake_normals,
    RECON3D_OT_bake_texture,
)
