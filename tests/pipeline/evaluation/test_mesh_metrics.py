"""A mesh against a true surface: evaluated on its faces, however large, and its holes count as holes."""

from __future__ import annotations

import numpy as np
import pytest

from blender_recon3d.pipeline.evaluation.cloud_metrics import Surface
from blender_recon3d.pipeline.evaluation.mesh_metrics import mesh_metrics, sampled
from blender_recon3d.pipeline.meshing.topology import Mesh

SQUARE = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float)
HALVES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
DISTANCES = [0.004, 0.02]


@pytest.fixture(scope="module")
def plane() -> Surface:
    flat = np.random.default_rng(0).uniform(-1, 1, (40_000, 2))
    points = np.column_stack([flat, np.zeros(len(flat))])
    return Surface.build(points, np.tile([0.0, 0, 1], (len(points), 1)))


def found(mesh: Mesh, plane: Surface, **ball):
    ours = sampled(mesh, ball.get("center"), ball.get("radius"), count=60_000)
    return mesh_metrics(ours, plane, DISTANCES, **ball)


def test_two_triangles_are_as_good_as_the_plane_they_are(plane):
    result = found(Mesh(SQUARE, HALVES), plane)
    assert (
        result["accuracy"]["mean"] < 1e-4
    )  # at the square's rim, the ground truth's discs end slightly earlier
    assert [score["f_score"] for score in result["scores"]] == pytest.approx([1, 1], abs=0.005)


def test_an_offset_is_the_error_and_a_missing_half_is_missed(plane):
    result = found(Mesh(SQUARE + np.array([0, 0, 0.01]), HALVES), plane)
    assert result["accuracy"]["mean"] == pytest.approx(0.01, rel=0.02)
    assert result["completeness"]["mean"] == pytest.approx(0.01, rel=0.02)
    assert [score["f_score"] for score in result["scores"]] == pytest.approx([0, 1], abs=0.005)
    half = found(Mesh(SQUARE, HALVES[:1]), plane)["scores"][0]
    assert half["precision"] > 0.995 and half["recall"] == pytest.approx(0.5, abs=0.01)


def test_only_the_sphere_of_interest_is_evaluated(plane):
    beyond = Mesh(
        np.concatenate([SQUARE, SQUARE + np.array([2.5, 0, 0.5])]), np.concatenate([HALVES, HALVES + 4])
    )
    assert found(beyond, plane)["scores"][0]["precision"] < 0.6
    ball = {"center": np.zeros(3), "radius": 0.9}
    assert found(beyond, plane, **ball)["scores"][0]["f_score"] > 0.995
