"""Draw the review's cameras in the color of their state over the 3D view, without changing the scene."""

from __future__ import annotations

from typing import Any

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from ..scene.reviewing.camera_states import CHOSEN, EDGES, GOOD, GROUP, LOOSE, SIDES, Pyramids, pyramids

COLORS = {
    GOOD: (0.25, 0.75, 0.35),
    LOOSE: (0.95, 0.8, 0.15),
    GROUP: (0.95, 0.45, 0.1),
    CHOSEN: (1.0, 1.0, 1.0),
}
FILLED = 0.18  # opacity of a picture
WIDTH = 1.5  # of the lines, unscaled pixels


class _Drawn:
    """What was drawn last, and for which state of the scene: orbiting the view does not redo it."""

    handle: Any = None
    changes = 0
    key: tuple[Any, ...] = ()
    batches: tuple[Any, Any] | None = None


@bpy.app.handlers.persistent
def _changed(*_: object) -> None:
    _Drawn.changes += 1


def _draw() -> None:
    context = bpy.context
    scene, space = context.scene, context.space_data
    if scene is None or space is None or not space.overlay.show_overlays or not space.overlay.show_extras:
        return
    settings = scene.recon3d
    if not settings.color_cameras or not len(settings.review):
        return
    if space.region_3d is None or space.region_3d.view_perspective == "CAMERA":  # looking through a photo
        return
    batches = _batches(scene)
    if batches is None:
        return
    lines, fills = batches
    gpu.state.blend_set("ALPHA")
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.depth_mask_set(False)
    shader = gpu.shader.from_builtin("POLYLINE_FLAT_COLOR")
    shader.uniform_float("viewportSize", gpu.state.viewport_get()[2:])
    shader.uniform_float("lineWidth", WIDTH * context.preferences.system.ui_scale)
    lines.draw(shader)
    fills.draw(gpu.shader.from_builtin("FLAT_COLOR"))
    gpu.state.depth_mask_set(True)
    gpu.state.depth_test_set("NONE")
    gpu.state.blend_set("NONE")


def _batches(scene: bpy.types.Scene) -> tuple[Any, Any] | None:
    render = scene.render
    key = (scene.session_uid, _Drawn.changes, scene.recon3d.review_index, len(scene.recon3d.review),
           render.resolution_x, render.resolution_y)  # fmt: skip
    if key != _Drawn.key:
        cameras = pyramids(scene)
        _Drawn.key, _Drawn.batches = key, _create_batches(cameras) if cameras.states else None
    return _Drawn.batches


def _create_batches(cameras: Pyramids) -> tuple[Any, Any]:
    rgb = np.array([COLORS[state] for state in cameras.states], np.float32)
    return (
        _batch("POLYLINE_FLAT_COLOR", "LINES", cameras.corners[:, EDGES], rgb, 1.0),
        _batch("FLAT_COLOR", "TRIS", cameras.corners[:, SIDES], rgb, FILLED),
    )


def _batch(shader: str, kind: str, corners: np.ndarray, rgb: np.ndarray, opacity: float) -> Any:
    """corners: float32 [n, m, k, 3], m lines or triangles of each of n cameras; rgb [n, 3]."""
    each = corners.shape[1] * corners.shape[2]
    colors = np.repeat(np.column_stack([rgb, np.full(len(rgb), opacity, np.float32)]), each, axis=0)
    content = {"pos": np.ascontiguousarray(corners.reshape(-1, 3)), "color": colors}
    return batch_for_shader(gpu.shader.from_builtin(shader), kind, content)


def register() -> None:
    if bpy.app.background:
        return
    _Drawn.handle = bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW")
    bpy.app.handlers.depsgraph_update_post.append(_changed)
    bpy.app.handlers.load_post.append(_changed)


def unregister() -> None:
    if _Drawn.handle is None:
        return
    bpy.types.SpaceView3D.draw_handler_remove(_Drawn.handle, "WINDOW")
    bpy.app.handlers.depsgraph_update_post.remove(_changed)
    bpy.app.handlers.load_post.remove(_changed)
    _Drawn.handle, _Drawn.key, _Drawn.batches = None, (), None
