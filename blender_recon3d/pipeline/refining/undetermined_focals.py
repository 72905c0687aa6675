"""Focal lengths that the photos do not determine: all look one way, straight at the ground or a wall.

Another focal length then fits as well, with the cameras nearer or farther away and the heights stretched, and the one
that comes out means nothing.
"""

from __future__ import annotations

from typing import Any

from ..doubts import Doubt
from .observations import read_observations, read_views
from .uncertainty import intrinsics_deviations

UNCERTAIN = 0.05  # of the focal length: the largest standard deviation of one that is determined


def focal_doubts(model: Any) -> list[Doubt]:
    """model: a pycolmap.Reconstruction. Cameras whose focal length was known before are not asked."""
    views = read_views(model)
    unknown = sorted(number for number, camera in model.cameras.items() if not camera.has_prior_focal_length)
    places = [number for number, camera in enumerate(views.cameras) if camera.camera_id in unknown]
    if not places:
        return []
    deviations = intrinsics_deviations(views, read_observations(model, views), places)
    found = []
    for place in places:
        camera = views.cameras[place]
        focal = float(camera.mean_focal_length())
        if not deviations[place][list(camera.focal_length_idxs())].max() > UNCERTAIN * focal:
            continue
        names = sorted(
            model.image(i).name for i in model.reg_image_ids() if model.image(i).camera_id == camera.camera_id
        )
        found.append(undetermined_focal(focal, names))
    return found


def undetermined_focal(focal: float, photos: list[str]) -> Doubt:
    """focal: in pixels."""
    return Doubt(
        "focal length",
        f"The focal length that was found ({focal:.0f} pixels) is hardly better than a guess: the photos all look one "
        "way, straight at the ground or a wall, and have none in EXIF. Heights and distances may be wrong.",
        "Give it with --camera-model and --camera-params, use the original photos with their EXIF, or add some photos "
        "taken at a slant.",
        tuple(photos),
    )
