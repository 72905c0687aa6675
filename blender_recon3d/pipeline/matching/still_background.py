"""A subject that turns before a background that stands still: most matches are then of the background, and do not move.

Their geometry is that of a camera that stands still, which is true, and of no use. COLMAP can leave such matches out
(`filter_stationary_matches`); it must not do so in other captures, where what is far away hardly moves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..colmap.calls import pycolmap, run_cancellable
from ..colmap.database import open_database, pair_counts, write_pairs
from ..events import Progress
from ..wording import Sentence, option

# Of a pair's matches: where most stand still in most pairs, or some while hardly any move a little, as what is far away
# would. In captures that one walks round none do; on the rim of a fisheye's circle a tenth of them, or two.
STILL = 0.5
APART = 0.25  # some
A_LITTLE = 5.0  # times the least move
BETWEEN = 0.25  # of those that stand still
MIN_MATCHES = 30  # matches of a pair that says anything
MAX_PAIRS = 400  # that are looked at
MIN_MOVE = 4.0  # pixels, COLMAP's own
MOVE = 1 / 500  # of the longest side: keypoints of large photos are found in smaller ones

SAID = (
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
    """Whether in most pairs matches are at the same place in both photos that are not of something far away."""
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
    """Pixels that a match must move by to count as moved."""
    longest = max((max(camera.width, camera.height) for camera in database.read_all_cameras()), default=0)
    return max(MIN_MOVE, MOVE * longest)


def verify_what_moves(
    database_path: Path,
    pairs: list[tuple[str, str]],
    pair_list: Path,
    verification: pycolmap.TwoViewGeometryOptions,
    progress: Progress,
) -> None:
    """Verify all pairs again without the matches that stand still. pair_list: a file to write the pairs to."""
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
