"""The engine's further settings as Blender properties, made from the engine's own classes (pipeline/settings.py).

Their documentation, choices, limits and defaults are the engine's, so that there is one place for each.
"""

# No `from __future__ import annotations`: Blender reads properties from annotations, which must not be strings.

import dataclasses

import bpy

from .pipeline import settings as engine

# Heading, and the options below it: (name of the command line's option, stage, field).
GROUPS = (
    ("Photos", (
        ("masks", "photos", "masks"), ("grouping", "photos", "grouping"),
        ("camera_model", "photos", "camera_model"), ("camera_params", "photos", "camera_params"),
        ("frames", "photos", "frames"), ("keep_blurred", "photos", "keep_blurred"),
    )),
    ("Matching", (
        ("features", "features", "features"), ("precision", "features", "precision"),
        ("max_keypoints", "features", "max_keypoints"),
        ("feature_size", "features", "max_size"), ("pairs", "pairs", "pairs"),
        ("neighbours", "pairs", "neighbours"), ("match_threshold", "matches", "match_threshold"),
        ("min_inliers", "matches", "min_inliers"),
    )),
    ("Cameras", (("mapper", "sfm", "mapper"),)),
    ("Depth", (
        ("dense", "dense", "dense"), ("dense_size", "dense", "max_size"), ("min_views", "dense", "min_views"),
        ("memory", "dense", "memory"),
    )),
    ("Mesh", (
        ("faces", "mesh", "max_size"), ("region", "mesh", "region"), ("clean", "mesh", "clean"),
        ("closed", "mesh", "closed"), ("texture_size", "texture", "max_size"),
    )),
)  # fmt: skip
# What the engine chooses for itself unless told: 0 or "auto" here means that the option is not given.
_AUTOMATIC = {"feature_size": 0, "dense_size": 0, "faces": 0, "texture_size": 0}
_FLAGS = {"texture_size": "--texture"}
_CHOICES = {
    "features": ("auto", "learned", "sift"),
    "pairs": ("auto", "exhaustive", "sequential", "retrieval"),
}
_LABELS = {
    "masks": "Masks", "grouping": "Shared Camera", "camera_model": "Camera Model",
    "camera_params": "Known Intrinsics", "frames": "Frames of a Film", "keep_blurred": "Keep Blurred Photos",
    "features": "Features", "precision": "Precision", "max_keypoints": "Most Keypoints",
    "feature_size": "Size for Features",
    "pairs": "Pairs", "neighbours": "Neighbours", "match_threshold": "Least Score", "min_inliers": "Least Matches",
    "mapper": "Mapper", "dense": "Method", "dense_size": "Size for Depth", "min_views": "Least Views",
    "memory": "Memory (GB)", "faces": "Most Faces", "region": "Region", "clean": "Clean the Cloud",
    "closed": "Closed Surface", "texture_size": "Size of the Texture",
}  # fmt: skip


def _field(stage: str, name: str) -> dataclasses.Field:
    kind = getattr(engine, f"{stage.capitalize()}Settings")
    return next(item for item in dataclasses.fields(kind) if item.name == name)


def _property(option: str, item: dataclasses.Field) -> object:
    """The Blender property for a field of the engine's settings."""
    text = item.metadata["help"]
    common = {"name": _LABELS[option], "description": text[0].upper() + text[1:]}
    choices = _CHOICES.get(option) or item.metadata["choices"]
    if choices:
        default = choices[0] if option in _CHOICES else item.default
        items = [(choice, choice.replace("_", " ").title(), "") for choice in choices]
        return bpy.props.EnumProperty(items=items, default=default, **common)
    default = _AUTOMATIC.get(option, item.default)
    if option in _AUTOMATIC:
        common["description"] += "; 0: by the quality"
    if isinstance(item.default, bool):
        return bpy.props.BoolProperty(default=default, **common)
    if isinstance(item.default, int | float):
        least = 0 if option in _AUTOMATIC else item.metadata.get("least") or 0
        limits = {"min": least, "max": item.metadata.get("most") or 1_000_000}
        kind = bpy.props.FloatProperty if isinstance(item.default, float) else bpy.props.IntProperty
        return kind(default=default, **limits, **common)
    subtype = "DIR_PATH" if option == "masks" else "NONE"
    return bpy.props.StringProperty(default=default, subtype=subtype, **common)


class RECON3D_PG_advanced(bpy.types.PropertyGroup):
    __annotations__ = {
        option: _property(option, _field(stage, name))
        for _, options in GROUPS
        for option, stage, name in options
    }


def options(advanced: RECON3D_PG_advanced) -> list[str]:
    """The command line's words for everything that was set to something else than its default."""
    words: list[str] = []
    for _, group in GROUPS:
        for option, _, _ in group:
            if not advanced.is_property_set(option):
                continue
            value = getattr(advanced, option)
            if value == advanced.bl_rna.properties[option].default:
                continue
            flag = _FLAGS.get(option) or f"--{option.replace('_', '-')}"
            if option == "masks":
                value = bpy.path.abspath(value)
            # A float of Blender's has single precision: its shortest text is what was typed.
            text = f"{value:.6g}" if isinstance(value, float) else str(value)
            words += [flag] if value is True else [flag, text]
    return words
