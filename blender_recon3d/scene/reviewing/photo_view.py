"""Look through a photo's camera: changes the scene's camera, resolution and the active view, and restores them.

In Blender the resolution belongs to the scene, so a photo lines up exactly only if the scene has its resolution. The
previous state is stored in the scene (`recon3d.before_photo`), so that it can be restored even in a reopened file.
"""

from __future__ import annotations

import bpy

from ...pipeline.errors import UserError
from ...pipeline.text import Said
from ..cameras import KEY, look_through
from ..find_imports import find_imports, kind_of
from ..viewports import view_in_use

_RENDER = ("resolution_x", "resolution_y", "resolution_percentage", "pixel_aspect_x", "pixel_aspect_y")
_VIEW = ("view_location", "view_rotation", "view_distance", "view_perspective")


def look_through_chosen(scene: bpy.types.Scene) -> None:
    """Look through the photo selected in the list, if it has a camera."""
    settings = scene.recon3d
    if not 0 <= settings.review_index < len(settings.review):
        return
    camera = camera_of(scene, settings.review[settings.review_index].photo)
    if camera is None:
        return
    if not settings.before_photo.kept:
        _store(scene)
    _show_alike(camera, scene.camera)
    look_through(scene, camera)
    space = view_in_use()
    if space is not None and space.region_3d is not None:
        space.use_local_camera = False
        space.region_3d.view_perspective = "CAMERA"


def look_through_photo(scene: bpy.types.Scene, photo: str) -> str:
    """Look through a photo, given by its title or its name in the model. UserError if it has no camera."""
    settings = scene.recon3d
    for number, item in enumerate(settings.review):
        if photo in (item.name, item.photo):
            settings.review_index = number  # looks through it
            camera = camera_of(scene, item.photo)
            if camera is None:
                raise UserError(f"{photo} has no camera: {item.reason or item.state}.", 2)
            return Said("Looking through {photo}.", photo=item.name)
    raise UserError(f"There is no photo {photo} in this scene: import the result that contains it.", 2)


def step(scene: bpy.types.Scene, by: int) -> str:
    """Look through the next photo in the list that has a camera, or with -1 the previous one; wraps around."""
    settings = scene.recon3d
    count = len(settings.review)
    current = settings.review_index if 0 <= settings.review_index < count else -1 if by > 0 else 0
    for index in (((current + by * distance) % count) for distance in range(1, count + 1)):
        if camera_of(scene, settings.review[index].photo) is not None:
            settings.review_index = index
            return Said("Looking through {photo}.", photo=settings.review[index].name)
    raise UserError(
        "No photo in the review has a camera in this scene: import the result that contains it.", 2
    )


def leave(scene: bpy.types.Scene) -> None:
    """Restore the scene's camera and resolution, and the view, from before the first photo."""
    before = scene.recon3d.before_photo
    if not before.kept:
        return
    camera = before.camera
    scene.camera = camera if camera is not None and scene.objects.get(camera.name) == camera else None
    for name in _RENDER:
        setattr(scene.render, name, getattr(before, name))
    space = view_in_use()
    if space is not None and space.region_3d is not None and before.view_kept:
        for name in _VIEW:
            setattr(space.region_3d, name, getattr(before, name))
        space.use_local_camera = before.use_local_camera
    before.kept, before.camera = False, None
    scene.recon3d["review_index"] = -1  # not through the property, which would look through a photo


def look_again(scene: bpy.types.Scene, camera: bpy.types.Object | None) -> None:
    """Keep looking through a photo whose camera was re-created; without one, leave."""
    if camera is None:
        leave(scene)
    else:
        look_through(scene, camera)


def seen_photo(scene: bpy.types.Scene) -> str:
    """The photo that the scene looks through, by its name in the model; empty if none."""
    camera = scene.camera
    return str(camera[KEY]["photo"]) if camera is not None and kind_of(camera) == "camera" else ""


def camera_of(scene: bpy.types.Scene, photo: str) -> bpy.types.Object | None:
    """The camera of a photo, by the photo's name in the model; the newest import's if there are several."""
    if not photo:
        return None
    for collection in reversed(find_imports(scene)):
        for obj in collection.all_objects:
            stored = obj.get(KEY, {})
            if stored.get("kind") == "camera" and stored.get("photo") == photo:
                return obj
    return None


def background_of(camera: bpy.types.Object | None) -> bpy.types.CameraBackgroundImage | None:
    """A camera's background photo; None if it has none, or is not an import's."""
    if camera is None or kind_of(camera) != "camera" or not camera.data.background_images:
        return None
    return camera.data.background_images[0]


def _show_alike(camera: bpy.types.Object, before: bpy.types.Object | None) -> None:
    """Copy opacity and depth of the previous camera's photo to a camera's photo."""
    shown, photo = background_of(before), background_of(camera)
    if shown is not None and photo is not None:
        photo.alpha, photo.display_depth = shown.alpha, shown.display_depth


def _store(scene: bpy.types.Scene) -> None:
    before = scene.recon3d.before_photo
    before.kept, before.camera = True, scene.camera
    for name in _RENDER:
        setattr(before, name, getattr(scene.render, name))
    space = view_in_use()
    before.view_kept = space is not None and space.region_3d is not None
    if before.view_kept:
        for name in _VIEW:
            setattr(before, name, getattr(space.region_3d, name))
        before.use_local_camera = space.use_local_camera
