"""Sides that look alike: a folded model does not count as a success, and a correct one does."""

from dataclasses import replace
from itertools import combinations

import numpy as np

from benchmarks.common.symmetric_objects import SUBJECTS, write_photos
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.atomic_files import read_json
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.sfm.folding import closed, conflicts, differing_pairs, disagreement
from blender_recon3d.pipeline.sfm.links import Link
from blender_recon3d.pipeline.sfm.views import ModelView
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.scenes import look_at


def folded_doubts(name, folder):
    """The doubts in report.json of a subject, small and with SIFT."""
    subject = next(subject for subject in SUBJECTS if subject.name == name)
    write_photos(replace(subject, arcs=((0, 360, 15),)), folder, size=(400, 300))
    workspace = Workspace(folder / "workspace")
    settings = JobSettings.build(photos=(str(folder / "photos"),), features="sift", until="sfm")
    run_job(workspace, settings, Progress())
    doubts = read_json(workspace.report_json, "")["doubts"]
    return [doubt for doubt in doubts if (doubt["stage"], doubt["kind"]) == ("sfm", "folded")]


def test_a_box_with_the_same_print_in_front_and_behind_is_doubted(tmp_path):
    (doubt,) = folded_doubts("printed box, alone", tmp_path)
    assert doubt["photos"] and set(doubt["photos"]) <= {f"view_{number:02d}.jpg" for number in range(15)}


def test_a_box_with_different_sides_is_not_doubted(tmp_path):
    assert folded_doubts("honest box, alone", tmp_path) == []


def ring(angles):
    """Views by number from a circle around the origin, at these angles in degrees; the model's y is down."""
    camera = pycolmap.Camera.create_from_model_name(1, "SIMPLE_PINHOLE", 500, 640, 480)
    views = {}
    for number, angle in enumerate(np.radians(angles)):
        pose = look_at(4 * np.array([np.cos(angle), 0, np.sin(angle)]), np.zeros(3))
        nothing = np.empty((0, 2)), np.empty(0, np.int64), np.empty((0, 3))
        views[number] = ModelView(f"{number}.jpg", *nothing, pose, camera)
    return views


def test_a_loop_is_closed_when_it_returns_to_its_beginning():
    steps = [Link(number, number + 1, 100, 100, 100) for number in range(11)]
    back, order = Link(0, 11, 100, 100, 100), {number: number for number in range(12)}
    round_it, folded = ring(np.arange(0, 360, 30)), ring(np.arange(0, 360, 30) % 180)
    assert closed(round_it, [*steps, back], order)
    assert not closed(round_it, steps, order)
    assert not closed(round_it, [*steps[:4], Link(4, 5, 100, 100, 0), *steps[5:], back], order)
    assert not closed(folded, [*steps, back], order)


def test_photos_that_two_models_rotate_differently_are_named():
    assert differing_pairs(ring([0, 20, 40, 60]), ring([0, 20, 40, 60])) == []
    assert differing_pairs(ring([0, 20, 40, 60]), ring([0, 20, 40, 150])) == [(0, 3), (1, 3), (2, 3)]


def along_a_wall(photos):
    """Views a meter apart that look at points of a wall 4 m away, each with points of its own."""
    random = np.random.default_rng(0)
    camera = pycolmap.Camera.create_from_model_name(1, "SIMPLE_PINHOLE", 500, 640, 480)
    views = {}
    for number in range(photos):
        xyz = np.add(random.uniform(-2, 2, (120, 3)) * [1, 0.7, 0.1], [number, 0, 4])
        pose = np.column_stack([np.eye(3), [-number, 0, 0]])
        keypoints = 500 * (xyz - [number, 0, 0])[:, :2] / xyz[:, 2:] + [320, 240]
        points = np.arange(120 * number, 120 * (number + 1))
        views[number] = ModelView(f"{number}.jpg", keypoints, points, xyz, pose, camera)
    return views


def test_only_photos_close_together_are_compared(monkeypatch):
    """They are all that can contradict each other, and as many per photo however many photos there are."""
    views, compared = along_a_wall(24), []
    expected = [
        pair
        for pair in combinations(range(24), 2)
        if min(disagreement(views[pair[0]], views[pair[1]]), disagreement(views[pair[1]], views[pair[0]]))
        > 0.4
    ]
    monkeypatch.setattr(
        "blender_recon3d.pipeline.sfm.folding.disagreement",
        lambda a, b: (compared.append(a), disagreement(a, b))[1],
    )
    assert expected and sorted(conflicts(views)) == expected
    assert len(compared) <= 24 * 2 * 5
