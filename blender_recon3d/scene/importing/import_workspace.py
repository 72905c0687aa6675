"""Import a workspace: one collection and one Empty, with a camera for each photo and the cloud as children.

Local coordinates are COLMAP's; up axis, scale and origin are only in the Empty. A workspace that is already in the
scene is updated in place: cameras and cloud are re-created, while the Empty, everything the user has parented to it or
put into the collection, a manually changed placement, and deletions from the same cloud are kept.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...pipeline.text import Said
from ..cameras import (
    KEY,
    create_camera,
    photo_key,
    show_photo_behind,
    typical_spacing,
)
from ..cleaning import clean_modifier, deleted_points
from ..cloud import cloud_in_steps
from ..cloud_cells import remove_cells
from ..find_imports import CLOUD, MESH, check_replaceable, find_imports, find_object, hide, is_hidden, kind_of
from ..meshes.mesh_object import NAME as MESH_NAME
from ..meshes.mesh_object import forget_full_mesh, mesh_in_steps, put_mesh
from ..points import Points, robust_box
from ..stepwise import Steps, run
from ..unfinished import unfinished
from .find_source import Source, find_source
from .moved_empty import carried_over, moved_by_user, pose
from .read_result import ReadResult, read_result

NAME = "Recon3D"
CAMERAS_A_STEP = 50


@dataclass(frozen=True)
class ImportResult:
    """What an import created. cameras: by the photos' names in the model. notes: messages for the user.

    updated: whether the workspace was already in the scene. mesh: None if the workspace has none.
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

    photos: show the undistorted photos as the cameras' backgrounds. Raises UserError before anything is changed.
    """
    return run(import_in_steps(folder, scene, photos))


def import_in_steps(
    folder: str | Path, scene: bpy.types.Scene | None = None, photos: bool = True
) -> Steps[ImportResult]:
    """`import_workspace`, in steps: everything is read and created first, then added to the scene in one step."""
    scene = scene or bpy.context.scene
    source = find_source(folder)
    read = yield partial(read_result, source)
    earlier = find_import(scene, source.root)
    if earlier is not None:
        check_replaceable(earlier)
    user_state, total = UserState.of(earlier), len(read.points)
    points, more = deleted_points.without_deleted(read.points, user_state.remaining)
    read = replace(read, points=points, notes=read.notes + more)
    with ExitStack() as stack:
        cloud = yield from cloud_in_steps(read.points, f"{NAME} Cloud")
        stack.enter_context(unfinished(cloud, cloud.data))
        cloud[KEY][deleted_points.POINTS] = total
        if read.shift.any():
            cloud.location = read.shift.tolist()
            cloud[KEY][deleted_points.SHIFT] = read.shift.tolist()
        yield from clean_modifier.restore_in_steps(cloud, user_state.cleaning)
        cameras = {}
        for number, image in enumerate(read.model.images):
            camera = create_camera(
                source.title(image.name), image, read.pinholes[image.camera_id], read.offset
            )
            stack.enter_context(unfinished(camera, camera.data))
            cameras[image.name] = camera
            if number % CAMERAS_A_STEP == 0:
                yield None
        mesh = None
        if read.surface is not None:
            mesh = yield from mesh_in_steps(read.surface, MESH_NAME)
            stack.enter_context(unfinished(mesh))
        return _put_into(scene, source, read, user_state, cloud, cameras, mesh, photos)


def _put_into(
    scene: bpy.types.Scene,
    source: Source,
    read: ReadResult,
    user_state: UserState,
    cloud: bpy.types.Object,
    cameras: dict[str, bpy.types.Object],
    mesh: bpy.types.Mesh | None,
    photos: bool,
) -> ImportResult:
    """Add the created data to the scene, replacing an earlier import."""
    earlier = find_import(scene, source.root)
    stands = None
    if earlier is not None and (by_user := moved_by_user(earlier)) is not None:
        poses = {photo_key(image.name): pose(image.qvec, image.tvec) for image in read.model.images}
        stands = carried_over(by_user, earlier, poses, read.offset)
    collection, camera_collection, empty = _containers(scene, source.root, read.placed, stands)
    collection[KEY]["offset"] = read.offset.tolist()
    collection[KEY]["map_offset"] = read.map_offset.tolist()
    collection.objects.link(cloud)
    cloud.parent = empty
    _rename(cloud, f"{NAME} Cloud")
    for name, camera in cameras.items():
        camera_collection.objects.link(camera)
        camera.parent = empty
        _rename(camera, source.title(name))
        photo = source.photo(name) if photos else None
        if photo is not None:
            show_photo_behind(camera.data, photo)
    _fit_to_scene(list(cameras.values()), read.points, empty)
    obj, notes = None, read.notes
    if mesh is not None:
        obj, extra_notes = put_mesh(collection, read.surface, mesh)
        notes += extra_notes
        forget_full_mesh(collection)
    user_state.hide(cloud, obj is not None and len(obj.data.polygons) > 0)
    updated = earlier is not None
    return ImportResult(collection, empty, cameras, cloud, len(read.points), notes, updated, obj)


def _rename(obj: bpy.types.Object, name: str) -> None:
    """Rename an object to the name of the earlier import's object."""
    if obj.name != name:
        obj.name = obj.data.name = name


@dataclass(frozen=True)
class UserState:
    """The user's settings on a cloud that is re-created. hidden: None if there was no mesh to hide it for.

    remaining: the positions of its points, if some were deleted.
    """

    cleaning: dict[str, Any] | None = None
    hidden: bool | None = None
    remaining: np.ndarray | None = None

    @classmethod
    def of(cls, collection: bpy.types.Collection | None) -> UserState:
        cloud = find_object(collection, CLOUD) if collection else None
        if cloud is None:
            return cls()
        with_mesh = find_object(collection, MESH) is not None
        hidden = is_hidden(cloud) if with_mesh else None
        return cls(clean_modifier.settings_of(cloud), hidden, deleted_points.remaining_points(cloud))

    def hide(self, cloud: bpy.types.Object, has_mesh: bool) -> None:
        """Hide the re-created cloud if the earlier one was hidden, or if there is a mesh now."""
        if has_mesh if self.hidden is None else self.hidden:
            hide(cloud)


# -- containers -------------------------------------------------------------------------------------


def _containers(
    scene: bpy.types.Scene, root: Path, world_from_model: np.ndarray, stands: np.ndarray | None
) -> tuple[bpy.types.Collection, bpy.types.Collection, bpy.types.Object]:
    """The workspace's collection, its cameras' collection and its Empty, emptied of an earlier import."""
    existing = find_import(scene, root)
    if existing is None:
        collection = bpy.data.collections.new(NAME)
        collection[KEY] = {"kind": "import", "workspace": str(root)}
        scene.collection.children.link(collection)
    else:
        collection = existing
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
    """Set the Empty's placement, unless it is unchanged: the user may have moved the Empty since.

    stands: the new model's transform after the user's move, which takes precedence over the placement.
    """
    flat = [float(value) for value in world_from_model.ravel()]
    stored = empty.get(KEY)
    if hasattr(stored, "get") and list(stored.get("world_from_model", ())) == flat:
        return
    empty[KEY] = {"kind": "empty", "world_from_model": flat}
    empty.rotation_mode = "QUATERNION"
    empty.matrix_basis = Matrix((world_from_model if stands is None else stands).tolist())


def _remove_made(collection: bpy.types.Collection) -> None:
    """Remove the cameras and clouds of an earlier import with their data, but nothing of the user's."""
    remove_cells(collection)
    objects = [o for o in collection.all_objects if kind_of(o) in ("camera", "cloud")]
    data = [o.data for o in objects]
    images = [
        b.image for d in data if isinstance(d, bpy.types.Camera) for b in d.background_images if b.image
    ]
    bpy.data.batch_remove(objects)
    bpy.data.batch_remove([d for d in data if d.users == 0])
    bpy.data.batch_remove([i for i in {i.name_full: i for i in images}.values() if i.users == 0])


# -- sizes ------------------------------------------------------------------------------------------


def _fit_to_scene(cameras: list[bpy.types.Object], points: Points, empty: bpy.types.Object) -> None:
    """Set the cameras' display size and clipping, which are in world units: Blender ignores a parent's scale."""
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
