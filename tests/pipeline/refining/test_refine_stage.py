"""The stage as a user runs it: its results, their use in later stages, its messages, and how to skip it."""

import numpy as np
import pytest

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.doubts import misplaced
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.atomic_files import read_json
from blender_recon3d.pipeline.refining.refine_model import ROUNDS, Kept
from blender_recon3d.pipeline.refining.refine_workspace import refine_workspace, suspects
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.stage_settings import RefineSettings
from tests.support.engine import recon3d
from tests.support.made_models import center_errors
from tests.support.runs import stages

SETTINGS = RefineSettings(max_size=1600)


def arrays(folder):
    model = pycolmap.Reconstruction(folder)
    return {model.image(i).name: model.image(i).cam_from_world().matrix() for i in model.reg_image_ids()}


def test_later_stages_and_the_report_take_the_refined_model(finished, poses):
    assert finished.model == finished.refined
    mapped, refined = (pycolmap.Reconstruction(path) for path in (finished.mapped, finished.refined))
    assert refined.compute_mean_reprojection_error() < 0.6 * mapped.compute_mean_reprojection_error()
    assert center_errors(refined, poses).mean() < center_errors(mapped, poses).mean() + 1e-4
    dense = arrays(finished.dense / "sparse")
    assert all(np.allclose(dense[name], pose) for name, pose in arrays(finished.refined).items())
    report = read_json(finished.report_json, "")
    assert report["models"][0]["error"] == pytest.approx(refined.compute_mean_reprojection_error(), abs=1e-3)
    seen = {image.name: len(image.get_observation_point2D_idxs()) for image in refined.images.values()}
    assert {photo["name"]: photo["registration"]["points"] for photo in report["photos"]} == seen
    summary = stages(finished)["refine"]["summary"]
    assert summary["accepted"] and summary["aligned"] > 0.5 and len(summary["principal_points"]) == 1
    assert summary["held_out"][1] < summary["held_out"][0]
    assert not finished.refining.exists()


def test_refinement_can_be_skipped(workspace):
    result = recon3d("refine", workspace.root, "--refine", "off")
    assert result.returncode == 0, result.stderr
    assert workspace.model == workspace.mapped and not workspace.refined.exists()
    assert "dense" not in stages(workspace)  # it was made from the refined cameras
    report = read_json(workspace.report_json, "")
    assert report["models"][0]["error"] == pytest.approx(
        pycolmap.Reconstruction(workspace.mapped).compute_mean_reprojection_error(), abs=1e-3
    )


def test_an_interrupted_refinement_continues_after_the_last_round_to_the_same_result(workspace):
    expected = arrays(workspace.refined)
    seen = []

    class Stopped(Exception):
        pass

    def stop(event):
        seen.append(event.message)
        if event.message.startswith(f"round {len(ROUNDS)}"):
            raise Stopped

    with pytest.raises(Stopped):
        refine_workspace(workspace, SETTINGS, Progress(stop))
    assert [path.name for path in workspace.refining.iterdir()] == ["0"]
    # An incomplete round does not count.
    seen.clear()
    refine_workspace(workspace, SETTINGS, Progress(lambda event: seen.append(event.message)))
    assert not any(message.startswith("round 1") for message in seen)
    again = arrays(workspace.refined)
    assert all((again[name] == pose).all() for name, pose in expected.items())


def test_given_intrinsics_stay(workspace):
    fixed = RefineSettings(max_size=1600, refine_intrinsics=False)
    before = pycolmap.Reconstruction(workspace.mapped).camera(1).params
    refine_workspace(workspace, fixed, Progress())
    assert (pycolmap.Reconstruction(workspace.refined).camera(1).params == before).all()
    said = refine_workspace(workspace, RefineSettings(max_size=1600, principal_point="fixed"), Progress())
    now = pycolmap.Reconstruction(workspace.refined).camera(1)
    assert (now.params[1:3] == before[1:3]).all() and now.params[0] != before[0]
    assert not said["principal_points"]


def test_photos_that_keep_few_observations_are_doubted():
    usual = {f"{number}.jpg": Kept(1000, 850 - 20 * number) for number in range(8)}
    assert suspects({**usual, "far.jpg": Kept(68, 19)}) == ["far.jpg"]
    assert suspects(usual) == []
    assert (
        suspects({f"{n}.jpg": Kept(100, 30 + n) for n in range(8)}) == []
    )  # a capture that is hard throughout
    assert "far.jpg" in misplaced(["far.jpg"]).text


def test_photos_are_compared_at_the_size_at_which_features_are_found():
    assert JobSettings.build("preview").refine.max_size == JobSettings.build("preview").features.max_size
    chosen = JobSettings.build("preview", feature_size=900)
    assert chosen.refine.max_size == chosen.features.max_size == 900
    assert chosen.changed(quality="high").features.max_size == 900
    assert chosen.changed(quality="high").refine.max_size == 900
