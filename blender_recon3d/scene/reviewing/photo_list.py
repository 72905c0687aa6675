"""The review of a reconstruction: the outcome for each photo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy

from ...pipeline.workspace import Workspace
from ..cameras import KEY
from ..find_imports import find_imports
from .report_reader import NOT_REGISTERED, OTHER_MODEL, REGISTERED, SET_ASIDE, PhotoRow, read_review

# Blender's list draws only the visible rows, but a scene stores all of them.
MAX_PHOTOS = 20_000
_COUNTS, _PLACES = "review_counts", "review_places"  # kept in the settings
_PROBLEMS_FIRST: dict[str, int] = {NOT_REGISTERED: 0, OTHER_MODEL: 1, SET_ASIDE: 2, REGISTERED: 3}


def fill(scene: bpy.types.Scene, folder: Path) -> None:
    """Fill the scene's review from a workspace, or from the imported cameras if it has no report."""
    review = read_review(Workspace(folder).report_json)
    if not review.photos:
        review = replace(review, photos=tuple(_from_cameras(scene, folder)))
    settings = scene.recon3d
    settings.review.clear()
    settings["review_index"] = -1  # not through the property, which would look through a photo
    settings.advice.clear()
    for row in review.photos[:MAX_PHOTOS]:
        item = settings.review.add()
        item.name, item.photo, item.state, item.reason = row.title, row.name, row.state, row.reason
        item.source, item.error, item.points = row.source, row.error, row.points
    settings[_COUNTS] = _counted(scene)
    settings[_PLACES] = _problems_first(scene) or [0]
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
        for camera in sorted(collection.all_objects, key=lambda obj: obj.name)
        if camera.get(KEY, {}).get("kind") == "camera"
    ]


def counts(scene: bpy.types.Scene) -> dict[str, int]:
    """Number of photos by state, counted when the review was filled, since panels are drawn often."""
    stored = scene.recon3d.get(_COUNTS)
    if stored is not None and sum(stored.values()) == len(scene.recon3d.review):
        return {str(state): int(number) for state, number in stored.items()}
    return _counted(scene)


def places(scene: bpy.types.Scene) -> list[int]:
    """The place of each photo in the list: what has gone wrong comes first, else in the order taken. Kept, too."""
    stored = scene.recon3d.get(_PLACES)
    if stored is not None and len(stored) == len(scene.recon3d.review):
        return list(stored.to_list())
    return _problems_first(scene)


def _problems_first(scene: bpy.types.Scene) -> list[int]:
    photos = enumerate(scene.recon3d.review)
    order = sorted((_PROBLEMS_FIRST.get(photo.state, 0), number) for number, photo in photos)
    result = [0] * len(order)
    for place, (_, number) in enumerate(order):
        result[number] = place
    return result


def _counted(scene: bpy.types.Scene) -> dict[str, int]:
    by_state: dict[str, int] = {}
    for item in scene.recon3d.review:
        by_state[item.state] = by_state.get(item.state, 0) + 1
    return by_state
