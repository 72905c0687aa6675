"""All settings besides photos and quality, collapsed by default."""

from __future__ import annotations

import bpy

from .. import preferences
from ..engine_properties import GROUPS, draw_setting
from ..jobs import current_job
from .tab import Tab


class RECON3D_PT_advanced(Tab, bpy.types.Panel):
    bl_idname = "RECON3D_PT_advanced"
    bl_parent_id = "RECON3D_PT_main"
    bl_label = "Advanced"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not current_job.session.running
        settings = context.scene.recon3d
        for heading, options in GROUPS.items():
            header, body = layout.panel(f"recon3d_advanced_{heading}", default_closed=True)
            header.label(text=heading, text_ctxt=Tab.bl_translation_context)
            for option in options if body else ():
                if option == "masks":
                    row = body.row(align=True)
                    row.prop(settings.advanced, option)
                    row.operator("recon3d.choose_masks", text="", icon="FILE_FOLDER")
                else:
                    draw_setting(body, settings.advanced, option)
        header, body = layout.panel("recon3d_advanced_import", default_closed=True)
        header.label(text="Viewport & Import")
        if body:
            body.prop(settings, "show_live")
            body.prop(settings, "import_when_done")
            prefs = preferences.preferences()
            if prefs is not None:
                body.prop(prefs, "device")


CLASSES = (RECON3D_PT_advanced,)
