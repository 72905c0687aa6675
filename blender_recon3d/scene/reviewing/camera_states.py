"""How well each camera of the review is constrained, and the pyramids that show it in the 3D view."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ...pipeline.loose_photos import MIN_POINTS, error_limit
from ..cameras import KEY
from ..find_imports import find_imports, kind_of
from .report_reader import OTHER_MODEL, REGISTERED

GOOD, LOOSE, GROUP, CHOSEN = "good", "loose", "separate group", "chosen"
MAX_CAMERAS = 20_000
EDGES = np.array([(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1)], np.int32)
SIDES = np.array([(1, 2, 3), (1, 3, 4)], np.int32)  # the image plane


@dataclass(frozen=True)
class Pyramids:
    """The visible cameras. corners: float32 [n, 5, 3] in the world, the center and the image corners. states: of
    each."""

    corners: np.ndarray
    states: tuple[str, ...]


def states_of(scene: bpy.types.Scene) -> dict[str, str]:
    """The state of each photo in the review that has a camera, by its name in the model."""
    review = scene.recon3d.review
    limit = error_limit([item.error for item in review if item.state == REGISTERED and item.error >= 0])
    states = {}
    for item in review:
        if item.state == REGISTERED:
            loose = 0 < item.points < MIN_POINTS or item.error > limit
            states[item.photo] = LOOSE if loose else GOOD
        elif item.state == OTHER_MODEL:
            states[item.photo] = GROUP
    chosen = scene.recon3d.review_index
    if 0 <= chosen < len(review) and review[chosen].photo in states:
        states[review[chosen].photo] = CHOSEN
    return states


def pyramids(scene: bpy.types.Scene) -> Pyramids:
    """The pyramids of the photos in the review whose cameras are visible."""
    states = states_of(scene)
    corners: list[list[object]] = []
    shown: list[str] = []
    for collection in find_imports(scene) if states else ():
        for obj in collection.all_objects:
            if kind_of(obj) != "camera" or not obj.visible_get():
                continue
            state = states.get(str(obj[KEY].get("photo", "")))
            if state is None or len(shown) == MAX_CAMERAS:
                continue
            # As Blender draws it: with the camera's display size, whatever the parents' scale.
            location, rotation, _ = obj.matrix_world.decompose()
            size = 2 * obj.data.display_size  # the frame is one unit wide or high
            frame = [rotation @ (corner * size) for corner in obj.data.view_frame(scene=scene)]
            corners.append([location[:], *((location + corner)[:] for corner in frame)])
            shown.append(state)
    return Pyramids(np.array(corners, np.float32).reshape(-1, 5, 3), tuple(shown))
