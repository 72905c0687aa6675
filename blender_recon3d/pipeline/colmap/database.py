"""COLMAP's SQLite database: writing cameras and images, and the queries of other stages.

Never open it with Python's sqlite3 in a process that uses pycolmap: each has its own SQLite, and closing a file in
one drops the locks of the other (sqlite.org/howtocorrupt.html, 2.2.1), which does corrupt it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..documents.photos_json import FocalPrior, PhotosDocument
from ..errors import FileFormatError
from ..files.atomic_files import atomic_file, remove
from ..files.regular import read_regular
from ..workspace import Workspace, remove_side_files
from .calls import pycolmap
from .rigs import rigs_of, write_rigs


def create_database(workspace: Workspace) -> None:
    """Write database.db with the cameras and images of photos.json and nothing else, replacing an existing one."""
    document = workspace.read_photos()
    with atomic_file(workspace.database) as part:
        remove(part)
        import_photos(workspace, document, part)
        with open_database(part) as database:
            for camera in database.read_all_cameras():
                # Ids are assigned in the order of import, which is that of photos.json.
                camera.has_prior_focal_length = (
                    document.cameras[camera.camera_id - 1].prior != FocalPrior.NONE
                )
                database.update_camera(camera)
            if document.rigs:
                images = {image.image_id: image for image in database.read_all_images()}
                rigs = rigs_of(document, {image.name: number for number, image in images.items()})
                database.clear_frames()
                database.clear_rigs()
                cameras = {camera.camera_id: camera for camera in database.read_all_cameras()}
                write_rigs(database, rigs, images, cameras)
        remove_side_files(part)
    remove_side_files(workspace.database)


def import_photos(
    workspace: Workspace, document: PhotosDocument, path: Path, only: Collection[str] | None = None
) -> None:
    """Write the images of photos.json, and their cameras, to a new database at `path`. only: these photos."""
    with open_database(path):
        pass  # import_images needs an existing file
    names_of: dict[int | None, list[str]] = {}
    for photo in document.photos:
        if only is None or photo.name in only:
            names_of.setdefault(photo.camera, []).append(photo.name)
    for camera in document.cameras:
        names = names_of.get(camera.id, [])
        if only is not None and not names:
            continue
        options = pycolmap.ImageReaderOptions()
        options.camera_model = camera.model
        options.camera_params = ",".join(repr(value) for value in camera.params)
        pycolmap.import_images(path, workspace.images, pycolmap.CameraMode.SINGLE, names, options)


@contextlib.contextmanager
def open_database(path: Path) -> Iterator[Any]:
    """The database, closed at the end even if the block raises. FileFormatError if the file is not a database."""
    try:
        database = pycolmap.Database.open(path)
    except RuntimeError as error:
        raise FileFormatError(path, "it is not a COLMAP database") from error
    try:
        yield database
    finally:
        database.close()


def image_ids(database: Any) -> dict[str, int]:
    """Image ids by name."""
    return {image.name: image.image_id for image in database.read_all_images()}


def write_features(database: Any, image_id: int, keypoints: np.ndarray, descriptors: np.ndarray) -> None:
    """keypoints [N, 2] in COLMAP's pixels, descriptors [N, D] float32; both in one transaction.

    The descriptors are float32 as bytes, four columns each, with COLMAP's undefined type: it has no type for
    SuperPoint's and must not take them for SIFT's.
    """
    content = np.ascontiguousarray(descriptors, np.float32).view(np.uint8)
    wrapped = pycolmap.FeatureDescriptors(pycolmap.FeatureExtractorType.UNDEFINED, content)
    with pycolmap.DatabaseTransaction(database):
        if not database.exists_keypoints(image_id):
            database.write_keypoints(image_id, np.ascontiguousarray(keypoints, np.float32))
        if not database.exists_descriptors(image_id):
            database.write_descriptors(image_id, wrapped)


def read_descriptors(database: Any, image_id: int) -> np.ndarray:
    """The descriptors written by `write_features`: float32 [N, D]."""
    return np.ascontiguousarray(database.read_descriptors(image_id).data).view(np.float32)


def pair_counts(database: Any) -> dict[tuple[int, int], tuple[int, int]]:
    """(matches, verified matches) of each matched pair of image ids."""
    counts = {_pair(pair): (number, 0) for pair, number in zip(*database.read_num_matches(), strict=True)}
    verified = database.read_two_view_geometry_num_inliers()
    for pair, number in zip(*verified, strict=True):
        key = _pair(pair)
        counts[key] = (counts.get(key, (0, 0))[0], number)
    return counts


def _pair(pair: Any) -> tuple[int, int]:
    first, second = pycolmap.pair_id_to_image_pair(pair) if isinstance(pair, int) else pair
    return (first, second) if first < second else (second, first)


def keep_pairs(path: Path, pairs: Collection[tuple[int, int]]) -> None:
    """Remove all pairs except `pairs` (image ids, the smaller first) from a database."""
    with open_database(path) as database, pycolmap.DatabaseTransaction(database):
        for pair in pair_counts(database):
            if pair not in pairs:
                database.delete_matches(*pair)
                if database.exists_two_view_geometry(*pair):
                    database.delete_two_view_geometry(*pair)


def write_pairs(path: Path, pairs: Iterable[tuple[str, str]]) -> None:
    """COLMAP's list of pairs: two names per line."""
    with atomic_file(path) as part:
        part.write_text("".join(f"{first} {second}\n" for first, second in pairs), "utf-8")


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """The pairs of a list written by `write_pairs`."""
    try:
        lines = [line.split() for line in read_regular(path).decode("utf-8").splitlines()]
    except OSError as error:
        raise FileFormatError(path, error.strerror or "it does not exist") from error
    except UnicodeDecodeError as error:
        raise FileFormatError(path, "it is not a list of pairs") from error
    wrong = next((number for number, words in enumerate(lines, 1) if len(words) != 2), 0)
    if wrong:
        raise FileFormatError(path, f"line {wrong} does not hold two names")
    return [(first, second) for first, second in lines]
