"""F1 on one of our buttons or properties opens its page of the manual bundled with the add-on.

In a checkout, it opens the Markdown documents.
"""

from __future__ import annotations

import bpy

from ..pipeline.paths import CHECKOUT, PACKAGE

_CLEAN = "clean-and-export"
# Patterns of Blender's names of operators and properties; the first match is used.
_PAGES = (
    ("bpy.ops.recon3d.set_up_engine*", "engine"),
    ("bpy.ops.recon3d.*engine*", "engine"),
    ("bpy.ops.recon3d.*set_up*", "engine"),
    ("bpy.ops.recon3d.allow_online_access*", "engine"),
    ("bpy.ops.recon3d.remedy*", "troubleshooting"),
    ("bpy.ops.recon3d.open_log*", "troubleshooting"),
    ("bpy.ops.recon3d.*clean*", _CLEAN),
    ("bpy.ops.recon3d.*crop*", _CLEAN),
    ("bpy.ops.recon3d.compute_density*", _CLEAN),
    ("bpy.ops.recon3d.delete_lasso*", _CLEAN),
    ("bpy.ops.recon3d.restore_points*", _CLEAN),
    ("bpy.ops.recon3d.ground_*", _CLEAN),
    ("bpy.ops.recon3d.scale_*", _CLEAN),
    ("bpy.ops.recon3d.up_axis*", _CLEAN),
    ("bpy.ops.recon3d.origin_under*", _CLEAN),
    ("bpy.ops.recon3d.*mesh*", _CLEAN),
    ("bpy.ops.recon3d.make_quads*", _CLEAN),
    ("bpy.ops.recon3d.fill_hole*", _CLEAN),
    ("bpy.ops.recon3d.make_lods*", _CLEAN),
    ("bpy.ops.recon3d.decimate*", _CLEAN),
    ("bpy.ops.recon3d.bake_*", _CLEAN),
    ("bpy.ops.recon3d.*reproject*", _CLEAN),
    ("bpy.ops.recon3d.export_*", _CLEAN),
    ("bpy.ops.recon3d.*", "get-started"),
    ("bpy.types.recon3d_*", "get-started"),
)


def manual_map() -> tuple[str, tuple[tuple[str, str], ...]]:
    """Where the manual is, and the page of each pattern."""
    built = PACKAGE / "manual"
    folder, ending = (built, ".html") if built.is_dir() else (CHECKOUT / "docs" / "user", ".md")
    return f"{folder.as_uri()}/", tuple((pattern, page + ending) for pattern, page in _PAGES)


def register() -> None:
    bpy.utils.register_manual_map(manual_map)


def unregister() -> None:
    bpy.utils.unregister_manual_map(manual_map)
