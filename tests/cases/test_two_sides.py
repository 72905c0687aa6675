"""An object that is turned over between two rounds on a turntable becomes one closed model of both sides."""

import numpy as np
import pytest

pytest.importorskip("pycolmap", reason="the engine's environment has pycolmap; Blender's has not")

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.ply import read_vertices
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.two_sides import HALF, RADIUS, write_both_sides


def aligned(model, truth):
    """The similarity that maps the model's camera centers to the true ones, and their distances after it [N]."""
    images = [model.image(number) for number in model.reg_image_ids()]
    found = np.stack([image.projection_center() for image in images])
    true = np.stack([-truth[image.name][:, :3].T @ truth[image.name][:, 3] for image in images])
    transform = pycolmap.estimate_sim3d(found, true)
    return transform, np.linalg.norm(np.stack([transform * center for center in found]) - true, axis=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "tables", [None, (7, 7)], ids=["turntable before a wall", "on one table, without masks"]
)
def test_both_sides_are_one_closed_model(tmp_path, tables):
    truth = write_both_sides(tmp_path / "photos", 14, tables)
    workspace, events = Workspace(tmp_path / "out"), []
    settings = JobSettings.build(
        photos=str(tmp_path / "photos"), features="sift", quality="preview", until="mesh",
        dense_size=400, max_keypoints=2500, mesh_depth=7, max_faces=20_000,
    )  # fmt: skip
    state = run_job(workspace, settings, Progress(events.append))
    assert any("was turned over" in event.message for event in events) == (tables is not None)
    assert not any(doubt["kind"] in ("up", "turned over") for doubt in state.stage("sfm").summary["doubts"])
    model = pycolmap.Reconstruction(workspace.model)
    assert model.num_reg_images() == 28
    transform, off = aligned(model, truth)
    assert off.max() < 0.003, "of cameras 1.9 m from the middle"
    vertices = read_vertices(workspace.fusion)
    cloud = np.stack(
        [transform * np.array(xyz) for xyz in zip(*(vertices[axis] for axis in "xyz"), strict=True)]
    )
    near = np.abs(np.abs(cloud[:, 1]) - HALF) < 0.01
    for side in (-1, 1):  # the top and the bottom, in cells of 20 cm
        points = cloud[near & (np.sign(cloud[:, 1]) == side)][:, [0, 2]]
        inside = points[np.abs(points).max(axis=1) < 0.3]
        assert len(np.unique(np.floor(inside / 0.2 + 0.5), axis=0)) == 9, "it is covered all over"
    assert np.percentile(np.abs(cloud).max(axis=1), 99.5) < 1.03 * RADIUS, "the wall is left out"
    assert state.stage("mesh").summary["watertight"]
