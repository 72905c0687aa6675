"""The review of a reconstruction: what became of each photo, and looking through one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy

from ...pipeline.errors import UserError
from ...pipeline.workspace import Workspace
from ..cameras import KEY, look_through
from ..find_imports import find_imports
from ..viewports import look_through_camera
from .report_reader import REGISTERED, PhotoRow, read_review

# Blender's list draws only the rows in sight, but a scene keeps all of them.
MOST_PHOTOS = 20_000


def fill(scene: bpy.types.Scene, folder: Path) -> None:
    """Fill the scene's review from a workspace; from the imported cameras where it holds no report."""
    review = read_review(Workspace(folder).report_json)
    if not review.photos:
        review = replace(review, photos=tuple(_from_cameras(scene, folder)))
    settings = scene.recon3d
    settings.review.clear()
    settings["review_index"] = -1  # not by its property, which would look through a photo
    settings.advice.clear()
    for row in review.photos[:MOST_PHOTOS]:
        item = settings.review.add()
        item.name, item.photo, item.state, item.reason = row.title, row.name, row.state, row.reason
        item.source, item.error, item.points = row.source, row.error, row.points
    for sentence in review.doubts:
        item = settings.advice.add()
        item.name, item.doubt = sentence, True
    for sentence in review.advice:
        settings.advice.add().name = sentence


def _from_cameras(scene: bpy.types.Scene, folder: Path) -> list[PhotoRow]:
    root = str(Workspace(folder).root)
    return [
        PhotoRow(camera.name, str(camera[KEY]["photo"]), REGISTERED)
        for collection in find_imports(scene)
        if collection[KEY].get("workspace") == root
        for camera in sorted(collection.all_objects, key=lambda thing: thing.name)
        if camera.get(KEY, {}).get("kind") == "camera"
    ]


def look_through_chosen(scene: bpy.types.Scene) -> None:
    """Look through the photo that is chosen in the list, where it has a camera."""
    settings = scene.recon3d
    if not 0 <= settings.review_index < len(settings.review):
        return
    camera = camera_of(scene, settings.review[settings.review_index].photo)
    if camera is not None:
        look_through(scene, camera)
        look_through_camera()


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


def counts(scene: bpy.types.Scene) -> dict[str, int]:
    """Number of photos by state."""
    found: dict[str, int] = {}
    for item in scene.recon3d.review:
        found[item.state] = found.get(item.state, 0) + 1
    return found
