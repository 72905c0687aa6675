"""Maps again with other cameras if the first result suggests that EXIF or the grouping is wrong.

Each attempt must improve on the current result to be used: more photos registered, or as many with a smaller error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..colmap.calls import pycolmap
from ..colmap.database import open_database
from ..colmap.other_cameras import write_with_cameras
from ..doubts import Doubt
from ..events import Progress
from ..files.atomic_files import atomic_file, remove
from ..photos.camera_groups import DEFAULT_FOCAL
from ..text import named
from ..wording import Sentence, with_option
from ..workspace import Workspace, remove_side_files
from .own_focals import MIN_PHOTOS, OwnFocals, fit_own_focals, focal_groups, split_cameras, typical

MIN_REGISTERED_SHARE = 0.75  # of the photos: with fewer registered, the cameras may be to blame
MAX_ALONE = 60  # photos; up to this number each is tried with its own camera
SMALLER = 0.9  # of the error
WORSE = 1.03  # the error that fewer cameras may have
ALIKE = 1.04  # between focal lengths of photos that were mapped apart and are of one zoom

Models = list[Any]
MapAgain = Callable[[Path], Models]  # the models from another database, largest first


@dataclass
class Attempts:
    """The current cameras and models during the attempts. database: the workspace's; scratch: an empty folder; rounds:
    the photos' names of each round, if the subject was turned over."""

    database: Path
    scratch: Path
    map_again: MapAgain
    progress: Progress
    models: Models
    doubts: list[Doubt]
    rounds: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        with open_database(self.database) as database:
            self.cameras = {camera.camera_id: camera for camera in database.read_all_cameras()}
            images = database.read_all_images()
        self.names = {image.image_id: image.name for image in images}
        self.camera_of = {image.image_id: image.camera_id for image in images}
        self._tried = 0

    @property
    def registered(self) -> int:
        return self.models[0].num_reg_images() if self.models else 0

    def try_cameras(
        self, cameras: dict[int, Any], camera_of: dict[int, int], why: str, error: float = SMALLER
    ) -> bool:
        """Map with these cameras and use them if they do better; returns whether they do. error: the share of the error
        that may remain if equally many photos are registered."""
        self._tried += 1
        self.progress.info(why)
        path = self.scratch / f"{self.database.stem}_{self._tried}.db"
        write_with_cameras(self.database, path, cameras, camera_of)
        models = self.map_again(path)
        if not models or not self._better(models[0], error):
            return False
        self.models, self.cameras, self.camera_of = models, cameras, camera_of
        return True

    def _better(self, model: Any, share: float) -> bool:
        if model.num_reg_images() != self.registered:
            return bool(model.num_reg_images() > self.registered)
        error, before = (each.compute_mean_reprojection_error() for each in (model, self.models[0]))
        return bool(error < share * before)


def keep_database(workspace: Workspace, attempts: Attempts) -> None:
    """Save the keypoints and matches of the model in the workspace if they are not those of its database: SIFT's
    instead of the learned front-end's, or verified again with another camera model."""
    with atomic_file(workspace.remapped_database) as part:
        remove(part)
        write_with_cameras(attempts.database, part, attempts.cameras, attempts.camera_of)
        remove_side_files(part)


def settle_cameras(attempts: Attempts) -> None:
    """If few photos registered, drop focal lengths from EXIF, then try a camera per photo; split groups taken at
    several focal lengths. The results are in attempts.models and attempts.doubts."""
    own_cameras = False
    if attempts.registered < MIN_REGISTERED_SHARE * len(attempts.names):
        _without_exif(attempts)
    if attempts.registered < MIN_REGISTERED_SHARE * len(attempts.names):
        own_cameras = _own_cameras(attempts)
    if attempts.registered >= MIN_PHOTOS:
        _split(attempts, own_cameras)


def _without_exif(attempts: Attempts) -> None:
    known = [camera for camera in attempts.cameras.values() if camera.has_prior_focal_length]
    if not known or any("FISHEYE" in camera.model.name for camera in known):
        return
    exif = ", ".join(sorted({f"{camera.mean_focal_length():.0f}" for camera in known})[:3])
    count = f"{attempts.registered} of {len(attempts.names)} photos"
    cameras = {number: _camera(camera, DEFAULT_FOCAL * max(camera.width, camera.height), False)
               for number, camera in attempts.cameras.items()}  # fmt: skip
    if attempts.try_cameras(
        cameras,
        attempts.camera_of,
        f"{count} fit the focal length that EXIF says ({exif} pixels): trying without it.",
    ):
        attempts.progress.warning(
            f"The focal length in EXIF ({exif} pixels) is wrong and was left out: without it "
            f"{attempts.registered} photos are registered."
        )


def _own_cameras(attempts: Attempts) -> bool:
    sharing = max(Counter(attempts.camera_of.values()).values(), default=0)
    if sharing < MIN_PHOTOS or len(attempts.names) > MAX_ALONE:
        return False
    cameras = {image: _camera(attempts.cameras[shared]) for image, shared in attempts.camera_of.items()}
    return attempts.try_cameras(
        cameras,
        {image: image for image in attempts.camera_of},
        f"{attempts.registered} of {len(attempts.names)} photos are registered: trying a camera for each photo, in "
        "case they were taken at several focal lengths.",
    )


def _split(attempts: Attempts, own_cameras: bool) -> None:
    model, hint = attempts.models[0], False
    if own_cameras:
        focals = {number: _focal(model, number) for number in model.reg_image_ids()}
        fitted = OwnFocals(focals, {}, {})
        groups_of = _regrouped(attempts, fitted)
    else:
        fitted = fit_own_focals(model)
        groups_of, hint = split_cameras(model, fitted)
    if not groups_of:
        return
    cameras, camera_of = dict(attempts.cameras), dict(attempts.camera_of)
    parts: dict[
        int, dict[int, float]
    ] = {}  # of each shared camera: the focal lengths of the cameras it is split into
    for shared, groups in groups_of.items():
        camera, parts[shared] = attempts.cameras[shared], {}
        for place, group in enumerate(groups):
            number = shared if place == 0 else max(cameras) + 1
            parts[shared][number] = typical(fitted, group)
            cameras[number] = _camera(camera, parts[shared][number], True)
            camera_of |= {image: number for image in group}
    why = "; ".join(f"{_listed(focals)} pixels" for focals in parts.values())
    done = attempts.try_cameras(
        cameras,
        camera_of,
        f"Photos of one camera {'may be' if hint else 'were'} taken at several focal lengths ({why}): mapping again "
        "with them apart.",
        SMALLER if hint else 1.0,
    )
    if done:
        merge_alike(attempts, parts)
        camera_of = attempts.camera_of
    for shared, focals in parts.items():
        others = sorted(image for image, number in camera_of.items() if number in focals and number != shared)
        smaller = [attempts.names[image] for image in others]
        if done and len(focals) > 1:
            attempts.progress.warning(
                f"Photos that seemed to share one camera were taken at {len(focals)} focal lengths "
                f"({_listed(focals)} pixels), by zoom or lens: {named(smaller)} got cameras of their own."
            )
        elif not done and not own_cameras and not hint:
            attempts.doubts.append(two_focals(_listed(focals), smaller))


def _listed(focals: dict[int, float]) -> str:
    return " and ".join(f"{focal:.0f}" for focal in list(focals.values())[:3])


def merge_alike(attempts: Attempts, parts: dict[int, dict[int, float]]) -> None:
    """Join cameras that a split has made and that end with the same focal length: a photo's own one, by which it was
    made, is coarse. parts is updated with the focal lengths of the final model."""
    cameras, camera_of = dict(attempts.cameras), dict(attempts.camera_of)
    joined: dict[int, dict[int, float]] = {}
    for shared, focals in parts.items():
        joined[shared] = {}
        for number, focal in _found_focals(attempts, focals).items():
            same = next(
                (n for n, other in joined[shared].items() if max(other / focal, focal / other) < ALIKE), None
            )
            if same is None:
                joined[shared][number] = focal
                cameras[number] = _camera(cameras[number], focal, True)
            else:
                camera_of |= {image: same for image, own in camera_of.items() if own == number}
                del cameras[number]
    if len(cameras) < len(attempts.cameras):
        why = "Some of these focal lengths turn out to be the same: mapping again with them together."
        if attempts.try_cameras(cameras, camera_of, why, WORSE):
            parts |= joined
    for shared, focals in parts.items():
        parts[shared] = _found_focals(attempts, focals)


def _found_focals(attempts: Attempts, focals: dict[int, float]) -> dict[int, float]:
    """The focal lengths of these cameras in the current model; those given where none of its photos is registered."""
    model = attempts.models[0]
    by_camera = {model.image(image).camera_id: _focal(model, image) for image in model.reg_image_ids()}
    return {number: by_camera.get(number, focal) for number, focal in focals.items()}


def _regrouped(attempts: Attempts, fitted: OwnFocals) -> dict[int, list[list[int]]]:
    """Photos that each had their own camera, grouped by focal length again if their size agrees."""
    by_size: dict[tuple[int, int], dict[int, float]] = {}
    for image, focal in fitted.focals.items():
        camera = attempts.cameras[attempts.camera_of[image]]
        by_size.setdefault((camera.width, camera.height), {})[image] = focal
    groups_of = {}
    for focals in by_size.values():
        groups = focal_groups(focals)
        if len(groups) < len(focals):
            groups_of[attempts.camera_of[groups[0][0]]] = groups
    return groups_of


def two_focals(lengths: str, photos: Sequence[str]) -> Doubt:
    return Doubt(
        "focal lengths",
        f"Photos that share one camera seem to be taken at several focal lengths ({lengths} pixels; {named(photos)}).",
        Sentence(
            "Run again ",
            with_option("grouping", "each"),
            ", or run the photos of each zoom or lens in a folder of their own.",
        ),
        tuple(photos),
    )


def _camera(camera: Any, focal: float | None = None, prior: bool | None = None) -> Any:
    """A copy, with another focal length and no distortion if one is given."""
    copy = pycolmap.Camera.create_from_model_name(
        0, camera.model.name, focal or camera.mean_focal_length(), camera.width, camera.height
    )
    if focal is None:
        copy.params = camera.params
    copy.has_prior_focal_length = camera.has_prior_focal_length if prior is None else prior
    return copy


def _focal(model: Any, image: int) -> float:
    return float(model.camera(model.image(image).camera_id).mean_focal_length())
