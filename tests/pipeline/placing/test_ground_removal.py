"""The ground of the box scene is left out, or kept as a disc; the box stays."""

from __future__ import annotations

import numpy as np
import pytest

from blender_recon3d.pipeline.placing.ground_removal import off_ground
from tests.support.painted_scene import Capture, write_capture

UP = np.array([0.0, -1, 0])  # the scene's y is down
NOISE = 0.002


@pytest.fixture(scope="module")
def capture(tmp_path_factory) -> Capture:
    return write_capture(tmp_path_factory.mktemp("ground") / "workspace")


@pytest.fixture(scope="module")
def points(capture) -> np.ndarray:
    """Points on the mesh's triangles, with noise."""
    random = np.random.default_rng(0)
    corners = capture.vertices[capture.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    share = random.dirichlet((1, 1, 1), 40_000)
    chosen = random.choice(len(corners), 40_000, p=area / area.sum())
    return np.einsum("nk,nkc->nc", share, corners[chosen]) + random.normal(0, NOISE, (40_000, 3))


def test_the_ground_is_gone_and_the_box_stays_down_to_it(capture, points):
    kept = off_ground(points, capture.workspace.model, UP, disc=False)
    height = -points[:, 1]
    assert kept is not None and kept[height > 0.03].all()
    assert kept[height < 3 * NOISE].mean() < 0.01


def test_a_disc_of_ground_stays_around_the_box(capture, points):
    kept = off_ground(points, capture.workspace.model, UP, disc=True)
    assert kept is not None
    height, away = -points[:, 1], np.linalg.norm(points[:, [0, 2]], axis=1)
    on_ground = np.abs(height) < 3 * NOISE
    # The box is .9 x .6 wide: its corners are .54 from the middle.
    assert kept[(height > 0.03)].all() and kept[on_ground & (away < 0.55)].mean() > 0.99
    assert 1.2 * 0.5 < away[kept].max() < 1.2 * 0.6


def test_without_a_ground_nothing_is_decided(capture):
    random = np.random.default_rng(0)
    ball = random.normal(size=(5000, 3))
    ball /= 2 * np.linalg.norm(ball, axis=1, keepdims=True)
    assert off_ground(ball, capture.workspace.model, UP, disc=False) is None
