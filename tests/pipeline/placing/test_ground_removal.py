"""The ground of the box scene is left out, or kept as a disc; the box stays."""

from __future__ import annotations

import json

import numpy as np
import pytest

from blender_recon3d.pipeline.placing.ground_removal import off_ground
from blender_recon3d.pipeline.stage import stage
from blender_recon3d.pipeline.workspace import Workspace
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


@pytest.mark.parametrize(("turn", "again"), [(0.0, False), (0.02, False), (5.0, True)])
def test_the_mesh_without_ground_is_made_again_for_another_up_axis(tmp_path, turn, again):
    """Not for another scale or origin, and never where the ground was kept. turn: degrees."""
    workspace = Workspace(tmp_path)
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    placed = 3 * np.array([[1, 0, 0], [0, sin, cos], [0, -cos, sin]])  # y is down
    matrix = np.block([[placed, np.ones((3, 1))], [np.zeros((1, 3)), np.ones((1, 1))]])
    workspace.placement.write_text(
        json.dumps({"version": 1, "how": "", "world_from_model": matrix.tolist()}), "utf-8"
    )
    workspace.mesh.mkdir()
    workspace.mesh_json.write_text(json.dumps({"faces": 1, "up": [0.0, -1.0, 0.0]}), "utf-8")
    found = stage("mesh").look_closer(workspace)
    assert [str(each) for each in found] == [f"{workspace.mesh_json} was made with another up axis"] * again
    workspace.mesh_json.write_text(json.dumps({"faces": 1}), "utf-8")
    assert stage("mesh").look_closer(workspace) == []
