"""Base class of all panels in the tab."""

from __future__ import annotations


class Tab:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Recon3D"
