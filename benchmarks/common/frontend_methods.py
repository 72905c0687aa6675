"""The methods compared by `frontend.py`: transformers' networks, our plain ones, and those of the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from blender_recon3d.pipeline.models import weights as weights_of
from blender_recon3d.pipeline.models.fast_superglue import FastSuperGlue
from blender_recon3d.pipeline.models.frontend import FeatureExtractor, Features, Matcher
from blender_recon3d.pipeline.models.superglue import (
    KeypointSet,
    SuperGlue,
    SuperGlueSettings,
    layers_of,
    normalize_keypoints,
)
from blender_recon3d.pipeline.models.superpoint import SuperPoint
from tests.support.hugging_face import (
    superglue_reference,
    superglue_to_reference,
    superpoint_reference,
    superpoint_to_reference,
)

THRESHOLD = 0.2  # minimum confidence of a match
Pair = tuple[Features, Features]
Method = Callable[[list[Any]], list[Any]]  # from photos to features, or from pairs to sets of matches


def photo_methods(weights: str, device: str, size: int, keypoints: int) -> dict[str, Method]:
    tensors = weights_of.load("superpoint", weights)
    theirs = superpoint_reference(max_keypoints=keypoints).to(device)
    theirs.load_state_dict(superpoint_to_reference(tensors))
    ours = FeatureExtractor(weights, device, keypoints, size)
    plain = SuperPoint(ours.network.settings).eval().to(device)
    plain.load_state_dict(tensors)

    def as_tensor(photo: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(photo)[None, None].to(device).float() / 255

    def run_theirs(photos: list[np.ndarray]) -> list[Any]:
        return [theirs(as_tensor(photo).expand(-1, 3, -1, -1)).keypoints.cpu() for photo in photos]

    def run_plain(photos: list[np.ndarray]) -> list[Features]:
        found = []
        for photo in photos:
            points = plain(as_tensor(photo))[0]
            fields = (points.keypoints + 0.5, points.scores, points.descriptors)
            found.append(Features(*(field.cpu().numpy() for field in fields), photo.shape[::-1]))
        return found

    return {"theirs": run_theirs, "plain": run_plain, "ours": ours.extract}


def pair_methods(weights: str, device: str) -> dict[str, Method]:
    tensors = weights_of.load("superglue", weights)
    layers = layers_of(tensors)
    theirs = superglue_reference(THRESHOLD, layers).to(device)
    theirs.load_state_dict(superglue_to_reference(tensors), strict=False)
    plain = SuperGlue(SuperGlueSettings(layers=layers, threshold=THRESHOLD)).eval().to(device)
    plain.load_state_dict(tensors)
    ours = Matcher(weights, device, THRESHOLD)
    everything = Matcher(weights, device, THRESHOLD)
    network = ours.network
    everything.network = FastSuperGlue(
        tensors, network.settings, network.device, network.arithmetic, skip_identities=False
    )

    def side(features: Features, count: int | None = None) -> list[torch.Tensor]:
        fields = (features.keypoints - 0.5, features.scores, features.descriptors)
        return [torch.from_numpy(field[:count]).to(device) for field in fields]

    def run_theirs(pairs: list[Pair]) -> list[set[tuple[int, int]]]:
        """It needs equal numbers of keypoints: both sides get the smaller one."""
        found = []
        for pair in pairs:
            count = min(len(features.keypoints) for features in pair)
            xy, scores, descriptors = (
                torch.stack(values)[None] for values in zip(*(side(f, count) for f in pair), strict=True)
            )
            width, height = pair[0].image_size
            matches = theirs._match_image_pair(xy, descriptors, scores, height, width)[0]
            found.append(partners(matches.reshape(2, -1)[0].cpu().numpy()))
        return found

    def run_plain(pairs: list[Pair]) -> list[set[tuple[int, int]]]:
        found = []
        for pair in pairs:
            sets = []
            for features in pair:
                xy, scores, descriptors = side(features)
                sets.append(
                    KeypointSet(
                        normalize_keypoints(xy, features.image_size)[None], scores[None], descriptors[None]
                    )
                )
            found.append(partners(plain.match(*sets)[0][0].cpu().numpy()))
        return found

    def run_with(matcher: Matcher) -> Method:
        return lambda pairs: [set(map(tuple, matches.tolist())) for matches, _ in matcher.match(pairs)]

    return {"theirs": run_theirs, "plain": run_plain, "ours": run_with(ours), "all": run_with(everything)}


def partners(matches: np.ndarray) -> set[tuple[int, int]]:
    return {(int(index), int(matches[index])) for index in np.flatnonzero(matches >= 0)}
