"""Keypoints and descriptors of every photo: database.db (and features/ for those of networks)."""

from __future__ import annotations

from typing import Any

from ..events import Progress
from ..files.whole_files import remove
from ..models.front_ends import extractor_of, weights_identity
from ..models.network import ExtractionJob
from ..settings import FeaturesSettings
from ..workspace import Workspace, remove_database

FEW = 50  # features


def inputs(workspace: Workspace, settings: FeaturesSettings) -> Any:
    return weights_identity(extractor_of(settings.front_end), settings.weights)


def reset(workspace: Workspace) -> None:
    remove_database(workspace.database)
    remove(workspace.features)


def run(workspace: Workspace, settings: FeaturesSettings, progress: Progress) -> dict[str, Any]:
    from ..colmap.database import create_database, image_ids, open_database
    from ..colmap.database_check import database_problem
    from ..photos.image_files import read_gray

    network = extractor_of(settings.front_end)
    job = ExtractionJob(workspace, [photo.name for photo in workspace.used_photos()], read_gray, progress)
    what = database_problem(workspace.database)
    if what:
        progress.warning(f"{workspace.database} {what}: it is made again.")
        remove_database(workspace.database)
    extractor = network.open(settings)
    if extractor.remove_torn(job):
        remove_database(workspace.database)
    if not workspace.database.exists():
        create_database(workspace)
    extractor.extract(job)
    with open_database(workspace.database) as database:
        ids = image_ids(database)
        counts = {name: database.num_keypoints_for_image(image) for name, image in ids.items()}
    for name, count in counts.items():
        if count < FEW:
            progress.warning(
                f"{name} has only {count} features: it may be dark, blurred or without texture.", photo=name
            )
    mean = sum(counts.values()) / max(len(counts), 1)
    return {
        "message": f"{mean:.0f} {network.title} features a photo",
        "photos": len(counts),
        "mean": round(mean),
    }
