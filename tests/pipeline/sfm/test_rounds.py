"""Rounds between which the subject was turned over are told from models of all three kinds; other captures are not."""

import numpy as np
import pytest

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.sfm.rounds import rounds_of
from tests.support.scenes import FOCAL, HEIGHT, WIDTH, ring

GENERATOR = np.random.default_rng(0)
# Frame as in `scenes`: y down, the ground at 0.
GROUND = np.column_stack([GENERATOR.uniform(-1, 1, 600), np.zeros(600), GENERATOR.uniform(-1, 1, 600)])
SIDES = GENERATOR.uniform([-0.4, -0.7, -0.3], [0.4, -0.05, 0.3], (600, 3))
ALL = np.ones(600, bool)


def model_of(rounds):
    """A model of rounds, each of poses and of the points that all of its photos see: [(poses, points [N, 3])]."""
    model = pycolmap.Reconstruction()
    model.add_camera_with_trivial_rig(
        pycolmap.Camera.create_from_model_name(1, "PINHOLE", FOCAL, WIDTH, HEIGHT)
    )
    tracks: dict[tuple, pycolmap.Track] = {}
    number = 0
    for poses, points in rounds:
        for pose in poses:
            number += 1
            local = points @ pose[:, :3].T + pose[:, 3]
            image = pycolmap.Image(name=f"{number:02d}.jpg", camera_id=1, image_id=number)
            pixels = FOCAL * local[:, :2] / local[:, 2:] + (WIDTH / 2, HEIGHT / 2)
            image.points2D = pycolmap.Point2DList([pycolmap.Point2D(place) for place in pixels])
            model.add_image_with_trivial_frame(image, pycolmap.Rigid3d(pose))
            for keypoint, point in enumerate(map(tuple, points)):
                tracks.setdefault(point, pycolmap.Track()).add_element(number, keypoint)
    for point, track in tracks.items():
        model.add_point3D(np.array(point), track)
    return model


def circle(count=9, height=0.0):
    """Poses all around; height: of the cameras, in meters more than usual."""
    poses = ring(count, radius=1.7, arc=2 * np.pi * (count - 1) / count)
    lift = np.array([0, height, 0])
    return [np.column_stack([pose[:, :3], pose[:, 3] + pose[:, :3] @ lift]) for pose in poses]


def names(first, last):
    return [f"{number:02d}.jpg" for number in range(first, last + 1)]


def taken(*models):
    return sorted({model.image(number).name for model in models for number in model.reg_image_ids()})


def test_a_model_of_the_ground_in_which_the_subject_is_twice():
    model = model_of(
        [(circle(), np.vstack([GROUND, SIDES[:300]])), (circle(8), np.vstack([GROUND, SIDES[300:]]))]
    )
    assert rounds_of([model], taken(model)) == [names(1, 9), names(10, 17)]


def below(count=8):
    """Poses all around and from below, as of a camera above a subject that is upside down."""
    middle = np.array([0, -0.35, 0])
    over = np.diag([1.0, -1.0, -1.0])
    poses = []
    for pose in circle(count):
        rotation = pose[:, :3] @ over
        poses.append(np.column_stack([rotation, pose[:, 3] + pose[:, :3] @ middle - rotation @ middle]))
    return poses


def test_a_model_of_the_subject_with_cameras_above_and_below():
    rooms = GENERATOR.uniform(-3, 3, (2, 2000, 3))
    rooms = [room[np.linalg.norm(room, axis=1) > 2] for room in rooms]
    model = model_of([(circle(), np.vstack([SIDES, rooms[0]])), (below(), np.vstack([SIDES, rooms[1]]))])
    assert rounds_of([model], taken(model)) == [names(1, 9), names(10, 17)]


def test_a_subject_that_stays_is_not_turned_by_cameras_above_and_below():
    """A statue on a pedestal, from the ground and from a ladder, in a room that both rounds see."""
    room = GENERATOR.uniform(-3, 3, (2000, 3))
    both = np.vstack([SIDES, room[np.linalg.norm(room, axis=1) > 2]])
    model = model_of([(circle(), both), (below(), both)])
    assert rounds_of([model], taken(model)) == []


@pytest.mark.parametrize("height", [0.0, 0.4])
def test_photos_taken_unevenly_are_one_round_before_any_background(height):
    """On a turntable before a black cloth nothing tells of the surroundings; most of the first photos are of one side,
    and most of the others of the opposite one."""
    poses = circle(36, height)
    first = [0, 2, 4, 6, 15, 24]
    order = [*first, *(number for number in range(8, 34) if number not in first)]
    model = model_of([([poses[number] for number in order], SIDES)])
    assert rounds_of([model], taken(model)) == []


def test_two_models_that_both_go_all_around():
    whole = model_of([(circle(), SIDES), (circle(8), SIDES)])
    parts = []
    for low, high in ((1, 9), (10, 17)):
        part = pycolmap.Reconstruction(whole)
        for number in list(part.reg_image_ids()):
            if not low <= number <= high:
                part.deregister_frame(part.image(number).frame_id)
        parts.append(part)
    assert rounds_of(parts, taken(*parts)) == [names(1, 9), names(10, 17)]


def test_two_rounds_of_a_subject_that_stayed_are_one():
    both = np.vstack([GROUND, SIDES])
    model = model_of([(circle(), both), (circle(8, height=0.6), both)])
    assert rounds_of([model], taken(model)) == []


def test_the_front_and_the_back_of_a_subject_are_one_round():
    """They share the ground and no points of the subject, but neither goes all around."""
    poses = circle(16)
    model = model_of(
        [(poses[:8], np.vstack([GROUND, SIDES[:300]])), (poses[8:], np.vstack([GROUND, SIDES[300:]]))]
    )
    assert rounds_of([model], taken(model)) == []
