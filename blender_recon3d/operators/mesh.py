"""The mesh: build it with the engine, import it, decimate it, remesh it to quads, bake onto it."""

# No `from __future__ import annotations`: Blender reads properties from annotations, which are calls here.

from abc import abstractmethod
from typing import Any

import bpy

from ..engine_properties import auto_switch, draw_number, size_used
from ..jobs import session
from ..scene.find_imports import (
    CLOUD,
    FULL_MESH,
    SURFACES,
    current_import,
    find_object,
    hide,
    make_active,
    objects_of,
)
from ..scene.meshes import background_work, bake, mesh_object, remesh
from ..scene.stepwise import Steps
from .in_steps import RunsInSteps
from .reconstruct import StartsJob
from .reporting import ImportOperator

TEXTURE_SIZES = [(str(size), f"{size} px", "") for size in (256, 512, 1024, 2048, 4096, 8192)]


class RECON3D_OT_make_mesh(StartsJob, RunsInSteps, bpy.types.Operator):
    bl_idname = "recon3d.make_mesh"
    bl_label = "Build Mesh"
    bl_description = "Build a textured mesh from the cloud, in the background"
    bl_options = set()
    doing = "Writing the cleaned cloud..."
    asks = True

    faces: bpy.props.IntProperty(
        name="Faces", description="Maximum number of faces. Auto: from Quality", min=0, max=20_000_000
    )
    set_faces: auto_switch("faces", "Faces", lambda _: size_used(bpy.context.scene, "max_faces"))
    texture: bpy.props.IntProperty(
        name="Texture", description="Width and height in pixels. Auto: from Quality", min=0, max=16_384
    )
    set_texture: auto_switch("texture", "Texture", lambda _: size_used(bpy.context.scene, "texture_size"))

    def draw(self: Any, context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        draw_number(self.layout, self.properties, "faces", size_used(context.scene, "max_faces"))
        draw_number(self.layout, self.properties, "texture", size_used(context.scene, "texture_size"))

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str | None]:
        yield from session.start_mesh_in_steps(context, self.faces, self.texture)
        if bpy.app.background:
            return session.wait(context)
        session.follow_in_background()
        return None


class RECON3D_OT_import_mesh(RunsInSteps, ImportOperator, bpy.types.Operator):
    bl_idname = "recon3d.import_mesh"
    bl_label = "Import Mesh"
    bl_description = "Import the mesh and texture of the results folder, or update them"
    doing = "Importing the mesh..."

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        collection = current_import(context.scene)
        mesh, notes = yield from mesh_object.import_mesh_in_steps(collection)
        hide(*objects_of(collection, CLOUD))
        sentence = remesh.faces_sentence(mesh)
        return " ".join((sentence, *notes)) if notes else sentence


class _InBackground(RunsInSteps, ImportOperator):
    """Mixin that shows a dialog first, and does the work in a second Blender if possible."""

    asks = True

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        collection = current_import(context.scene)
        if in_window and background_work.is_possible(*objects_of(collection, *SURFACES)):
            return (yield from background_work.in_background(lambda: self.begin(collection)))
        return self.at_once(collection)

    @abstractmethod
    def begin(self, collection: bpy.types.Collection) -> background_work.BackgroundWork:
        """Start the work. Raises UserError."""

    @abstractmethod
    def at_once(self, collection: bpy.types.Collection) -> str:
        """Do the work in this Blender and return a message. Raises UserError."""


class _Bakes(_InBackground):
    """Mixin of the operators that bake an image. what: as in `bake.Bake`."""

    doing = "Baking..."
    what = ""

    size: bpy.props.EnumProperty(
        name="Size",
        description="Width and height of the image in pixels",
        items=TEXTURE_SIZES,
        default="2048",
    )
    extrusion: bpy.props.FloatProperty(
        name="Extrusion",
        description="Cage extrusion. Auto: from the distance between the meshes",
        min=0.0,
        subtype="DISTANCE",
    )
    set_extrusion: auto_switch("extrusion", "Extrusion", lambda _: 0.01)

    def draw(self: Any, context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        self.layout.prop(self, "size")
        draw_number(self.layout, self.properties, "extrusion")

    def steps(self, context: bpy.types.Context, in_window: bool) -> Steps[str]:
        collection = current_import(context.scene)
        there = find_object(collection, FULL_MESH) is not None
        try:
            if self.what == bake.NORMAL:
                yield from mesh_object.full_mesh_in_steps(collection)
            return (yield from super().steps(context, in_window))
        except GeneratorExit:
            if not there:
                mesh_object.forget_full_mesh(collection)
            raise

    def begin(self, collection: bpy.types.Collection) -> background_work.BackgroundWork:
        return background_work.start_bake(collection, self.what, int(self.size), self.extrusion)

    def at_once(self, collection: bpy.types.Collection) -> str:
        call = bake.bake_normals if self.what == bake.NORMAL else bake.bake_texture
        return call(collection, int(self.size), self.extrusion)


class RECON3D_OT_decimate(_InBackground, bpy.types.Operator):
    bl_idname = "recon3d.decimate"
    bl_label = "Decimate Mesh"
    bl_description = "Create a copy of the mesh with fewer faces; the original is kept, hidden"
    doing = "Decimating..."

    faces: bpy.props.IntProperty(
        name="Faces", description="Target number of faces", default=20_000, min=4, soft_max=1_000_000
    )

    def begin(self, collection: bpy.types.Collection) -> background_work.BackgroundWork:
        return background_work.start_decimate(collection, self.faces, make_active)

    def at_once(self, collection: bpy.types.Collection) -> str:
        mesh = remesh.decimate(collection, self.faces)
        make_active(mesh)
        return remesh.faces_sentence(mesh)


class RECON3D_OT_make_lods(_InBackground, bpy.types.Operator):
    bl_idname = "recon3d.make_lods"
    bl_label = "Make LODs"
    bl_description = (
        "Create hidden copies of the mesh with fewer and fewer faces; the mesh itself is the first level"
    )
    doing = "Making levels of detail..."

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

    def begin(self, collection: bpy.types.Collection) -> background_work.BackgroundWork:
        return background_work.start_lods(collection, self.levels, self.ratio)

    def at_once(self, collection: bpy.types.Collection) -> str:
        return remesh.lods_sentence(remesh.make_lods(collection, self.levels, self.ratio))


class RECON3D_OT_make_quads(_InBackground, bpy.types.Operator):
    bl_idname = "recon3d.make_quads"
    bl_label = "Remesh to Quads"
    bl_description = "Create a quad mesh; the original is kept, hidden. Bake Texture transfers its texture"
    doing = "Remeshing to quads..."

    faces: bpy.props.IntProperty(
        name="Faces", description="Approximate number of faces", default=10_000, min=4, soft_max=200_000
    )

    def begin(self, collection: bpy.types.Collection) -> background_work.BackgroundWork:
        return background_work.start_quads(collection, self.faces, make_active)

    def at_once(self, collection: bpy.types.Collection) -> str:
        mesh, message = remesh.quads(collection, self.faces)
        make_active(mesh)
        return message


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


CLASSES = (
    RECON3D_OT_make_mesh,
    RECON3D_OT_import_mesh,
    RECON3D_OT_decimate,
    RECON3D_OT_make_quads,
    RECON3D_OT_make_lods,
    RECON3D_OT_bake_normals,
    RECON3D_OT_bake_texture,
)
