"""Base class of all panels in the tab."""

from __future__ import annotations

import bpy


class Tab:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Recon3D"
    # Blender's own German for "Mesh" or "Reconstruction" is for other things; ours wins only in this context.
    bl_translation_context = bpy.app.translations.contexts.operator_default
