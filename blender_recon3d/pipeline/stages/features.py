"""Keypoints and descriptors of every photo: database.db (and features/ for networks)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import job_arithmetic
from ..alignments.project_files import has_tracks
from ..documents.state_json import StageState
from ..events import Progress
from ..files.atomic_files import remove
from ..job_forecast import Facts
from ..models.front_ends import extractor_of, weights_identity
from ..models.network import ExtractionJob
from ..results import Damage
from ..stage import Stage
from ..stage_settings import FeaturesSettings
from ..workspace import Workspace, remove_database, side_files

MIN_FEATURES = 50  # with fewer, a photo gets a warning

if TYPE_CHECKING:
    from ..settings import JobSettings
    from ..work_items import Items


def inputs(workspace: Workspace, settings: FeaturesSettings) -> Any:
    return weights_identity(extractor_of(settings.front_end), settings.weights)


def settle(
    workspace: Workspace, settings: JobSettings, begins: Callable[[JobSettings], bool]
) -> tuple[JobSettings, Callable[[], None]]:
    """One arithmetic for the features and the matches of a job."""
    settled, chosen = job_arithmetic.of_job(workspace, settings, begins)
    return settled, partial(job_arithmetic.record, workspace, chosen)


def look_closer(workspace: Workspace) -> list[Damage]:
    """Check the database if it was being written when the previous run ended."""
    from ..colmap.database_check import database_problem

    matches = workspace.read_state().stage("matches").state
    recorded = workspace.read_files("features" if matches == StageState.NOT_RUN else "matches")
    if matches in (StageState.NOT_RUN, StageState.DONE) and recorded:
        return []
    what = database_problem(workspace.database)
    return [Damage(workspace.database, what)] if what else []


def owns(workspace: Workspace) -> Sequence[Path]:
    return (workspace.database, *side_files(workspace.database), workspace.features)


def set_aside(workspace: Workspace, folder: Path) -> None:
    """The database, including its matches, and the features of networks."""
    for path in (workspace.database, workspace.features):
        if path.exists():
            path.replace(folder / path.name)
    for path in side_files(workspace.database):
        remove(path)


def take_back(workspace: Workspace, names: Mapping[str, str], progress: Progress) -> None:
    from ..colmap.earlier_database import take_features

    if count := take_features(workspace, names):
        progress.info(f"The features of {count} photos are kept from before.")


def forecast(facts: Facts) -> float:
    return extractor_of(facts.settings.of(FeaturesSettings).front_end).effort * facts.megapixels_seen


def run(workspace: Workspace, settings: FeaturesSettings, progress: Progress) -> dict[str, Any]:
    from ..colmap.database import create_database, image_ids, open_database
    from ..colmap.database_check import database_problem

    network = extractor_of(settings.front_end)
    job = _job(workspace, progress)
    what = database_problem(workspace.database)
    if what:
        progress.warning(f"{workspace.database} {what}: rebuilding it.")
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
        if count < MIN_FEATURES:
            progress.warning(
                f"{name} has only {count} features: it may be dark, blurred or without texture.", photo=name
            )
    mean = sum(counts.values()) / max(len(counts), 1)
    return {
        "message": f"{mean:.0f} {network.title} features a photo",
        "photos": len(counts),
        "mean": round(mean),
    }


def prepare(workspace: Workspace, settings: FeaturesSettings, progress: Progress) -> None:
    """An empty database, and how the photos are rotated."""
    from ..colmap.database import create_database

    if not workspace.database.exists():
        create_database(workspace)
    extractor_of(settings.front_end).open(settings).prepare(_job(workspace, progress))


def items(workspace: Workspace, settings: FeaturesSettings, progress: Progress) -> Items:
    from ..models.feature_items import FeatureItems

    return FeatureItems(_job(workspace, progress), extractor_of(settings.front_end).open(settings))


def _job(workspace: Workspace, progress: Progress) -> ExtractionJob:
    from ..photos.image_files import read_gray

    return ExtractionJob(workspace, [photo.name for photo in workspace.used_photos()], read_gray, progress)


STAGE = Stage(
    name="features",
    title="Finding features",
    makes="Features",
    version=1,
    needs=("photos",),
    after=("pairs",),
    settings=FeaturesSettings,
    not_in_fingerprint_as={"precision": "auto"},  # for SIFT; for networks it is decided before
    inputs=inputs,
    run=run,
    owns=owns,
    leaves=lambda workspace: (workspace.database,),
    may_leave=lambda workspace: (workspace.features,),
    left_out=lambda settings: has_tracks(settings.alignment),
    forecast=forecast,
    look_closer=look_closer,
    set_aside=set_aside,
    take_back=take_back,
    prepare=prepare,
    items=items,
    settle=settle,
)
