"""Looking through a photo: the scene's camera and resolution and the view in use are lent, and given back.

Only the scene holds a resolution, so a photo is seen to the pixel only where the scene has the photo's. What there was
before is kept in the scene (`recon3d.before_photo`), so that it can be given back after the file was saved and opened.
"""

from __future__ import annotations

import bpy

from ...pipeline.errors import UserError
from ..cameras import KEY, look_through
from ..find_imports import find_imports, kind_of
from ..viewports import view_in_use

_RENDER = ("resolution_x", "resolution_y", "resolution_percentage", "pixel_aspect_x", "pixel_aspect_y")
_VIEW = ("view_location", "view_rotation", "view_distance", "view_perspective")


def look_through_chosen(scene: bpy.types.Scene) -> None:
    """Look through the photo that is chosen in the list, where it has a camera."""
    settings = scene.recon3d
    if not 0 <= settings.review_index < len(settings.review):
        return
    camera = camera_of(scene, settings.review[settings.review_index].photo)
    if camera is None:
        return
    if not settings.before_photo.kept:
        _keep(scene)
    _show_alike(camera, scene.camera)
    look_through(scene, camera)
    space = view_in_use()
    if space is not None and space.region_3d is not None:
        space.use_local_camera = False
        space.region_3d.view_perspective = "CAMERA"


def look_through_photo(scene: bpy.types.Scene, photo: str) -> str:
    """Look through a photo, given by its title or its name in the model. UserError where it has no camera."""
    settings = scene.recon3d
    for number, item in enumerate(settings.review):
        if photo in (item.name, item.photo):
            settings.review_index = number  # looks through it
            camera = camera_of(scene, item.photo)
            if camera is None:
                raise UserError(f"{photo} has no camera: {item.reason or item.state}.", 2)
            return f"Looking through {item.name}."
    raise UserError(f"There is no photo {photo} in this scene: import the result that contains it.", 2)


def step(scene: bpy.types.Scene, by: int) -> str:
    """Look through the next photo of the list that has a camera, or with -1 the one before; round at the ends."""
    settings = scene.recon3d
    count = len(settings.review)
    here = settings.review_index if 0 <= settings.review_index < count else -1 if by > 0 else 0
    for number in (((here + by * ahead) % count) for ahead in range(1, count + 1)):
        if camera_of(scene, settings.review[number].photo) is not None:
            settings.review_index = number
            return f"Looking through {settings.review[number].name}."
    raise UserError(
        "No photo of the review has a camera in this scene: import the result that contains it.", 2
    )


def leave(scene: bpy.types.Scene) -> None:
    """Give back the scene's camera and resolution, and the view, as they were before the first photo."""
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
    scene.recon3d["review_index"] = -1  # not by its property, which would look through a photo


def look_again(scene: bpy.types.Scene, camera: bpy.types.Object | None) -> None:
    """Go on looking through a photo whose camera was made anew; without one, leave."""
    if camera is None:
        leave(scene)
    else:
        look_through(scene, camera)


def seen_photo(scene: bpy.types.Scene) -> str:
    """The photo that the scene looks through, by its name in the model; empty where it does not."""
    camera = scene.camera
    return str(camera[KEY]["photo"]) if camera is not None and kind_of(camera) == "camera" else ""


def camera_of(scene: bpy.types.Scene, photo: str) -> bpy.types.Object | None:
    """The camera of a photo, by the photo's name in the model; the newest import's where there are several."""
    if not photo:
        return None
    for collection in reversed(find_imports(scene)):
        for thing in collection.all_objects:
            kept = thing.get(KEY, {})
            if kept.get("kind") == "camera" and kept.get("photo") == photo:
                return thing
    return None


def background_of(camera: bpy.types.Object | None) -> bpy.types.CameraBackgroundImage | None:
    """The photo behind a camera's view; None where it has none, or is not an import's."""
    if camera is None or kind_of(camera) != "camera" or not camera.data.background_images:
        return None
    return camera.data.background_images[0]


def _show_alike(camera: bpy.types.Object, before: bpy.types.Object | None) -> None:
    """Show a camera's photo as opaque, and as far in front, as that of the camera before."""
    shown, photo = background_of(before), background_of(camera)
    if shown is not None and photo is not None:
        photo.alpha, photo.display_depth = shown.alpha, shown.display_depth


def _keep(scene: bpy.types.Scene) -> None:
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
