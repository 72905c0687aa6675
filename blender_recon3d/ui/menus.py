"""Entries for Object > Recon3D, File > Import and Export, and menu search, for those who do not know the tab."""

from __future__ import annotations

import bpy

# None is a separator.
_OBJECT = (
    ("recon3d.reconstruct", "PLAY"),
    ("recon3d.import_result", "IMPORT"),
    None,
    ("recon3d.clean_cloud", "BRUSH_DATA"),
    ("recon3d.add_crop_box", "MESH_CUBE"),
    ("recon3d.delete_lasso", "SELECT_SET"),
    ("recon3d.restore_points", "LOOP_BACK"),
    ("recon3d.apply_cleaning", "CHECKMARK"),
    ("recon3d.remove_cleaning", "X"),
    ("recon3d.split_cloud", "MOD_EXPLODE"),
    None,
    ("recon3d.ground_from_plane", "AXIS_TOP"),
    ("recon3d.ground_from_points", "VERTEXSEL"),
    ("recon3d.scale_to", "DRIVER_DISTANCE"),
    ("recon3d.scale_from_photos", "WORLD"),
    None,
    ("recon3d.make_mesh", "PLAY"),
    ("recon3d.decimate", "MOD_DECIM"),
    ("recon3d.make_quads", "MOD_REMESH"),
    ("recon3d.make_lods", "MOD_MULTIRES"),
    ("recon3d.fill_hole", "SNAP_FACE"),
    ("recon3d.fill_holes", "FACESEL"),
    ("recon3d.bake_normals", "NODE_TEXTURE"),
    ("recon3d.bake_texture", "TEXTURE"),
    ("recon3d.reproject_photos", "BRUSH_DATA"),
    None,
    ("recon3d.frame_result", "ZOOM_SELECTED"),
    ("recon3d.step_photo", "TRIA_RIGHT"),
    ("recon3d.exit_photo_view", "LOOP_BACK"),
    None,
    ("recon3d.export_asset", "EXPORT"),
    ("recon3d.export_cameras", "CAMERA_DATA"),
    None,
    ("recon3d.free_disk_space", "TRASH"),
)


class RECON3D_MT_object(bpy.types.Menu):
    bl_idname = "RECON3D_MT_object"
    bl_label = "Recon3D"

    def draw(self, context: bpy.types.Context) -> None:
        for entry in _OBJECT:
            if entry is None:
                self.layout.separator()
            else:
                self.layout.operator(entry[0], icon=entry[1])


def _draw_object(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.separator()
    menu.layout.menu(RECON3D_MT_object.bl_idname)


def _draw_import(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator("recon3d.import_folder", text="Reconstruction (Recon3D, COLMAP)")


def _draw_export(menu: bpy.types.Menu, context: bpy.types.Context) -> None:
    menu.layout.operator("recon3d.export_asset", text="Reconstructed Mesh (Recon3D)")
    menu.layout.operator("recon3d.export_cameras", text="Reconstructed Cameras (COLMAP, FBX, USD ...)")


CLASSES = (RECON3D_MT_object,)
_ENTRIES = (
    ("VIEW3D_MT_object", _draw_object),
    ("TOPBAR_MT_file_import", _draw_import),
    ("TOPBAR_MT_file_export", _draw_export),
)


def register() -> None:
    for name, draw in _ENTRIES:
        getattr(bpy.types, name).append(draw)


def unregister() -> None:
    for name, draw in _ENTRIES:
        getattr(bpy.types, name).remove(draw)
