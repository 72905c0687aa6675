"""ArUco markers in the photos, as squares in the model's frame: they define the scale and the ground.

Garrido-Jurado et al., "Automatic generation and detection of highly reliable fiducial markers under occlusion",
2014, by OpenCV. A ChArUco board's markers are ArUco markers, and are found as such.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np

from ..errors import UserError
from ..wording import Sentence, terminal_only

DICTIONARIES = (
    "4X4_50", "4X4_100", "4X4_250", "4X4_1000", "5X5_50", "5X5_100", "5X5_250", "5X5_1000", "6X6_50", "6X6_100",
    "6X6_250", "6X6_1000", "7X7_50", "7X7_100", "7X7_250", "7X7_1000", "ARUCO_ORIGINAL", "APRILTAG_36h11",
)  # fmt: skip
MIN_VIEWS = 2
LARGEST_ERROR = 2.0  # pixels between observed and triangulated corners
MIN_ANGLE = 2.0  # degrees between the outermost rays; less gives no depth
UNEVEN = 0.1  # of the side; sides and diagonals of a square agree better than that


@dataclass(frozen=True)
class View:
    """A photo: its name, the projection [3, 4] to undistorted normalized coordinates, and the functions between these
    and pixels [N, 2]."""

    name: str
    cam_from_world: np.ndarray
    normalized: Callable[[np.ndarray], np.ndarray]
    pixels: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Marker:
    """A marker's corners [4, 3] in the model's frame, clockwise from its front, and the number of photos it is in."""

    number: int
    corners: np.ndarray
    views: int

    @property
    def side(self) -> float:
        return float(np.linalg.norm(self.corners - np.roll(self.corners, 1, axis=0), axis=1).mean())

    @property
    def normal(self) -> np.ndarray:
        """Unit, away from the printed side."""
        across = np.cross(self.corners[2] - self.corners[0], self.corners[3] - self.corners[1])
        return -across / np.linalg.norm(across)


def find_corners(image: np.ndarray, dictionary: str) -> dict[int, np.ndarray]:
    """Corners [4, 2] of each marker of a gray photo, in COLMAP's pixels (the first pixel's center is (.5, .5)).

    A marker found twice in one photo is ambiguous and skipped.
    """
    kind = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, f"DICT_{dictionary}"))
    parameters = cv2.aruco.DetectorParameters()
    # Lines fitted to the sides: these corners are in COLMAP's pixels already. CORNER_REFINE_SUBPIX puts them a fifth
    # of a pixel inside, which makes the world half a percent too large with markers of 70 pixels.
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_APRILTAG
    corners, numbers, _ = cv2.aruco.ArucoDetector(kind, parameters).detectMarkers(image)
    if numbers is None:
        return {}
    ids = [int(number) for number in np.ravel(numbers)]
    return {
        number: np.reshape(each, (4, 2)).astype(np.float64)
        for number, each in zip(ids, corners, strict=True)
        if ids.count(number) == 1
    }


def markers_in_space(views: list[View], seen: dict[str, dict[int, np.ndarray]]) -> list[Marker]:
    """The markers found in several photos, triangulated. seen: results of `find_corners` by photo.

    A marker is skipped if its corners do not fit the photos to LARGEST_ERROR pixels or are not square.
    """
    rays: dict[int, list[tuple[View, np.ndarray]]] = defaultdict(list)
    for view in views:
        for number, corners in seen.get(view.name, {}).items():
            rays[number].append((view, corners))
    markers = [_triangulated(number, by) for number, by in sorted(rays.items()) if len(by) >= MIN_VIEWS]
    return [marker for marker in markers if marker is not None]


def _triangulated(number: int, by: list[tuple[View, np.ndarray]]) -> Marker | None:
    """Triangulate a marker, without photos that disagree with the others."""
    while len(by) >= MIN_VIEWS:
        corners = np.stack([_point([(view, seen[corner]) for view, seen in by]) for corner in range(4)])
        error = np.array([np.linalg.norm(_seen_at(view, corners) - seen, axis=1).max() for view, seen in by])
        if np.nanmax(np.where(np.isfinite(error), error, np.inf)) <= LARGEST_ERROR:
            marker = Marker(number, corners, len(by))
            return marker if _wide_enough(by, corners) and _is_square(corners) else None
        by = [
            each for index, each in enumerate(by) if index != int(np.argmax(np.nan_to_num(error, nan=np.inf)))
        ]
    return None


def _point(seen: list[tuple[View, np.ndarray]]) -> np.ndarray:
    """Linear triangulation (Hartley and Zisserman 2003, section 12.2)."""
    rows = []
    for view, pixel in seen:
        u, v = view.normalized(pixel[None])[0]
        rows += [u * view.cam_from_world[2] - view.cam_from_world[0]]
        rows += [v * view.cam_from_world[2] - view.cam_from_world[1]]
    homogeneous = np.linalg.svd(np.array(rows))[2][-1]
    return homogeneous[:3] / homogeneous[3]


def _seen_at(view: View, points: np.ndarray) -> np.ndarray:
    ours = points @ view.cam_from_world[:, :3].T + view.cam_from_world[:, 3]
    if not (ours[:, 2] > 0).all():
        return np.full((len(points), 2), np.inf)
    return view.pixels(ours[:, :2] / ours[:, 2:])


def _wide_enough(by: list[tuple[View, np.ndarray]], corners: np.ndarray) -> bool:
    middle = corners.mean(axis=0)
    centers = [-view.cam_from_world[:, :3].T @ view.cam_from_world[:, 3] for view, _ in by]
    rays = [(middle - center) / np.linalg.norm(middle - center) for center in centers]
    return min(float(a @ b) for a, b in combinations(rays, 2)) < np.cos(np.radians(MIN_ANGLE))


def _is_square(corners: np.ndarray) -> bool:
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    diagonals = np.linalg.norm(corners[:2] - corners[2:], axis=1) / np.sqrt(2)
    both = np.concatenate([sides, diagonals])
    return bool(np.ptp(both) <= UNEVEN * both.mean())


def scale_of(markers: list[Marker], size: float) -> tuple[float, float]:
    """Meters per unit of the model, for markers with sides of `size` meters, and how much they differ (a fraction).

    UserError if there are none.
    """
    if not markers:
        raise UserError(
            Sentence(
                "No marker was found in at least two photos: check ",
                terminal_only("--marker-dictionary, and "),
                "that the markers are sharp and at least 30 pixels large in the photos.",
            ),
            2,
        )
    sides = np.array([marker.side for marker in markers])
    weights = np.array([marker.views for marker in markers], float)
    mean = float((weights * sides).sum() / weights.sum())
    return size / mean, float(np.ptp(sides) / mean)
