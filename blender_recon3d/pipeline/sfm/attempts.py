"""Mapping again with other cameras where the first mapping says that what EXIF or the grouping claims is wrong.

Each attempt must do better than what is there, or nothing changes: more photos registered, or as many with a smaller
error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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

MIN_REGISTERED_SHARE = 0.75  # of the photos: when fewer are registered, the cameras may be to blame
MAX_ALONE = 60  # photos up to which each is tried as a camera of its own
SMALLER = 0.9  # of the error

Models = list[Any]
MapAgain = Callable[[Path], Models]  # the models from another database, the one with the most photos first


@dataclass
class Attempts:
    """What is known of the cameras while attempts go on. database: the workspace's; scratch: an empty folder."""

    database: Path
    scratch: Path
    map_again: MapAgain
    progress: Progress
    models: Models
    doubts: list[Doubt]

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
        """Whether these cameras do better; then they are the ones that count. error: the share of the error that may
        be left where as many photos are registered."""
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
    """Leave the keypoints and matches that the model comes from in the workspace, where they are not those of its
    database: SIFT's in place of the learned front-end's, or verified again with another camera model."""
    with atomic_file(workspace.remapped_database) as part:
        remove(part)
        write_with_cameras(attempts.database, part, attempts.cameras, attempts.camera_of)
        remove_side_files(part)


def settle_cameras(attempts: Attempts) -> None:
    """Focal lengths of EXIF left out, then each photo alone, where few photos registered; groups that were taken at
    several focal lengths split. attempts.models and attempts.doubts hold what came of it."""
    alone = False
    if attempts.registered < MIN_REGISTERED_SHARE * len(attempts.names):
        _without_exif(attempts)
    if attempts.registered < MIN_REGISTERED_SHARE * len(attempts.names):
        alone = _each_alone(attempts)
    if attempts.registered >= MIN_PHOTOS:
        _split(attempts, alone)


def _without_exif(attempts: Attempts) -> None:
    known = [camera for camera in attempts.cameras.values() if camera.has_prior_focal_length]
    if not known or any("FISHEYE" in camera.model.name for camera in known):
        return
    says = ", ".join(sorted({f"{camera.mean_focal_length():.0f}" for camera in known})[:3])
    count = f"{attempts.registered} of {len(attempts.names)} photos"
    cameras = {number: _camera(camera, DEFAULT_FOCAL * max(camera.width, camera.height), False)
               for number, camera in attempts.cameras.items()}  # fmt: skip
    if attempts.try_cameras(
        cameras,
        attempts.camera_of,
        f"{count} fit the focal length that EXIF says ({says} pixels): trying without it.",
    ):
        attempts.progress.warning(
            f"The focal length in EXIF ({says} pixels) is wrong and was left out: without it "
            f"{attempts.registered} photos are registered."
        )


def _each_alone(attempts: Attempts) -> bool:
    sharing = max((list(attempts.camera_of.values()).count(number) for number in attempts.cameras), default=0)
    if sharing < MIN_PHOTOS or len(attempts.names) > MAX_ALONE:
        return False
    cameras = {image: _camera(attempts.cameras[shared]) for image, shared in attempts.camera_of.items()}
    return attempts.try_cameras(
        cameras,
        {image: image for image in attempts.camera_of},
        f"{attempts.registered} of {len(attempts.names)} photos are registered: trying a camera for each photo, in "
        "case they were taken at several focal lengths.",
    )


def _split(attempts: Attempts, alone: bool) -> None:
    model, hint = attempts.models[0], False
    if alone:
        focals = {number: _focal(model, number) for number in model.reg_image_ids()}
        fitted = OwnFocals(focals, {}, {})
        groups_of = _groups_of_alone(attempts, fitted)
    else:
        fitted = fit_own_focals(model)
        groups_of, hint = split_cameras(model, fitted)
    if not groups_of:
        return
    cameras, camera_of = dict(attempts.cameras), dict(attempts.camera_of)
    said = []
    for shared, groups in groups_of.items():
        camera = attempts.cameras[shared]
        for place, group in enumerate(groups):
            number = shared if place == 0 else max(cameras) + 1
            cameras[number] = _camera(camera, typical(fitted, group), True)
            camera_of |= {image: number for image in group}
        lengths = " and ".join(f"{typical(fitted, group):.0f}" for group in groups[:3])
        smaller = [attempts.names[image] for group in groups[1:] for image in sorted(group)]
        said.append((lengths, len(groups), smaller))
    why = "; ".join(f"{lengths} pixels" for lengths, _, _ in said)
    done = attempts.try_cameras(
        cameras,
        camera_of,
        f"Photos of one camera {'may be' if hint else 'were'} taken at several focal lengths ({why}): mapping again "
        "with them apart.",
        SMALLER if hint else 1.0,
    )
    for lengths, count, smaller in said:
        if done:
            attempts.progress.warning(
                f"Photos that seemed to share one camera were taken at {count} focal lengths ({lengths} pixels), by "
                f"zoom or lens: {named(smaller)} got cameras of their own."
            )
        elif not alone and not hint:
            attempts.doubts.append(two_focals(lengths, smaller))


def _groups_of_alone(attempts: Attempts, fitted: OwnFocals) -> dict[int, list[list[int]]]:
    """Photos that had a camera each, put together again by focal length where their size agrees."""
    by_size: dict[tuple[int, int], dict[int, float]] = {}
    for image, focal in fitted.focals.items():
        camera = attempts.cameras[attempts.camera_of[image]]
        by_size.setdefault((camera.width, camera.height), {})[image] = focal
    found = {}
    for focals in by_size.values():
        groups = focal_groups(focals)
        if len(groups) < len(focals):
            found[attempts.camera_of[groups[0][0]]] = groups
    return found


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
    """A copy, with another focal length and no distortion where one is given."""
    made = pycolmap.Camera.create_from_model_name(
        0, camera.model.name, focal or camera.mean_focal_length(), camera.width, camera.height
    )
    if focal is None:
        made.params = camera.params
    made.has_prior_focal_length = camera.has_prior_focal_length if prior is None else prior
    return made


def _focal(model: Any, image: int) -> float:
    return float(model.camera(model.image(image).camera_id).mean_focal_length())
