"""Cameras and sparse points while structure from motion runs: two meshes, replaced by the result at the end.

All cameras are one mesh of pyramids, since creating a thousand camera objects takes longer than a frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from ..pipeline.documents.codec import decode
from ..pipeline.documents.live_json import LiveCamera, LiveDocument
from ..pipeline.errors import FileFormatError
from ..pipeline.files import json_values
from ..pipeline.files.regular import read_regular
from ..pipeline.workspace import Workspace
from .cameras import KEY
from .cloud import fill_mesh
from .default_objects import hide_default_cube, is_untouched
from .find_imports import kind_of
from .importing import ply_points
from .point_display import show_as_points
from .points import Points, robust_box
from .rotations import rotation_of
from .viewports import box_in_world, frame_view, same_view

NAME = "Recon3D Live"
MAX_CAMERAS = 20_000
MAX_BYTES = 64 << 20
SUBJECT = 0.7  # share of the points to keep in view
LARGEST = 1e12  # largest accepted coordinate
COLOR = (1.0, 0.35, 0.05, 1.0)  # of the cameras, linear
_SIDES = np.array([(0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 1)], np.int32)


@dataclass(frozen=True)
class LiveState:
    """world_from_model: 4x4. corners: float64 [n, 5, 3], each camera's center and image corners at depth 1, in the
    model's frame."""

    world_from_model: np.ndarray
    corners: np.ndarray
    points: Points


def live_stamp(workspace: Workspace) -> int:
    """Changes when there is something new to show; 0 if there is nothing."""
    try:
        return (workspace.live / "cameras.json").stat().st_mtime_ns
    except OSError:
        return 0


def read_live(workspace: Workspace) -> LiveState | None:
    """The current state; None if there is none, or while it is being replaced. Thread-safe."""
    path = workspace.live / "cameras.json"
    try:
        document = decode(LiveDocument, json_values.parse(read_regular(path, MAX_BYTES)))
        matrix = json_values.numbers(document.world_from_model, 4, 4)
        corners = np.array([_corners(camera) for camera in document.cameras[:MAX_CAMERAS]]).reshape(-1, 5, 3)
        points = ply_points.read_points(workspace.live / "points.ply")
    except (OSError, ValueError, ArithmeticError, FileFormatError):
        return None
    if len(corners) == 0:
        return None
    sane = np.abs(matrix).max() < LARGEST and np.abs(corners).max() < LARGEST  # False with NaN
    return LiveState(matrix, corners, points) if sane else None


def _corners(camera: LiveCamera) -> np.ndarray:
    right, down = camera.width / 2 / camera.focal, camera.height / 2 / camera.focal
    seen = np.array([(0, 0, 0), (-right, -down, 1), (right, -down, 1), (right, down, 1), (-right, down, 1)])
    return (seen - np.array(camera.tvec)) @ rotation_of(camera.qvec)


def show_live(scene: bpy.types.Scene, workspace: Workspace, state: LiveState) -> bpy.types.Collection:
    """Show the state in the scene, replacing the previous one."""
    collection = _find(scene, workspace.root) or _begin(scene, workspace.root)
    empty = next((o for o in collection.objects if o.type == "EMPTY"), None)
    if empty is None:
        empty = bpy.data.objects.new(NAME, None)
        collection.objects.link(empty)
    empty.rotation_mode = "QUATERNION"
    empty.matrix_basis = Matrix(state.world_from_model.tolist())
    _remove_objects([o for o in collection.objects if o != empty])
    size = _size(state)
    empty.empty_display_size = size / 20
    for obj in (_points(state.points, size), _cameras(state.corners, size)):
        collection.objects.link(obj)
        obj.parent = empty
        obj.hide_select = True
    _frame(scene, collection, state)
    return collection


def has_hidden_cube(scene: bpy.types.Scene) -> bool:
    """Whether the default cube was hidden when the live view started."""
    collection = live_collection(scene)
    return collection is not None and bool(collection[KEY].get("cube", False))


def remove_live(scene: bpy.types.Scene) -> None:
    """Remove the scene's live view, if any, with its data."""
    for collection in [
        c for c in scene.collection.children_recursive if c.get(KEY, {}).get("kind") == "live"
    ]:
        _remove_objects(list(collection.objects))
        bpy.data.collections.remove(collection)
    material = bpy.data.materials.get(NAME)
    if material is not None and material.users == 0:
        bpy.data.materials.remove(material)


def live_collection(scene: bpy.types.Scene) -> bpy.types.Collection | None:
    """The live view of a running job; None if there is none."""
    return next((c for c in scene.collection.children if kind_of(c) == "live"), None)


def _find(scene: bpy.types.Scene, root: Path) -> bpy.types.Collection | None:
    for collection in scene.collection.children_recursive:
        stored = collection.get(KEY, {})
        if stored.get("kind") == "live" and stored.get("workspace") == str(root):
            return collection
    return None


def _begin(scene: bpy.types.Scene, root: Path) -> bpy.types.Collection:
    remove_live(scene)
    alone = is_untouched(scene)
    hidden = alone and hide_default_cube(scene)
    collection = bpy.data.collections.new(NAME)
    collection[KEY] = {"kind": "live", "workspace": str(root), "alone": alone, "cube": hidden}
    scene.collection.children.link(collection)
    return collection


def _remove_objects(objects: list[bpy.types.Object]) -> None:
    data = [o.data for o in objects if o.data is not None]
    bpy.data.batch_remove(objects)
    bpy.data.batch_remove([d for d in data if d.users == 0])


def _size(state: LiveState) -> float:
    """Size of cameras and points together, in the model's units."""
    box = [np.array(robust_box(state.points.xyz, SUBJECT))] if len(state.points) else []
    corners = [state.corners[:, 0], *box]
    both = np.concatenate(corners)
    return float(np.linalg.norm(both.max(axis=0) - both.min(axis=0))) or 1.0


def _points(points: Points, size: float) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(f"{NAME} Points")
    if len(points):
        fill_mesh(mesh, points)
    obj = bpy.data.objects.new(mesh.name, mesh)
    if len(points):
        show_as_points(obj, radius=size / 450)
    return obj


def _cameras(corners: np.ndarray, size: float) -> bpy.types.Object:
    depth = size / 25 / max(1e-9, float(np.median(np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1))))
    vertices = corners[:, :1] + depth * (corners - corners[:, :1])
    sides = _SIDES[None] + 5 * np.arange(len(corners), dtype=np.int32)[:, None, None]
    mesh = bpy.data.meshes.new(f"{NAME} Cameras")
    mesh.vertices.add(vertices.shape[0] * 5)
    mesh.attributes["position"].data.foreach_set("vector", vertices.astype(np.float32).ravel())
    mesh.loops.add(sides.size)
    mesh.loops.foreach_set("vertex_index", sides.astype(np.int32).ravel())
    mesh.polygons.add(sides.size // 3)
    mesh.polygons.foreach_set("loop_start", np.arange(0, sides.size, 3, dtype=np.int32))
    mesh.update(calc_edges=True)
    mesh.materials.append(_material())
    return bpy.data.objects.new(mesh.name, mesh)


def _material() -> bpy.types.Material:
    """An emissive material, as for the points."""
    material = bpy.data.materials.get(NAME) or bpy.data.materials.new(NAME)
    if material.node_tree is None:  # before 5.0
        material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    emission = tree.nodes.new("ShaderNodeEmission")
    emission.inputs["Color"].default_value = COLOR
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(emission.outputs[0], output.inputs["Surface"])
    material.diffuse_color = COLOR
    return material


def _frame(scene: bpy.types.Scene, collection: bpy.types.Collection, state: LiveState) -> None:
    """Keep everything in view if the scene contains nothing else, unless the user has moved the view."""
    last = collection[KEY].get("framed")
    follow = collection[KEY].get("alone") if last is None else same_view(tuple(last))
    if not follow:
        return
    framed = frame_live(state)
    if framed is not None:
        collection[KEY]["framed"] = framed


def frame_live(state: LiveState) -> tuple[float, ...] | None:
    """Frame what has been found so far in the active view; returns the argument for `same_view`."""
    corners = [state.corners[:, 0]]
    corners += [np.array(robust_box(state.points.xyz, SUBJECT))] if len(state.points) else []
    return frame_view(*box_in_world(np.concatenate(corners), state.world_from_model))
