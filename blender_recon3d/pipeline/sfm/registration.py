"""Which photos structure from motion registered, and why others are not: registration.json."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from ..colmap.database import image_ids, open_database, pair_counts, read_pairs
from ..colmap.model_summaries import model_summary, registered
from ..documents.registration_json import (
    PhotoRegistration,
    RegistrationDocument,
    RegistrationState,
)
from ..workspace import Workspace

MIN_MATCHES = 15  # of a pair, for COLMAP to use it; it drops all inliers if fewer agree


def registration(workspace: Workspace, models: list[Any], path: Path) -> RegistrationDocument:
    """models: pycolmap Reconstructions, the main one first; path: the database they come from."""
    photos: dict[str, PhotoRegistration] = {}
    for number, model in reversed(list(enumerate(models))):
        state = RegistrationState.OTHER_MODEL if number else RegistrationState.REGISTERED
        reason = f"belongs to a separate group of photos (sparse/{number})" if number else ""
        for name, (points, error) in registered(model).items():
            photos[name] = PhotoRegistration(
                state=state, reason=reason, model=number, points=points, error=error
            )
    with open_database(path) as database:
        ids = image_ids(database)
        counts = pair_counts(database)
    names = {image: name for name, image in ids.items()}
    by_photo: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for (first, second), (matches, inliers) in counts.items():
        by_photo[names[first]].append((inliers, matches, names[second]))
        by_photo[names[second]].append((inliers, matches, names[first]))
    listed = {name for pair in read_pairs(workspace.pairs) for name in pair}
    for name in ids:
        if name not in photos:
            reason = why_not(name, listed, by_photo[name])
            photos[name] = PhotoRegistration(state=RegistrationState.NOT_REGISTERED, reason=reason)
    return RegistrationDocument(models=[model_summary(model) for model in models], photos=photos)


def why_not(name: str, listed: set[str], pairs: list[tuple[int, int, str]]) -> str:
    """The reason, as a clause. pairs: (verified matches, matches, the other photo) of each pair of this photo."""
    if name not in listed:
        return "no similar photo found"
    inliers, _, partner = max(pairs, default=(0, 0, ""))
    matches, match_partner = max(((m, p) for _, m, p in pairs), default=(0, ""))
    if matches < MIN_MATCHES:
        best = f" (at best {matches}, with {match_partner})" if match_partner else ""
        return f"too few matches with any other photo{best}"
    if not inliers:
        return (
            f"does not match the other photos: too few of {matches} matches with {match_partner} agree "
            "on one geometry"
        )
    return f"not enough triangulated points, though {inliers} matches with {partner} agree"
