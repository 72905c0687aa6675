"""Keypoints and descriptors of every photo: database.db (and features/ for the learned ones)."""

from __future__ import annotations

from typing import Any

from ..colmap.calls import pycolmap, run_cancellable
from ..colmap.database import create_database, image_ids, open_database, write_features
from ..colmap.database_check import database_problem
from ..colmap.row_counter import RowCounter
from ..errors import UserError
from ..events import Progress
from ..files.whole_files import remove
from ..settings import FeaturesSettings
from ..workspace import Workspace, remove_database

SIFT_KEYPOINTS = 8192
SUPERPOINT_KEYPOINTS = 2048  # a pair of 4,096 takes SuperGlue four times as long
BATCH = 4  # photos given to SuperPoint at once; two such batches are what a kill can cost


def inputs(workspace: Workspace, settings: FeaturesSettings) -> Any:
    if settings.features == "sift":
        return ""
    from ..models.registry import identity

    return identity("superpoint", settings.weights)


def reset(workspace: Workspace) -> None:
    remove_database(workspace.database)
    remove(workspace.features)


def run(workspace: Workspace, settings: FeaturesSettings, progress: Progress) -> dict[str, Any]:
    what = database_problem(workspace.database)
    if what:
        progress.warning(f"{workspace.database} {what}: it is made again.")
        remove_database(workspace.database)
    if settings.features != "sift" and _remove_torn(workspace, progress):
        # Found again they need not be the same to the bit, so that the database's own might belong to others.
        remove_database(workspace.database)
    if not workspace.database.exists():
        create_database(workspace)
    if settings.features == "sift":
        _sift(workspace, settings, progress)
    else:
        _learned(workspace, settings, progress)
    with open_database(workspace.database) as database:
        ids = image_ids(database)
        counts = {name: database.num_keypoints_for_image(image) for name, image in ids.items()}
    for name, count in counts.items():
        if count < 50:
            progress.warning(
                f"{name} has only {count} features: it is dark, blurred or without texture.", photo=name
            )
    mean = sum(counts.values()) / max(len(counts), 1)
    message = f"{mean:.0f} {'SIFT' if settings.features == 'sift' else 'SuperPoint'} features a photo"
    return {"message": message, "photos": len(counts), "mean": round(mean)}


def _remove_torn(workspace: Workspace, progress: Progress) -> int:
    """Remove the files of features that are not whole; the number of photos whose features are to be found anew
    though the database may have them."""
    from ..matching.feature_files import feature_path, load_features

    torn = 0
    for photo in workspace.used_photos():
        path = feature_path(workspace, photo["name"])
        if not path.exists():
            torn += 1
            continue
        try:
            load_features(path)
        except UserError:
            progress.warning(f"{path.name} is not whole: the features of {photo['name']} are found again.")
            torn += 1
            remove(path)
    return torn


def _sift(workspace: Workspace, settings: FeaturesSettings, progress: Progress) -> None:
    """COLMAP's SIFT; it passes over the photos it finds done."""
    names = [photo["name"] for photo in workspace.used_photos()]
    reader = pycolmap.ImageReaderOptions()
    if workspace.masks.is_dir():
        reader.mask_path = workspace.masks
    options = pycolmap.FeatureExtractionOptions()
    options.use_gpu = pycolmap.has_cuda and settings.device in ("auto", "cuda")
    options.max_image_size = settings.max_size
    options.sift.max_num_features = settings.max_keypoints or SIFT_KEYPOINTS
    with RowCounter(workspace.database, "keypoints") as counter:
        run_cancellable(
            lambda token: pycolmap.extract_features(
                workspace.database,
                workspace.images,
                names,
                pycolmap.CameraMode.AUTO,
                reader,
                options,
                cancellation_token=token,
            ),
            progress,
            lambda: progress.counted(counter.rows, len(names), "finding features"),
        )


def _learned(workspace: Workspace, settings: FeaturesSettings, progress: Progress) -> None:
    """Some photos at a time: features/NAME.npz whole, then the database; what is there is passed over.

    While one batch goes through the network, the next is read and the last one is written.
    """
    from ..matching.feature_files import feature_path, load_features, save_features
    from ..models.arithmetic import slow_remark, wanted
    from ..models.frontend import FeatureExtractor, Features
    from ..models.parallel import ahead
    from ..photos.image_files import read_gray

    photos = workspace.used_photos()
    extractor = FeatureExtractor(
        settings.weights,
        settings.device,
        max_keypoints=settings.max_keypoints or SUPERPOINT_KEYPOINTS,
        max_size=settings.max_size,
        precision=wanted(settings.precision),
    )
    if remark := slow_remark(settings.precision, extractor.device):
        progress.info(remark)
    batches = [[photo["name"] for photo in photos[i : i + BATCH]] for i in range(0, len(photos), BATCH)]

    def read(names: list[str]) -> tuple[list[str], list[str], list[Any], list[Any]]:
        # A batch whole or not at all: on a GPU a photo's features hang a little on the photos it comes with.
        new = [] if all(feature_path(workspace, name).exists() for name in names) else names
        masks = [workspace.masks / f"{name}.png" for name in new]
        return (
            names,
            new,
            [read_gray(workspace.images / name) for name in new],
            [read_gray(mask) if mask.exists() else None for mask in masks],
        )

    def find(
        batch: tuple[list[str], list[str], list[Any], list[Any]],
    ) -> tuple[list[str], dict[str, Features]]:
        names, new, images, masks = batch
        return names, dict(zip(new, extractor.extract(images, masks), strict=True))

    done = 0
    with open_database(workspace.database) as database:
        ids = image_ids(database)
        for names, found in ahead(find, ahead(read, batches)):
            for name, features in found.items():
                if not feature_path(workspace, name).exists():
                    save_features(feature_path(workspace, name), features)
            for name in names:
                if not database.exists_descriptors(ids[name]):
                    features = load_features(feature_path(workspace, name))
                    write_features(database, ids[name], features.keypoints, features.descriptors)
            done += len(names)
            progress.update(done, len(photos), "finding features")
