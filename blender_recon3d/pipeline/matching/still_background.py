"""Detects a subject that turns in front of a stationary background: most matches are then on the background.

Their geometry is that of a stationary camera, which is correct but useless. COLMAP can discard such matches
(`filter_stationary_matches`), but must not do so in other captures, where distant objects hardly move.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..colmap.calls import pycolmap, run_cancellable
from ..colmap.database import open_database, pair_counts, write_pairs
from ..events import Progress
from ..wording import Sentence, option

# Of a pair's matches: most are stationary in most pairs, or some are while hardly any move a little, as distant objects
# would. In captures made by walking around, none are; on the rim of a fisheye's circle one or two in ten.
STILL = 0.5
APART = 0.25  # some
A_LITTLE = 5.0  # times the minimum move
BETWEEN = 0.25  # of the stationary ones
MIN_MATCHES = 30  # of a pair that counts
MAX_PAIRS = 400  # that are examined
MIN_MOVE = 4.0  # pixels, COLMAP's own
MOVE = 1 / 500  # of the longest side: keypoints of large photos are found in smaller copies

NOTE = (
    "Many matches stand still: the background does not turn with the subject, or something is laid over all photos "
    "(bars, a stamp, controls). They are left out, and the rest is used."
)
ADVICE = Sentence(
    "most matches stand still, so the subject turns before a background that does not, or all photos are from one "
    "place: give masks of the subject (",
    option("masks"),
    "), or put a plain backdrop behind it and take the photos again.",
)


def stands_still(database_path: Path) -> bool:
    """Whether in most pairs matches, other than those of distant objects, are at the same place in both photos."""
    with open_database(database_path) as database:
        limit = min_move(database)
        keypoints: dict[int, np.ndarray] = {}
        shares, apart = [], []
        pairs = sorted(pair for pair, (count, _) in pair_counts(database).items() if count >= MIN_MATCHES)
        for a, b in pairs[:: max(1, -(-len(pairs) // MAX_PAIRS))]:
            matches = database.read_matches(a, b)
            for image in (a, b):
                if image not in keypoints:
                    keypoints[image] = np.asarray(database.read_keypoints(image))[:, :2]
            moved = np.linalg.norm(keypoints[a][matches[:, 0]] - keypoints[b][matches[:, 1]], axis=1)
            still = float((moved <= limit).mean())
            little = float((moved <= A_LITTLE * limit).mean()) - still
            shares.append(still)
            apart.append(still > APART and little < BETWEEN * still)
    return bool(shares) and (float(np.median(shares)) > STILL or float(np.mean(apart)) > 0.5)


def min_move(database: Any) -> float:
    """Pixels by which a match must move to count as moving."""
    longest = max((max(camera.width, camera.height) for camera in database.read_all_cameras()), default=0)
    return max(MIN_MOVE, MOVE * longest)


def verify_what_moves(
    database_path: Path,
    pairs: list[tuple[str, str]],
    pair_list: Path,
    verification: pycolmap.TwoViewGeometryOptions,
    progress: Progress,
) -> None:
    """Verify all pairs again without the stationary matches. pair_list: a file to write the pairs to."""
    verification.filter_stationary_matches = True
    with open_database(database_path) as database:
        verification.stationary_matches_max_error = min_move(database)
        database.clear_two_view_geometries()
    write_pairs(pair_list, pairs)
    run_cancellable(
        lambda token: pycolmap.verify_matches(
            database_path, pair_list, verification, cancellation_token=token
        ),
        progress,
    )
