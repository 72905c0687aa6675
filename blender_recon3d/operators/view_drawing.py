"""Draw dots, lines and text over a 3D view, in pixels of its region, while a tool runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import blf
import bpy
import gpu
from gpu_extras.batch import batch_for_shader

Pixel = tuple[float, float]

COLOR = (1.0, 0.6, 0.1, 1.0)
SHADOW = (0.0, 0.0, 0.0, 0.7)
_ROUND = [(math.cos(n * math.pi / 12), math.sin(n * math.pi / 12)) for n in range(24)]


def draw_dots(points: Sequence[Pixel], radius: float = 5.0) -> None:
    """Filled circles with a dark outline."""
    size = radius * bpy.context.preferences.system.ui_scale
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    gpu.state.blend_set("ALPHA")
    for scale, color in ((1.35, SHADOW), (1.0, COLOR)):
        shader.uniform_float("color", color)
        for x, y in points:
            rim = [(x + scale * size * a, y + scale * size * b) for a, b in _ROUND]
            triangles = [corner for k in range(24) for corner in ((x, y), rim[k], rim[(k + 1) % 24])]
            batch_for_shader(shader, "TRIS", {"pos": triangles}).draw(shader)
    gpu.state.blend_set("NONE")


def draw_line(points: Sequence[Pixel], closed: bool = False, width: float = 2.0) -> None:
    """A bright line through the points with a dark outline."""
    if len(points) < 2:
        return
    line = [(x, y, 0.0) for x, y in (*points, *(points[:1] if closed else ()))]
    _, _, wide, high = gpu.state.viewport_get()
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    gpu.state.blend_set("ALPHA")
    scale = bpy.context.preferences.system.ui_scale
    for extra, color in ((2.0, SHADOW), (0.0, COLOR)):
        shader.uniform_float("viewportSize", (wide, high))
        shader.uniform_float("lineWidth", (width + extra) * scale)
        shader.uniform_float("color", color)
        batch_for_shader(shader, "LINE_STRIP", {"pos": line}).draw(shader)
    gpu.state.blend_set("NONE")


def draw_text(point: Pixel, text: str) -> None:
    """A short text to the right of a point."""
    scale = bpy.context.preferences.system.ui_scale
    blf.size(0, 13 * scale)
    blf.enable(0, blf.SHADOW)
    blf.shadow(0, 5, 0.0, 0.0, 0.0, 0.9)
    blf.color(0, 1.0, 1.0, 1.0, 1.0)
    blf.position(0, point[0] + 12 * scale, point[1] + 8 * scale, 0)
    blf.draw(0, text)
    blf.disable(0, blf.SHADOW)
