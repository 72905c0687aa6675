"""Adds photos to a model, and takes photos out of it, where the cameras of the others stay as they are.

The earlier model, refined if it was, is carried over to the new database: photos keep their poses, cameras their
intrinsics, points their positions. COLMAP then registers the new photos against it. If these do not fit the cameras
that are there, all are adjusted together and moved back onto the earlier ones, so that the frame stays the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..colmap.calls import pycolmap
from ..colmap.database import image_ids, open_database
from ..colmap.database_check import database_problem
from ..colmap.model_files import read_model
from ..colmap.other_cameras import write_with_cameras
from ..documents.photos_json import panorama_cameras
from ..earlier_work import same_photos
from ..errors import UserError
from ..events import Progress
from ..refining.adjustment import adjust
from ..refining.model_copies import move_onto
from ..workspace import Workspace
from .attempts import Attempts
from .joining import has_rigs

MIN_KEPT = 8  # photos of the model that stay; a smaller one is made from scratch
MIN_KEPT_SHARE = 0.6  # of all photos
MIN_ADDED_SHARE = 0.5  # of the new photos must register
MISFIT = 2.0  # the new photos' error relative to the others', beyond which all cameras are adjusted together

AddPhotos = Callable[[Path, Path], list[Any]]  # the models from a database and the folder of a first model


@dataclass(frozen=True)
class Grown:
    """stayed, added: the names of photos that were registered before and are still, and of those that are now."""

    attempts: Attempts
    stayed: list[str]
    added: list[str]
    adjusted: bool

    @property
    def message(self) -> str:
        moved = ", all cameras adjusted" if self.adjusted else ""
        count = len(self.added)
        return f"{count} photo{'s' * (count != 1)} added to {len(self.stayed)}{moved}; " if count else ""


def grow(workspace: Workspace, scratch: Path, add_photos: AddPhotos, progress: Progress) -> Grown | None:
    """The earlier model with the workspace's photos; None if there is none, or it says too little about them.

    scratch: an empty folder.
    """
    names = same_photos(workspace, "sfm")
    if not names:
        return None
    before = Workspace(workspace.earlier)
    if before.remapped_database.exists() or database_problem(workspace.database):
        return None  # its cameras or keypoints are not those of the database
    try:
        known = read_model(before.model)
        carried = carried_over(known, names, workspace.database)
    except UserError:
        return None
    document = workspace.read_photos()
    photos = [photo.name for photo in document.used]
    if carried is None or panorama_cameras(document) or has_rigs(known):  # poses in rigs depend on each other
        return None
    model, stayed = carried
    if len(stayed) < max(MIN_KEPT, MIN_KEPT_SHARE * len(photos)):
        return None
    new = set(photos) - set(names)
    progress.info(_announced(len(new), len(known.reg_image_ids()) - len(stayed), len(stayed)))
    database, start = scratch / "grown.db", scratch / "before"
    with open_database(workspace.database) as opened:
        cameras = {camera.camera_id: camera for camera in opened.read_all_cameras()}
        camera_of = {image.image_id: image.camera_id for image in opened.read_all_images()}
    for number in model.cameras:
        cameras[number].params = model.camera(number).params
    grown = model
    if len(stayed) < len(photos):
        write_with_cameras(workspace.database, database, cameras, camera_of)
        start.mkdir()
        model.write(start)
        models = add_photos(database, start)
        grown = models[0] if models else model
    registered = {grown.image(number).name for number in grown.reg_image_ids()}
    added = sorted(registered - set(stayed))
    if len(new & registered) < MIN_ADDED_SHARE * len(new) or not registered.issuperset(stayed):
        progress.info("The new photos do not fit the earlier cameras: all cameras are found again.")
        return None
    adjusted = bool(added) and misfit(grown, set(added), workspace.database) > MISFIT
    if adjusted:
        adjust(grown, False, progress, "adjusting")
        move_onto(grown, model)
    else:
        keep_poses(grown, model)
    attempts = Attempts(workspace.database, scratch, lambda path: [], progress, [grown], [])
    attempts.cameras = cameras
    return Grown(attempts, stayed, added, adjusted)


def _announced(new: int, gone: int, stayed: int) -> str:
    changes = [
        f"{count} photo{'s are' if count > 1 else ' is'} {word}"
        for count, word in ((new, "new"), (gone, "gone"))
        if count
    ]
    return f"{', '.join(changes) or 'No photo is new'}: {stayed} cameras stay as they are."


def carried_over(known: Any, names: Mapping[str, str], database: Path) -> tuple[Any, list[str]] | None:
    """`known` with the ids of the database and only the photos that stay, and their names; None where the photos of a
    camera now had several cameras, or other keypoints. names: the earlier name of each unchanged photo."""
    by_name = {known.image(number).name: number for number in known.reg_image_ids()}
    with open_database(database) as opened:
        ids = image_ids(opened)
        camera_of = {image.name: image.camera_id for image in opened.read_all_images()}
        cameras = {camera.camera_id: camera for camera in opened.read_all_cameras()}
        keypoints = {name: opened.num_keypoints_for_image(number) for name, number in ids.items()}
    stayed = sorted(name for name, before in names.items() if before in by_name and name in ids)
    model, new_ids = pycolmap.Reconstruction(), {}
    sources: dict[int, int] = {}
    for name in stayed:
        image = known.image(by_name[names[name]])
        number, camera_id = ids[name], camera_of[name]
        if image.num_points2D() != keypoints[name]:
            return None
        if sources.setdefault(camera_id, image.camera_id) != image.camera_id:
            return None
        camera = known.camera(image.camera_id)
        if not model.exists_camera(camera_id):
            if (camera.model, camera.width, camera.height) != _kind(cameras[camera_id]):
                return None
            copy = pycolmap.Camera(
                camera_id=camera_id, model=camera.model, width=camera.width, height=camera.height,
                params=camera.params,
            )  # fmt: skip
            copy.has_prior_focal_length = cameras[camera_id].has_prior_focal_length
            model.add_camera_with_trivial_rig(copy)
        pixels = np.array([point.xy for point in image.points2D], np.float64).reshape(-1, 2)
        added = pycolmap.Image(name=name, keypoints=pixels, camera_id=camera_id, image_id=number)
        model.add_image_with_trivial_frame(added, image.cam_from_world())
        new_ids[image.image_id] = number
    for point_id in sorted(known.point3D_ids()):
        point = known.point3D(point_id)
        track = pycolmap.Track()
        for element in point.track.elements:
            if element.image_id in new_ids:
                track.add_element(new_ids[element.image_id], element.point2D_idx)
        if track.length() >= 2:
            model.add_point3D(point.xyz, track, point.color)
    model.update_point_3d_errors()
    return model, stayed


def _kind(camera: Any) -> tuple[Any, int, int]:
    return camera.model, camera.width, camera.height


def misfit(model: Any, added: set[str], database: Path) -> float:
    """The median reprojection error of the added photos' keypoints relative to that of the others'.

    Of the database's keypoints: those of a refined model were aligned, which new ones are only later.
    """
    errors: dict[bool, list[float]] = {True: [], False: []}
    with open_database(database) as opened:
        for number in model.reg_image_ids():
            image = model.image(number)
            seen = [int(keypoint) for keypoint in image.get_observation_point2D_idxs()]
            if not seen:
                continue
            xyz = np.array([model.point3D(image.point2D(keypoint).point3D_id).xyz for keypoint in seen])
            pose = image.cam_from_world().matrix()
            there = model.camera(image.camera_id).img_from_cam(xyz @ pose[:, :3].T + pose[:, 3])
            pixels = np.asarray(opened.read_keypoints(number), float)[seen, :2]
            apart = np.linalg.norm(there - pixels, axis=1)
            errors[image.name in added] += apart[np.isfinite(apart)].tolist()
    if not errors[True] or not errors[False]:
        return 1.0
    return float(np.median(errors[True]) / max(1e-6, np.median(errors[False])))


def keep_poses(model: Any, before: Any) -> None:
    """Give the photos of `before` exactly their poses there: reading and writing rounds rotations."""
    for number in before.reg_image_ids():
        frame = before.image(number).frame_id
        model.frame(model.image(number).frame_id).rig_from_world = before.frame(frame).rig_from_world
