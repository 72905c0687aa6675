"""Fisheye photos mapped with the model of another lens: the result is bent, but looks fine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..colmap.calls import pycolmap
from ..colmap.other_cameras import write_with_cameras
from ..colmap.verification import verify_again
from ..doubts import Doubt
from ..photos.camera_groups import fisheye_focal
from ..photos.image_files import read_gray
from ..stage_settings import PhotosSettings
from ..text import named
from ..wording import Sentence, use, with_option
from .attempts import SMALLER, Attempts

DEFAULT_MODEL = PhotosSettings().camera_model
FISHEYE = "OPENCV_FISHEYE"
NEARLY = 0.8  # of the points
SHORT = 0.6  # of the longest side: a smaller focal length means a very wide lens
BARREL = -0.05  # the default model's distortion; below, straight lines bend as with a fisheye
LOOKED_AT = 3  # photos examined per camera
CORNER = 20  # a side divided by that of the corner squares
BLACK = 16  # of 255
BRIGHT = 30  # minimum of the middle: a dark photo is inconclusive


def is_circle(image: np.ndarray) -> bool:
    """Whether a gray photo, uint8 [H, W], is black in all four corners but not in the middle."""
    height, width = (max(1, side // CORNER) for side in image.shape)
    corners = [
        image[:height, :width],
        image[:height, -width:],
        image[-height:, :width],
        image[-height:, -width:],
    ]
    rows, columns = image.shape[0] // 3, image.shape[1] // 3
    middle = image[rows : 2 * rows + 1, columns : 2 * columns + 1]
    return max(float(corner.mean()) for corner in corners) < BLACK and float(middle.mean()) > BRIGHT


def look_like_fisheyes(model: Any, images: Path) -> dict[int, list[str]]:
    """The photos' names by camera id, for cameras without a fisheye model whose photos look like a fisheye's.

    model: pycolmap.Reconstruction; images: the folder of its photos.
    """
    names_of = {}
    for number, camera in sorted(model.cameras.items()):
        if "FISHEYE" in camera.model.name or camera.mean_focal_length() > SHORT * max(
            camera.width, camera.height
        ):
            continue
        names = sorted(
            model.image(i).name for i in model.reg_image_ids() if model.image(i).camera_id == number
        )
        sample = names[:: max(1, len(names) // LOOKED_AT)][:LOOKED_AT]
        if sample and all(is_circle(read_gray(images / name)) for name in sample):
            names_of[number] = names
    return names_of


def bend_like_fisheyes(model: Any) -> dict[int, list[str]]:
    """The photos' names by camera id, for very wide cameras that bend straight lines: action cameras, whose photos have
    no circle."""
    names_of: dict[int, list[str]] = {}
    for number in sorted(model.reg_image_ids()):
        image = model.image(number)
        camera = model.cameras[image.camera_id]
        wide = camera.mean_focal_length() < SHORT * max(camera.width, camera.height)
        if camera.model.name == DEFAULT_MODEL and wide and camera.params[-1] < BARREL:
            names_of.setdefault(image.camera_id, []).append(image.name)
    return {number: sorted(names) for number, names in names_of.items()}


def try_fisheye(attempts: Attempts, images: Path, seed: int) -> None:
    """Map again with a fisheye model if the photos look like a fisheye's and have COLMAP's default model.

    The pairs are verified again too: without the right model COLMAP rejects matches near the rim.
    """
    if not attempts.models:
        return
    circles = look_like_fisheyes(attempts.models[0], images)
    names_of = circles or bend_like_fisheyes(attempts.models[0])
    cameras = dict(attempts.cameras)
    for number in set(names_of) & set(cameras):
        camera = cameras[number]
        if camera.model.name != DEFAULT_MODEL:
            return
        focal = fisheye_focal((camera.width, camera.height))
        cameras[number] = pycolmap.Camera.create_from_model_name(
            number, FISHEYE, focal, camera.width, camera.height
        )
        cameras[number].has_prior_focal_length = True
    if not names_of:
        return
    names = [name for photos in names_of.values() for name in photos]
    why = "a circle with black corners" if circles else "a very wide lens that bends straight lines"
    attempts.progress.info(f"{named(names)} look like a fisheye's ({why}): trying {FISHEYE}.")
    path = attempts.scratch / f"{attempts.database.stem}_fisheye.db"
    write_with_cameras(attempts.database, path, cameras, attempts.camera_of)
    verify_again(path, path.with_suffix(".txt"), seed, attempts.progress)
    models = attempts.map_again(path)
    if not models or not _fits_better(models[0], attempts.models[0], bool(circles)):
        return
    attempts.models, attempts.cameras, attempts.database = models, cameras, path
    attempts.progress.warning(
        Sentence(
            f"{FISHEYE} fits the photos better than {DEFAULT_MODEL} and is used: for more photos of this lens ",
            use("camera_model", FISHEYE),
            ".",
        )
    )


def _fits_better(model: Any, before: Any, circles: bool) -> bool:
    """As many photos, and hardly fewer points that fit better. With circles, more points suffice, since the wrong model
    loses those near the rim."""
    if model.num_reg_images() < before.num_reg_images():
        return False
    points = model.num_points3D() / max(1, before.num_points3D())
    error, old = (each.compute_mean_reprojection_error() for each in (model, before))
    return bool((circles and points > 1) or (points > NEARLY and error < SMALLER * old))


def fisheye_doubts(model: Any, images: Path) -> list[Doubt]:
    """As `look_like_fisheyes`."""
    return [
        Doubt(
            "lens",
            f"The photos of camera {number} look like a fisheye's (a circle with black corners), and "
            f"{model.cameras[number].model.name} bends them.",
            Sentence("Run again ", with_option("camera_model", FISHEYE), "."),
            tuple(names),
        )
        for number, names in look_like_fisheyes(model, images).items()
    ]
