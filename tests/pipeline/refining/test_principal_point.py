"""The principal point is refined where the photos determine it, and only there."""

import numpy as np
import pytest

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.refining.principal_point import free_principal_points
from tests.support.made_models import center_errors, made_model, visible
from tests.support.scenes import look_at

WIDTH, HEIGHT, FOCAL = 1600, 1200, 1400.0
NOISE = 0.3  # pixels, as SIFT's


def camera(shift=(0.0, 0.0), number=1):
    params = [FOCAL, WIDTH / 2 + shift[0], HEIGHT / 2 + shift[1], 0.0]
    return pycolmap.Camera(model="SIMPLE_RADIAL", width=WIDTH, height=HEIGHT, params=params, camera_id=number)


def turned(pose, roll, yaw):
    """The camera rotated in place, degrees: about its axis, and to the side."""
    r, y = np.radians([roll, yaw])
    about = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    aside = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    return about @ aside @ pose


def orbit(count=12):
    """Around an object and above it, as people walk."""
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return [
        look_at(
            np.array([3 * np.cos(a), -1.0 - 0.5 * (i % 3), 3 * np.sin(a)]), np.array([0.1 * (i % 2), -0.2, 0])
        )
        for i, a in enumerate(angles)
    ]


def line(count=10):
    """Straight along a wall, all looking in the same direction."""
    return [np.column_stack([np.eye(3), [-0.3 * i, 0, 0]]) for i in range(count)]


def cloud(low, high, count=400, seed=1):
    return np.random.default_rng(seed).uniform(low, high, (count, 3))


THING = cloud([-0.8, -0.8, -0.8], [0.8, 0.4, 0.8])
WALL = cloud([-1.5, -1.2, 2.5], [5.0, 1.2, 4.0])


def adjusted(poses, xyz, shift):
    """A model as the mapper leaves it: everything adjusted with the principal point fixed at the center."""
    true = camera(shift)
    model = made_model(poses, true, xyz, visible(poses, true, xyz), NOISE)
    model.camera(1).params = camera().params
    options = pycolmap.BundleAdjustmentOptions()
    options.print_summary = False
    options.ceres.solver_options.num_threads = 1
    pycolmap.bundle_adjustment(model, options)
    return model


def found_at(model):
    return np.array(model.camera(1).params[1:3]) - np.array([WIDTH, HEIGHT]) / 2


def test_a_shifted_principal_point_and_its_cameras_are_found():
    poses = orbit()
    model = adjusted(poses, THING, (9.0, -7.0))
    freed, (said,) = free_principal_points(model, set(), Progress())
    assert said.freed and said.photos == len(poses)
    assert np.abs(found_at(freed) - (9.0, -7.0)).max() < 0.5
    # Standard deviations are realistic: the truth is within four.
    assert (np.abs(found_at(freed) - (9.0, -7.0)) < 4 * np.array(said.deviation)).all()
    assert center_errors(freed, poses).mean() < 0.6 * center_errors(model, poses).mean()


def test_a_centered_principal_point_stays():
    poses = orbit()
    model = adjusted(poses, THING, (0.0, 0.0))
    freed, _ = free_principal_points(model, set(), Progress())
    assert np.abs(found_at(freed)).max() < 0.5
    assert center_errors(freed, poses).mean() < 1.3 * center_errors(model, poses).mean()


@pytest.mark.parametrize("shift", [(0.0, 0.0), (9.0, -7.0)])
def test_a_flight_along_a_line_does_not_determine_it(shift):
    model = adjusted(line(), WALL, shift)
    before = model.camera(1).params.copy()
    freed, (said,) = free_principal_points(model, set(), Progress())
    assert not said.freed and "do not determine" in said.reason
    assert (freed.camera(1).params == before).all()


def test_photos_turned_on_the_flight_determine_it():
    poses = line()
    poses[3], poses[7] = turned(poses[3], 90, 10), turned(poses[7], 180, -15)
    model = adjusted(poses, WALL, (9.0, -7.0))
    freed, (said,) = free_principal_points(model, set(), Progress())
    assert said.freed and np.abs(found_at(freed) - (9.0, -7.0)).max() < 1.0


def test_given_intrinsics_and_cameras_of_few_photos_are_left_alone():
    poses = orbit()
    model = adjusted(poses, THING, (9.0, -7.0))
    before = model.camera(1).params.copy()
    freed, (said,) = free_principal_points(model, {1}, Progress())
    assert not said.freed and "given" in said.reason and (freed.camera(1).params == before).all()
    few = adjusted(poses[:2], THING, (9.0, -7.0))
    _, (said,) = free_principal_points(few, set(), Progress())
    assert not said.freed and "too few" in said.reason
