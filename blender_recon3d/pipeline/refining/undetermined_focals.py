"""Focal lengths that the photos do not determine: all look in the same direction, straight at the ground or a wall.

Another focal length then fits as well, with the cameras nearer or farther away and the heights stretched, and the
result is arbitrary.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..doubts import Doubt
from ..wording import Sentence, option, with_option
from .observations import read_observations, read_views
from .uncertainty import intrinsics_deviations

UNCERTAIN = 0.05  # of the focal length: the largest standard deviation of a determined one


def undetermined(model: Any, candidates: Iterable[int]) -> dict[int, float]:
    """Focal lengths in pixels, by camera id, of the cameras whose photos do not determine them.

    model: a pycolmap.Reconstruction; candidates: ids of cameras.
    """
    views = read_views(model)
    places = [number for number, camera in enumerate(views.cameras) if camera.camera_id in set(candidates)]
    if not places:
        return {}
    deviations = intrinsics_deviations(views, read_observations(model, views), places)
    focals = {}
    for place in places:
        camera = views.cameras[place]
        focal = float(camera.mean_focal_length())
        if deviations[place][list(camera.focal_length_idxs())].max() > UNCERTAIN * focal:
            focals[camera.camera_id] = focal
    return focals


def focal_doubts(model: Any, unknown: Iterable[int]) -> list[Doubt]:
    """model: a pycolmap.Reconstruction; unknown: ids of its cameras whose focal length was unknown before."""
    images = [model.image(number) for number in model.reg_image_ids()]
    return [
        undetermined_focal(focal, sorted(image.name for image in images if image.camera_id == number))
        for number, focal in sorted(undetermined(model, unknown).items())
    ]


def undetermined_focal(focal: float, photos: list[str]) -> Doubt:
    """focal: in pixels."""
    return Doubt(
        "focal length",
        f"The focal length found ({focal:.0f} pixels) is hardly better than a guess: the photos all look one "
        "way, straight at the ground or a wall, and EXIF gives none that fits. Heights and distances may be wrong.",
        Sentence(
            "Give it ",
            with_option("camera_model"),
            " and ",
            option("camera_params"),
            ", use the original photos with their EXIF, or add some oblique photos.",
        ),
        tuple(photos),
    )
