"""SIFT on all pairs, LightGlue where it finds too little in photos that look alike (`..combined_matching`)."""

from __future__ import annotations

from typing import Any

from ..network import Descriptors, Matcher, MatcherNetwork, MatchingJob, Names
from . import efficientnet_retriever, lightglue_matcher, sift_matcher

NEIGHBORS = 20  # photos that look most like each, among which LightGlue is asked


def _open(settings: Any) -> Matcher:
    from ...colmap.sift import SiftMatcher
    from ..combined_matching import CombinedMatcher
    from ..frontend import RetrievalEncoder

    retriever = RetrievalEncoder(settings.weights, settings.device)
    return CombinedMatcher(
        SiftMatcher(settings.device),
        lightglue_matcher.open_matcher(settings),
        lambda job: _alike(job, retriever),
    )


def _alike(job: MatchingJob, retriever: Any) -> set[Names]:
    """Those of the job's pairs that retrieval would have chosen."""
    import numpy as np

    from ...matching.pairing import retrieval
    from ...photos.image_files import read_rgb

    names = [photo.name for photo in job.workspace.used_photos()]
    if len(names) <= NEIGHBORS + 1:
        return set(job.pairs)
    encoded = []
    for number, name in enumerate(names, 1):
        encoded.append(retriever.encode([read_rgb(job.workspace.images / name)]))
        job.progress.update(number, len(names), "comparing photos")
    descriptors = np.concatenate(encoded)
    chosen = {
        (names[first], names[second]) for first, second in retrieval(descriptors @ descriptors.T, NEIGHBORS)
    }
    return {(a, b) for a, b in job.pairs if (a, b) in chosen or (b, a) in chosen}


LIGHTGLUE = lightglue_matcher.NETWORK
NETWORK = MatcherNetwork(
    "sift_and_lightglue",
    "COLMAP's matcher and LightGlue",
    settings=LIGHTGLUE.settings,
    weights=(*LIGHTGLUE.weights, efficientnet_retriever.WEIGHTS),
    precisions=LIGHTGLUE.precisions,
    same_in_bf16=LIGHTGLUE.same_in_bf16,
    open=_open,
    descriptors=Descriptors("sift and aliked", 128),
    min_inliers=max(LIGHTGLUE.min_inliers, sift_matcher.NETWORK.min_inliers),
    first_look=LIGHTGLUE.first_look,
    effort=sift_matcher.NETWORK.effort + LIGHTGLUE.effort / 2,
    growth=LIGHTGLUE.growth,
)
