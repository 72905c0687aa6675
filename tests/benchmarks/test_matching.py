"""The measures of `benchmarks/measure/matching.py`, on cases whose answers are known."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from benchmarks.matching import epipolar, planar
from benchmarks.matching.methods import ColmapSift, Method, NearestNeighbors, OpenCVSift, mutual_nearest
from benchmarks.matching.reconstructions import thinned
from benchmarks.matching.records import Records
from benchmarks.matching.sections import run_section
from benchmarks.matching.warped_pairs import MIN_OVERLAP, overlap, random_homography, warped_pair

SIZE = (640, 480)
HOMOGRAPHY = np.array([[0.9, -0.2, 60.0], [0.15, 1.1, -20.0], [2e-4, -1e-4, 1.0]])


def shift(x: float, y: float = 0.0) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def grid(step: int = 40) -> np.ndarray:
    x, y = np.meshgrid(np.arange(step, SIZE[0], step), np.arange(step, SIZE[1], step))
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float64)


# -- flat scenes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("offset", "expected"), [(0.0, 1.0), (2.0, 1.0), (3.5, 0.0)])
def test_repeatability_counts_what_is_within_three_pixels(offset, expected):
    points = grid()
    moved = planar.warp(points, HOMOGRAPHY)
    inside = planar.inside(moved, SIZE)
    pair = (points[inside], moved[inside] + [offset, 0])
    # where the homography shrinks, 3.5 px there are more than 3 px here too, and it does so by at most 0.7
    assert planar.repeatability(pair, HOMOGRAPHY, (SIZE, SIZE), 500) == expected


def test_repeatability_is_of_both_ways_and_of_the_common_part():
    points = grid()
    here = points[points[:, 0] >= 320]  # the part that stays in the second photo after a shift by 320
    second = (here - [320, 0])[::2]
    found = planar.repeatability((points, second), shift(-320), (SIZE, SIZE), 10_000)
    assert found == pytest.approx(2 * len(second) / (len(here) + len(second)))


def test_repeatability_takes_the_strongest_of_the_common_part():
    hidden = np.array([[10.0, 10.0], [20.0, 20.0]])  # strongest, but left of what the second photo shows
    shown = np.array([[400.0, 100.0], [500.0, 200.0]])
    pair = (np.vstack([hidden, shown]), shown - [320, 0])
    assert planar.repeatability(pair, shift(-320), (SIZE, SIZE), 2) == 1.0
    assert planar.repeatability((pair[0][:2], pair[1]), shift(-320), (SIZE, SIZE), 2) == 0.0


def test_a_place_found_twice_counts_once():
    points = grid()
    twice = np.repeat(points[:10], 2, axis=0)
    few = planar.repeatability((twice, points[:5]), np.eye(3), (SIZE, SIZE), 5)
    assert few == 1.0  # five places against the same five, not two and a half


def test_no_keypoints_repeat_nothing():
    assert planar.repeatability((np.zeros((0, 2)), grid()), np.eye(3), (SIZE, SIZE), 500) == 0.0


def test_matching_accuracy_of_known_errors():
    points = grid()[:4]
    off = np.array([[0.0, 0], [0, 2], [4, 0], [0, 100]])
    errors = planar.transfer_errors(points, planar.warp(points, HOMOGRAPHY) + off, HOMOGRAPHY)
    assert errors == pytest.approx([0, 2, 4, 100], abs=1e-9)
    assert planar.matching_accuracy(errors, (1, 3, 5)) == [0.25, 0.5, 0.75]
    assert planar.matching_accuracy(np.zeros(0), (1, 3, 5)) == [0.0, 0.0, 0.0]


def test_beyond_the_horizon_there_is_nothing():
    tilted = np.array([[1, 0, 0], [0, 1, 0], [-1 / 320, 0, 1.0]])  # its horizon is at x = 320
    points = np.array([[100.0, 50], [320, 50], [400, 50]])
    assert np.isnan(planar.warp(points, tilted)).any(axis=1).tolist() == [False, True, True]
    assert np.isinf(planar.transfer_errors(points, points, tilted)).tolist() == [False, True, True]
    assert planar.true_matches(points, planar.warp(points[:1], tilted), tilted).tolist() == [[0, 0]]


def test_true_matches_are_mutual_and_near():
    first = np.array([[100.0, 100], [102, 100], [300, 300], [500, 100]])
    second = np.array([[100.5, 100], [300, 302.9], [500, 103.1]])
    # 0 and 1 are both near the same point, which is nearer to 0; 3.1 px is too far
    assert planar.true_matches(first, second, np.eye(3)).tolist() == [[0, 0], [2, 1]]


def test_precision_and_recall_of_known_matches():
    first = grid()[:10]
    second = np.vstack([first[:8] + np.array([2, 0]), [[1e4, 1e4], [2e4, 2e4]]])
    truth = planar.true_matches(first, second, np.eye(3))
    assert len(truth) == 8
    matches = np.array([[0, 0], [1, 1], [2, 2], [3, 4], [9, 9]])  # three right, two wrong
    errors = planar.transfer_errors(first[matches[:, 0]], second[matches[:, 1]], np.eye(3))
    assert planar.precision_recall(matches, errors, truth) == (pytest.approx(3 / 5), pytest.approx(3 / 8))
    nothing = planar.precision_recall(np.zeros((0, 2), int), np.zeros(0), truth)
    assert nothing == (0.0, 0.0)
    assert np.isnan(planar.precision_recall(matches, errors, truth[:0])[1])


def test_a_homography_is_found_among_wrong_matches():
    points = grid()
    there = planar.warp(points, HOMOGRAPHY)
    there[::3] += np.random.default_rng(0).uniform(50, 200, there[::3].shape)
    assert planar.corner_error(HOMOGRAPHY, planar.estimate_homography(points, there), SIZE) < 0.01


def test_the_corner_error_of_a_shift_is_its_length():
    assert planar.corner_error(HOMOGRAPHY, HOMOGRAPHY, SIZE) == pytest.approx(0, abs=1e-9)
    assert planar.corner_error(HOMOGRAPHY, shift(3, 4) @ HOMOGRAPHY, SIZE) == pytest.approx(5)
    assert planar.corner_error(HOMOGRAPHY, planar.estimate_homography(grid()[:3], grid()[:3]), SIZE) == np.inf


def test_a_homography_of_reduced_photos():
    """A place in the middle of a pixel of the originals lies where resizing puts it."""
    place = np.array([[100.0, 60.0]])  # integer-centered, of the first photo
    target = planar.warp(place, HOMOGRAPHY)
    scales = ((0.5, 0.25), (0.8, 0.4))
    moved = planar.warp((place + 0.5) * scales[0], planar.in_colmap_pixels(HOMOGRAPHY, scales))
    assert moved == pytest.approx((target + 0.5) * scales[1], abs=1e-9)


# -- solid scenes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("errors", "threshold", "expected"),
    [
        ([0.0, 0.0, 0.0], 10, 1.0),
        ([np.inf, np.inf], 10, 0.0),
        ([20.0], 10, 0.0),
        ([5.0], 10, 0.75),  # a ramp to 1 at 5, then 1: (2.5 + 5) / 10
        ([5.0, np.inf], 10, 0.375),
        ([], 10, 0.0),
    ],
)
def test_area_under_the_curve(errors, threshold, expected):
    assert epipolar.area_under_curve(errors, (threshold,)) == [pytest.approx(expected)]


def pose(degrees: float, axis: tuple[float, float, float], t: tuple[float, float, float]):
    return Rotation.from_rotvec(np.radians(degrees) * np.array(axis)).as_matrix(), np.array(t)


def test_pose_errors_are_angles():
    truth = pose(30, (0, 1, 0), (1, 0, 0))
    assert epipolar.pose_error(truth, truth) == pytest.approx((0, 0), abs=1e-6)
    turned = pose(33, (0, 1, 0), (5, 0, 0))  # the length of the translation does not count
    assert epipolar.pose_error(turned, truth) == pytest.approx((3, 0), abs=1e-6)
    aside = pose(30, (0, 1, 0), (np.cos(np.radians(7)), np.sin(np.radians(7)), 0))
    assert epipolar.pose_error(aside, truth) == pytest.approx((0, 7), abs=1e-6)
    assert epipolar.pose_error(pose(30, (0, 1, 0), (-1, 0, 0)), truth) == pytest.approx((0, 0), abs=1e-6)


def test_a_relative_pose_takes_points_from_one_camera_to_the_other():
    first = pose(20, (0, 1, 0), (1, 2, 3))
    second = pose(50, (1, 0, 0), (-2, 0.5, 1))  # (rotation world to camera, center)
    rotation, translation = epipolar.relative_pose(first, second)
    point = np.array([0.3, -0.7, 9.0])
    in_first, in_second = (r @ (point - c) for r, c in (first, second))
    assert rotation @ in_first + translation == pytest.approx(in_second)


@pytest.fixture
def view():
    """A scene of 300 points seen by two cameras: the points in pixels, K of each, and the true pose."""
    generator = np.random.default_rng(5)
    scene = generator.uniform([-3, -2, 6], [3, 2, 12], (300, 3))
    intrinsics = (
        np.array([[900, 0, 400], [0, 900, 300], [0, 0, 1.0]]),
        np.array([[700, 0, 320], [0, 710, 250], [0, 0, 1.0]]),
    )
    rotation, translation = pose(25, (0.1, 0.99, 0.05), (-4.0, 0.3, 0.8))
    seen = (scene, scene @ rotation.T + translation)
    points = tuple((xyz @ k.T)[:, :2] / xyz[:, 2:] for xyz, k in zip(seen, intrinsics, strict=True))
    return points, intrinsics, (rotation, translation)


def test_the_pose_is_found_among_wrong_matches(view):
    (first, second), intrinsics, truth = view
    generator = np.random.default_rng(6)
    second = second + generator.normal(0, 0.2, second.shape)
    second[:90] = generator.uniform(0, 600, (90, 2))
    found, inliers = epipolar.estimate_pose((first, second), intrinsics)
    assert max(epipolar.pose_error(found, truth)) < 0.5
    assert 190 <= inliers <= 230


def test_four_matches_give_no_pose(view):
    (first, second), intrinsics, _ = view
    assert epipolar.estimate_pose((first[:4], second[:4]), intrinsics) == (None, 0)


def test_epipolar_distances_are_pixels(view):
    points, intrinsics, truth = view
    assert epipolar.epipolar_distances(points, intrinsics, truth).max() < 1e-6
    generator = np.random.default_rng(7)
    angle = generator.uniform(0, 2 * np.pi, 300)
    moved = points[1] + 3 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    distances = epipolar.epipolar_distances((points[0], moved), intrinsics, truth)
    # by up to 3 px off the line, which both photos share between them
    assert distances.max() < 3
    assert 1 < np.sqrt((distances**2).mean()) < 3 / np.sqrt(2)


# -- pairs made from photos ---------------------------------------------------------------------------


def test_random_homographies_overlap_and_are_repeatable():
    made = [random_homography(SIZE, np.random.default_rng([1, k])) for k in range(20)]
    again = random_homography(SIZE, np.random.default_rng([1, 3]))
    assert np.array_equal(made[3], again)
    assert min(overlap(homography, SIZE) for homography in made) >= MIN_OVERLAP
    turns = [np.degrees(np.arctan2(h[1, 0] - h[0, 1], h[0, 0] + h[1, 1])) for h in made]
    assert max(turns) > 20 and min(turns) < -20


def test_the_overlap_of_a_shift():
    assert overlap(np.eye(3), SIZE) == 1.0
    assert overlap(shift(320), SIZE) == pytest.approx(0.5, abs=0.03)


def texture(width: int, height: int) -> np.ndarray:
    """Smooth random gray, uint8 [height, width]."""
    noise = np.random.default_rng(0).uniform(0, 255, (height, width)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def test_the_homography_of_a_warped_pair_is_that_of_its_pixels():
    """SIFT's matches agree with the homography to a fraction of a pixel, in spite of the changed light."""
    photo = cv2.cvtColor(texture(640, 480), cv2.COLOR_GRAY2RGB)
    method = Method("SIFT", ColmapSift(), ColmapSift())
    for seed in range(3):
        pair = warped_pair(photo, np.full_like(photo, 127), np.random.default_rng(seed))
        assert pair.first.shape == pair.second.shape == (480, 640)
        first, second = (method.extractor.extract(view, 2000) for view in (pair.first, pair.second))
        matches = method.matcher.match(first, second)
        matched = first.keypoints[matches[:, 0]], second.keypoints[matches[:, 1]]
        errors = planar.transfer_errors(*matched, pair.homography)
        assert len(matches) > 50 and np.mean(errors < 3) > 0.9
        offsets = (planar.warp(matched[0], pair.homography) - matched[1])[errors < 3]
        # SIFT's keypoints scatter; a common offset is an error of the homography
        assert np.abs(np.median(offsets, axis=0)).max() < 0.15


# -- front-ends ---------------------------------------------------------------------------------------


def test_mutual_nearest_neighbors():
    first = np.eye(4)[:3]
    second = np.eye(4)[[1, 0, 3]]
    assert mutual_nearest(first, second).tolist() == [[0, 1], [1, 0]]
    assert mutual_nearest(first, second[:0]).shape == (0, 2)


def test_the_ratio_test_drops_what_is_alike():
    first = np.array([[1.0, 0], [0, 1]])
    second = np.array([[1.0, 0], [np.cos(0.01), np.sin(0.01)], [0, 1]])
    assert mutual_nearest(first, second).tolist() == [[0, 0], [1, 2]]
    near = np.array([[np.cos(0.005), np.sin(0.005)], [0, 1]])  # half way between two
    assert mutual_nearest(near, second, 0.8).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    "method",
    [Method("OpenCV", OpenCVSift(), NearestNeighbors(0.8)), Method("COLMAP", ColmapSift(), ColmapSift())],
    ids=lambda method: method.label,
)
def test_sift_matches_a_photo_with_itself_shifted(method):
    """This also checks the position of keypoints: half a pixel too much would be detected."""
    wide = texture(340, 240)
    first, second = (
        method.extractor.extract(np.ascontiguousarray(v), 400) for v in (wide[:, :320], wide[:, 20:])
    )
    assert 100 < len(first.keypoints) <= 400
    assert first.image_size == (320, 240)
    assert (np.diff(first.scores) <= 0).all()
    matches = method.matcher.match(first, second)
    errors = planar.transfer_errors(
        first.keypoints[matches[:, 0]], second.keypoints[matches[:, 1]], shift(-20)
    )
    assert len(matches) > 100
    assert np.mean(errors < 0.1) > 0.9


@pytest.mark.parametrize("extractor", [OpenCVSift(), ColmapSift()])
def test_sift_counts_pixels_as_colmap_does(extractor):
    """A symmetric blob in the middle of the photo is found in its middle."""
    y, x = np.mgrid[:101, :121]
    blob = 255 * np.exp(-((x - 60) ** 2 + (y - 50) ** 2) / (2 * 6.0**2))
    found = extractor.extract(blob.astype(np.uint8), 10)
    # OpenCV's pyramid is off by a quarter of a pixel of the doubled photo; the half that matters here is more
    assert np.abs(found.keypoints - [60.5, 50.5]).min(axis=0) == pytest.approx(0, abs=0.3)


# -- keeping results ----------------------------------------------------------------------------------


class Counted:
    """A section of two items that counts how often it measures."""

    name = "counted"

    def __init__(self, size: int) -> None:
        self.settings = {"size": size}
        self.measured: list[str] = []

    def items(self) -> list[str]:
        return ["a", "b"]

    def measure(self, method: Method, item: str) -> dict[str, object]:
        self.measured.append(f"{method.label} {item}")
        return {"value": len(item)}


def test_only_what_is_missing_is_measured(tmp_path):
    path = tmp_path / "results.jsonl"
    sift = Method("SIFT", OpenCVSift(), NearestNeighbors(0.8))
    other = Method("without ratio", OpenCVSift(), NearestNeighbors())

    def measured(section: Counted, methods: list[Method], fresh: bool = False) -> list[str]:
        found = run_section(section, methods, Records(path, fresh), lambda message: None)
        assert found == {method.label: {"a": {"value": 1}, "b": {"value": 1}} for method in methods}
        return section.measured

    assert measured(Counted(1), [sift]) == ["SIFT a", "SIFT b"]
    assert measured(Counted(1), [sift, other]) == ["without ratio a", "without ratio b"]
    assert measured(Counted(2), [sift]) == ["SIFT a", "SIFT b"]
    assert measured(Counted(2), [sift], fresh=True) == ["SIFT a", "SIFT b"]
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:1], lines[1][:20]]))  # killed in the middle of a line
    assert measured(Counted(1), [sift]) == ["SIFT b"]
    assert measured(Counted(1), [sift]) == []
    assert json.loads(lines[0])["values"] == {"value": 1}


def test_every_third_photo(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(7):
        (photos / f"{number}.jpg").write_bytes(bytes([number]))
    (photos / "notes.txt").write_text("no photo")
    names = [path.name for path in sorted(thinned(photos, 3, tmp_path / "some").iterdir())]
    assert names == ["0.jpg", "3.jpg", "6.jpg"]
