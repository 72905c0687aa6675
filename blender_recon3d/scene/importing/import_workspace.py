"""Imports a workspace: one collection and one Empty, below it a camera for each photo, and the cloud.

Local coordinates are COLMAP's, untouched; up axis, scale and origin live in the Empty alone. A workspace that
is in the scene already is updated in place: cameras and cloud are made anew, while the Empty, everything the
user has parented to it or put into the collection, and a placement changed by hand stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...pipeline.errors import UserError
from ...pipeline.files.far_origin import moved, note, offset_of
from ...pipeline.files.ply import columns, read_vertices
from ...pipeline.text import Said
from ..cameras import (
    KEY,
    create_camera,
    photo_key,
    pinhole_of,
    pose_of,
    show_photo_behind,
    typical_spacing,
)
from ..cleaning import clean_modifier
from ..cloud import create_cloud
from ..find_imports import CLOUD, MESH, check_replaceable, find_imports, find_object, hide, is_hidden, kind_of
from ..meshes.mesh_object import forget_full_mesh, import_mesh
from ..points import Points, robust_box
from . import colmap_files, ply_points
from .find_source import NOT_PLACED, Source, find_source
from .mesh_files import has_mesh
from .moved_empty import carried_over, moved_by_user, pose

NAME = "Recon3D"
SAMPLE = 100_000  # points of a cloud that tell where it lies
CLOUD_ELSEWHERE = Said(
    "The cloud lies far from the cameras, as if one of them were in map coordinates: it is shown where its file says, "
    "and its points are kept near its object's origin, so that nothing is lost to single precision."
)


@dataclass(frozen=True)
class ImportResult:
    """What an import made. cameras: by the photos' names in the model. notes: sentences for the user.

    updated: whether the workspace was in the scene already. mesh: None where the workspace holds none.
    """

    collection: bpy.types.Collection
    empty: bpy.types.Object
    cameras: dict[str, bpy.types.Object]
    cloud: bpy.types.Object
    points: int
    notes: tuple[str, ...]
    updated: bool
    mesh: bpy.types.Object | None = None

    def summary(self) -> str:
        count, points = len(self.cameras), f"{self.points:,}"
        if self.mesh is None and self.updated:
            return Said("Updated {cameras} cameras and {points} points.", cameras=count, points=points)
        if self.mesh is None:
            return Said("Imported {cameras} cameras and {points} points.", cameras=count, points=points)
        values = {"cameras": count, "points": points, "faces": f"{len(self.mesh.data.polygons):,}"}
        if self.updated:
            return Said("Updated {cameras} cameras, {points} points and a mesh of {faces} faces.", **values)
        return Said("Imported {cameras} cameras, {points} points and a mesh of {faces} faces.", **values)


def import_workspace(
    folder: str | Path, scene: bpy.types.Scene | None = None, photos: bool = True
) -> ImportResult:
    """Import the best result of a workspace into a scene (the active one).

    photos: show the undistorted photos behind their cameras' views. Raises UserError before anything is
    changed, with one sentence that says what to do.
    """
    scene = scene or bpy.context.scene
    source = find_source(folder)
    model = colmap_files.read_model(source.model)
    pinholes = {camera_id: pinhole_of(camera, source.model) for camera_id, camera in model.cameras.items()}
    offset = offset_of(_centers(model))
    points, shift = _read_points(source, offset)
    notes = source.notes
    placed = source.world_from_model
    if offset.any():
        placed, notes = _near(source, offset)

    earlier = find_import(scene, source.root)
    if earlier is not None:
        check_replaceable(earlier)
    updated, kept = earlier is not None, UserState.of(earlier)
    stands = None
    if earlier is not None and (by_user := moved_by_user(earlier)) is not None:
        poses = {photo_key(image.name): pose(image.qvec, image.tvec) for image in model.images}
        stands = carried_over(by_user, earlier, poses, offset)
    collection, camera_collection, empty = _containers(scene, source.root, placed, stands)
    collection[KEY]["offset"] = offset.tolist()
    cloud = create_cloud(points, f"{NAME} Cloud")
    if shift.any():
        cloud.location = shift.tolist()
        notes += (CLOUD_ELSEWHERE,)
    collection.objects.link(cloud)
    cloud.parent = empty
    cameras = {}
    for image in model.images:
        camera = create_camera(source.title(image.name), image, pinholes[image.camera_id], offset)
        camera_collection.objects.link(camera)
        camera.parent = empty
        photo = source.photo(image.name) if photos else None
        if photo is not None:
            show_photo_behind(camera.data, photo)
        cameras[image.name] = camera
    _fit_to_scene(list(cameras.values()), points, empty)
    if not all(camera.is_pinhole for camera in model.cameras.values()):
        notes += (Said("The photos are not undistorted yet, so they match the cloud only roughly."),)
    mesh = None
    mesh, more = _bring_mesh(collection, source.root)
    notes += more
    kept.give_to(cloud, hidden=mesh is not None and len(mesh.data.polygons) > 0)
    return ImportResult(collection, empty, cameras, cloud, len(points), notes, updated, mesh)


@dataclass(frozen=True)
class UserState:
    """What the user has set on a cloud that is made anew. hidden: None where there was no mesh to hide it for."""

    cleaning: dict[str, Any] | None = None
    hidden: bool | None = None

    @classmethod
    def of(cls, collection: bpy.types.Collection | None) -> UserState:
        cloud = find_object(collection, CLOUD) if collection else None
        if cloud is None:
            return cls()
        with_mesh = find_object(collection, MESH) is not None
        return cls(clean_modifier.settings_of(cloud), is_hidden(cloud) if with_mesh else None)

    def give_to(self, cloud: bpy.types.Object, hidden: bool) -> None:
        clean_modifier.restore(cloud, self.cleaning)
        if hidden if self.hidden is None else self.hidden:
            hide(cloud)


def _bring_mesh(
    collection: bpy.types.Collection, root: Path
) -> tuple[bpy.types.Object | None, tuple[str, ...]]:
    """The workspace's mesh, if it has one; one that cannot be read is a note: cameras and cloud are there."""
    try:
        if not has_mesh(root):
            return None, ()
        found = import_mesh(collection)
    except UserError as error:
        return None, (str(error),)
    forget_full_mesh(collection)
    return found


def _near(source: Source, offset: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """How a model that has lost an offset stands, and the notes. Map coordinates have z up."""
    if NOT_PLACED not in source.notes:
        return moved(source.world_from_model, offset), (*source.notes, note(offset))
    others = tuple(text for text in source.notes if text != NOT_PLACED)
    return np.eye(4), (*others, note(offset, z_up=True))


def _centers(model: colmap_files.Model) -> np.ndarray:
    return np.array([pose_of(image.qvec, image.tvec)[1] for image in model.images], float).reshape(-1, 3)


def _read_points(source: Source, offset: np.ndarray) -> tuple[Points, np.ndarray]:
    """The points, less the offset and less what they lie apart from the cameras still, which comes second [3]."""
    if source.cloud is not None:
        vertices = read_vertices(source.cloud)
        positions = columns(vertices[:: max(1, len(vertices) // SAMPLE)], "x", "y", "z")
        shift = np.zeros(3) if positions is None else offset_of(positions - offset)
        return ply_points.to_points(source.cloud, vertices, offset + shift).finite(), shift
    sparse = colmap_files.read_points(source.model)
    with np.errstate(over="ignore"):
        xyz = (sparse.xyz - offset).astype(np.float32)
    return Points(xyz, rgb=sparse.rgb, views=sparse.views).finite(), np.zeros(3)


# -- containers -------------------------------------------------------------------------------------


def _containers(
    scene: bpy.types.Scene, root: Path, world_from_model: np.ndarray, stands: np.ndarray | None
) -> tuple[bpy.types.Collection, bpy.types.Collection, bpy.types.Object]:
    """The workspace's collection, its cameras' collection and its Empty, emptied of an earlier import."""
    found = find_import(scene, root)
    if found is None:
        collection = bpy.data.collections.new(NAME)
        collection[KEY] = {"kind": "import", "workspace": str(root)}
        scene.collection.children.link(collection)
    else:
        collection = found
        _remove_made(collection)
    empty = next((o for o in collection.objects if kind_of(o) == "empty"), None)
    if empty is None:
        empty = bpy.data.objects.new(NAME, None)
        empty.empty_display_type = "PLAIN_AXES"
        collection.objects.link(empty)
    camera_collection = next((c for c in collection.children if kind_of(c) == "cameras"), None)
    if camera_collection is None:
        camera_collection = bpy.data.collections.new(f"{NAME} Cameras")
        camera_collection[KEY] = {"kind": "cameras"}
        collection.children.link(camera_collection)
    _place(empty, world_from_model, stands)
    return collection, camera_collection, empty


def find_import(scene: bpy.types.Scene, root: Path) -> bpy.types.Collection | None:
    """The scene's collection with an earlier import of the workspace."""
    return next((c for c in find_imports(scene) if c[KEY].get("workspace") == str(root)), None)


def _place(empty: bpy.types.Object, world_from_model: np.ndarray, stands: np.ndarray | None) -> None:
    """Give the Empty the placement, unless it is the one it had been given: the user may have moved it since.

    stands: where the user's move puts the new model; it goes before the placement.
    """
    flat = [float(value) for value in world_from_model.ravel()]
    kept = empty.get(KEY)
    if hasattr(kept, "get") and list(kept.get("world_from_model", ())) == flat:
        return
    empty[KEY] = {"kind": "empty", "world_from_model": flat}
    empty.rotation_mode = "QUATERNION"
    empty.matrix_basis = Matrix((world_from_model if stands is None else stands).tolist())


def _remove_made(collection: bpy.types.Collection) -> None:
    """Remove the cameras and clouds of an earlier import with their data; nothing of the user's."""
    made = [o for o in collection.all_objects if kind_of(o) in ("camera", "cloud")]
    data = [o.data for o in made]
    images = [
        b.image for d in data if isinstance(d, bpy.types.Camera) for b in d.background_images if b.image
    ]
    bpy.data.batch_remove(made)
    bpy.data.batch_remove([d for d in data if d.users == 0])
    bpy.data.batch_remove([i for i in {i.name_full: i for i in images}.values() if i.users == 0])


# -- sizes ------------------------------------------------------------------------------------------


def _fit_to_scene(cameras: list[bpy.types.Object], points: Points, empty: bpy.types.Object) -> None:
    """Set how large cameras are drawn and how far they see. Both are world sizes: Blender ignores a parent's scale."""
    scale = float(empty.matrix_basis.median_scale)
    centers = [tuple(camera.location) for camera in cameras]
    cloud = np.empty((0, 3)) if len(points) == 0 else np.array(robust_box(points.xyz))
    corners = np.concatenate([np.array(centers, float).reshape(-1, 3), cloud])
    if len(corners) == 0:
        return
    size = float(np.linalg.norm(corners.max(axis=0) - corners.min(axis=0))) * scale or 1.0
    spacing = typical_spacing(centers) * scale
    empty.empty_display_size = size / 20 / scale
    for camera in cameras:
        camera.data.clip_start = size / 10_000
        camera.data.clip_end = size * 100
        camera.data.display_size = min(spacing * 0.35, size / 15) or size / 30
