"""Tries COLMAP's SIFT if a learned front-end registers few photos or GPS contradicts its cameras.

Networks are trained on upright photos of ordinary lenses; SIFT's keypoints have their own direction and size. Its
features and matches are in a separate database next to the workspace's. If its model is used they are kept
(`keep_database`).
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

from ..colmap.calls import pycolmap
from ..colmap.database import create_database, open_database, read_pairs
from ..colmap.sift import SiftExtractor, SiftMatcher
from ..events import Progress
from ..models.match_listed import match_listed
from ..models.network import ExtractionJob
from ..models.networks.sift_extractor import MAX_KEYPOINTS
from ..models.networks.sift_matcher import NETWORK as MATCHER
from ..photos.image_files import read_gray
from ..stage_settings import FeaturesSettings
from ..wording import Sentence, use, with_option
from ..workspace import Workspace
from .attempts import MIN_REGISTERED_SHARE, Attempts, settle_cameras

MAX_PHOTOS = 400  # with more, SIFT would take as long as everything before

Contradicted = Callable[[Any], bool]  # whether GPS contradicts the cameras of a model


def try_sift(
    workspace: Workspace, attempts: Attempts, contradicted: Contradicted, settle: bool, seed: int
) -> Attempts:
    """The attempts to use: those given, or better ones with SIFT's matches. settle: try other cameras."""
    sift_too, others = kinds_of_keypoints(attempts.database)
    name = "SIFT with a network" if sift_too else "the learned front-end"
    why = _why(attempts, contradicted, name, sift_too)
    if not why or len(attempts.names) < 2 or not others:
        return attempts
    progress = attempts.progress
    if len(attempts.names) > MAX_PHOTOS:
        progress.warning(
            Sentence(f"{why}: run again ", with_option("features", "sift"), ", which may do better.")
        )
        return attempts
    progress.info(f"{why}: trying SIFT.")
    path = attempts.scratch / "sift.db"
    sift_database(workspace, path, seed, progress)
    sift = Attempts(path, attempts.scratch, attempts.map_again, progress, attempts.map_again(path), [])
    if settle:
        settle_cameras(sift)
    if not _better(sift, attempts, contradicted):
        progress.info(f"SIFT does no better: it registers {sift.registered} of {len(sift.names)} photos.")
        return attempts
    progress.warning(
        Sentence(
            f"SIFT registers {sift.registered} of {len(sift.names)} photos where {name} registers "
            f"{attempts.registered}{' wrongly' * (sift.registered <= attempts.registered)}: SIFT's cameras are used. "
            "For more photos of this kind ",
            use("features", "sift"),
            " from the start.",
        )
    )
    return sift


def _why(attempts: Attempts, contradicted: Contradicted, name: str, sift_too: bool) -> str:
    """Why SIFT alone is tried, if at all. If its matches were among those mapped, only GPS is a reason."""
    if not sift_too and attempts.registered < MIN_REGISTERED_SHARE * len(attempts.names):
        return f"{name[0].upper()}{name[1:]} registers only {attempts.registered} of {len(attempts.names)} photos"
    if attempts.models and contradicted(attempts.models[0]):
        return f"GPS puts the photos elsewhere than the cameras of {name}"
    return ""


def _better(sift: Attempts, attempts: Attempts, contradicted: Contradicted) -> bool:
    if not sift.models:
        return False
    if attempts.models and contradicted(attempts.models[0]) and not contradicted(sift.models[0]):
        return sift.registered >= MIN_REGISTERED_SHARE * attempts.registered
    return sift.registered > attempts.registered


def kinds_of_keypoints(path: Path) -> tuple[bool, bool]:
    """Whether a database has SIFT's keypoints, and whether it has others: beside SIFT's they have no descriptors."""
    with open_database(path) as database:
        for image in database.read_all_images():
            if database.exists_descriptors(image.image_id):
                kind = database.read_descriptors(image.image_id).type
                others = database.num_keypoints_for_image(image.image_id)
                others -= database.num_descriptors_for_image(image.image_id)
                sift = kind == pycolmap.FeatureExtractorType.SIFT
                return sift, not sift or others > 0
    return False, False


def sift_database(workspace: Workspace, path: Path, seed: int, progress: Progress) -> None:
    """A database at `path` with SIFT's features of the workspace's photos and verified matches of its pairs."""
    other = copy(workspace)
    other.database = path
    create_database(other)
    defaults = FeaturesSettings()
    names = [photo.name for photo in workspace.used_photos()]
    extractor = SiftExtractor(defaults.device, MAX_KEYPOINTS, defaults.max_size)
    extractor.extract(ExtractionJob(other, names, read_gray, progress))
    verification = pycolmap.TwoViewGeometryOptions()
    verification.min_num_inliers = MATCHER.min_inliers
    verification.ransac.max_error = MATCHER.max_error
    verification.ransac.random_seed = seed
    pairs = read_pairs(workspace.pairs)
    match_listed(
        other, pairs, SiftMatcher(defaults.device), verification, path.with_name("pairs.block.txt"), progress
    )
