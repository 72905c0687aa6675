"""When a registered photo is loose: it has too few points, or they fit badly. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

MIN_POINTS = 40  # sparse points in a photo; with fewer its camera is weakly constrained
LARGE_ERROR = 2.5  # times the median photo's reprojection error
SMALL_ENOUGH = 1.0  # pixels of reprojection error that are never worth mentioning


def error_limit(errors: Sequence[float]) -> float:
    """The reprojection error, in pixels, above which a photo fits badly. errors: of all registered photos."""
    return max(SMALL_ENOUGH, LARGE_ERROR * median(errors)) if errors else SMALL_ENOUGH
