"""A marker in the timeline for each photo, bound to its camera: scrubbing and rendering step through the photos."""

from __future__ import annotations

import bpy

from ...pipeline.errors import UserError
from ..cameras import KEY
from ..exporting.posed_photos import ours_in
from ..find_imports import check_editable


def add_camera_markers(scene: bpy.types.Scene, collection: bpy.types.Collection) -> str:
    """Bind the import's cameras to frames 1, 2 and so on, in the order of the photos' names; a sentence.

    Markers that an earlier call has made for this import are replaced, others stay. UserError if there are no cameras.
    """
    cameras = sorted(ours_in(collection), key=lambda camera: camera[KEY]["photo"])
    if not cameras:
        raise UserError(f"{collection.name} has no cameras: import the result again.")
    check_editable(scene)
    markers = scene.timeline_markers
    for marker in [each for each in markers if each.camera in cameras]:
        markers.remove(marker)
    for frame, camera in enumerate(cameras, 1):
        markers.new(camera.name, frame=frame).camera = camera
    scene.frame_start, scene.frame_end = 1, len(cameras)
    scene.frame_set(1)
    return f"Frames 1 to {len(cameras)} show the photos' cameras."
