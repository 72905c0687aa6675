"""What the panel shows and offers belongs to what is chosen and imported now."""

import json
import os
import sys
import time

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import api, chosen_folders, engine_properties  # noqa: E402
from blender_recon3d.jobs import current_job, handlers, next_step, result_import, session, timer  # noqa: E402
from blender_recon3d.jobs.engine_job import EngineJob  # noqa: E402
from blender_recon3d.jobs.job_view import FAILED  # noqa: E402
from blender_recon3d.pipeline.documents.inspection_json import Forecast, InspectionDocument  # noqa: E402
from blender_recon3d.pipeline.stage import STAGES  # noqa: E402
from blender_recon3d.scene.stepwise import run  # noqa: E402
from blender_recon3d.ui.job_status import end_text  # noqa: E402
from blender_recon3d.ui.main import forecast_text  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402


def fail_in(folder, remedy="again"):
    """A job of the open scene in that folder, which fails; followed to its end as Blender's event loop does."""
    event = {
        "time": 1.0,
        "stage": "job",
        "kind": "error",
        "message": "It failed.",
        "data": {"remedy": remedy},
    }
    code = f"import sys; open(sys.argv[1], 'a').write({json.dumps(event)!r} + chr(10)); sys.exit(1)"
    command = [sys.executable, "-c", code, str(folder / "events.jsonl")]
    current_job.session.job = EngineJob(command, os.environ, folder)
    current_job.session.scene_uid = bpy.context.scene.session_uid
    current_job.session.notes = ()
    session.follow_in_background()
    deadline = time.monotonic() + 30
    while current_job.session.running and time.monotonic() < deadline:
        timer.tick()
        time.sleep(0.05)
    assert current_job.session.view.state == FAILED


def report(root, *titles):
    photos = [
        {"name": title, "source": f"/photos/{title}", "state": "used",
         "registration": {"state": "not registered", "reason": "does not match the other photos"}}
        for title in titles
    ]  # fmt: skip
    (root / "report.json").write_text(json.dumps({"photos": photos, "advice": [], "doubts": []}))


def reviewed():
    return [item.name for item in bpy.context.scene.recon3d.review]


def test_a_failed_jobs_message_and_button_go_with_its_photos(addon, tmp_path):
    fail_in(tmp_path / "w", remedy="photos")
    scene = bpy.context.scene
    scene.recon3d.photos = str(tmp_path)
    assert current_job.session.view is None and not next_step.facts_of(scene).unsuitable
    assert not bpy.ops.recon3d.remedy.poll()


def test_a_new_file_does_not_show_what_was_imported_into_another(addon, tmp_path):
    api.import_result(write_workspace(tmp_path / "w", ring()))
    assert current_job.session.notes
    bpy.ops.wm.read_homefile(use_empty=True)
    handlers._find()  # which Blender's event loop calls
    assert not current_job.session.notes and current_job.session.view is None


def test_a_failed_job_leaves_the_review_of_another_result(addon, tmp_path):
    """Its own review is shown where there is no other, and where its own earlier result is in the scene."""
    root, other = write_workspace(tmp_path / "w", ring()), tmp_path / "other"
    fail_in(other)  # which makes the folder a workspace
    report(other, "IMG_1", "IMG_2")
    fail_in(other)
    assert reviewed() == ["IMG_1", "IMG_2"]
    api.import_result(root)
    (root / "state.json").write_text('{"version": 1, "stages": {}}')  # it is one of ours
    before = reviewed()
    assert len(before) == 5
    fail_in(other)
    assert reviewed() == before
    report(root, "IMG_7")
    fail_in(root)
    assert reviewed() == ["IMG_7"]


def test_the_end_of_a_job_is_reported_by_blender_too(addon, tmp_path):
    """With the job's summary, in the status bar and the Info editor: the sidebar may be closed."""
    root = write_workspace(tmp_path / "w", ring())
    (root / "state.json").write_text('{"version": 1, "stages": {}}')  # it is one of ours
    done = {"time": 1.0, "stage": "job", "kind": "done", "message": "5 of 5 photos, 500 points, in 4 min."}
    code = f"import sys; open(sys.argv[1], 'a').write({json.dumps(done)!r} + chr(10))"
    command = [sys.executable, "-c", code, str(root / "events.jsonl")]
    current_job.session.job = EngineJob(command, os.environ, root)
    current_job.session.job.wait()
    (root / "state.json").unlink()  # as of a folder by COLMAP, whose model is imported as it is
    current_job.session.waiting = session._finished_in_steps
    reported = run(result_import.waiting_in_steps(bpy.context.scene))  # the operator reports what it returns
    assert reported == current_job.session.notes[0] == "5 of 5 photos, 500 points, in 4 min."
    assert end_text(current_job.session.view) == f"Reconstruction finished: {reported}"
    assert len(reviewed()) == 5


def test_a_result_that_was_appended_to_another_file_can_be_reviewed(addon, tmp_path):
    """Its photos are listed on request, and looked through."""
    api.import_result(write_workspace(tmp_path / "w", ring()))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "first.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "first.blend")) as (source, into):
        into.collections = [name for name in source.collections if name == "Recon3D"]
    bpy.context.scene.collection.children.link(into.collections[0])
    assert not bpy.ops.recon3d.look_through.poll()
    assert bpy.ops.recon3d.list_photos() == {"FINISHED"}
    assert len(reviewed()) == 5
    assert bpy.ops.recon3d.look_through(photo=reviewed()[2]) == {"FINISHED"}
    assert bpy.context.scene.camera.name.startswith(reviewed()[2])


def test_a_finished_workspace_does_not_say_how_long_it_will_take(addon, tmp_path):
    scene = bpy.context.scene
    forecast = Forecast({"photos": 10.0, "dense": 600.0}, 2**30, 2**30, 2**30)
    document = InspectionDocument(
        version=1, photos=8, used=8, videos=0, set_aside=[], cameras=[], advice=[], packages=[], quality="medium",
        until="dense", forecasts={"medium": forecast},
    )  # fmt: skip
    scene.recon3d.workspace = str(tmp_path / "w")
    assert "min" in forecast_text(scene, document)
    root = write_workspace(tmp_path / "w", ring())
    done = {name: {"fingerprint": "f", "state": "done"} for name in STAGES}
    (root / "state.json").write_text(json.dumps({"version": 1, "stages": done}))
    (root / "job.json").write_text(json.dumps({"version": 1, "quality": "medium", "until": "dense"}))
    chosen_folders.remember(root)
    session.refresh(scene)
    assert forecast_text(scene, document) == ""


def test_reconstructs_tooltip_does_not_promise_a_certain_output(addon):
    description = bpy.ops.recon3d.reconstruct.get_rna_type().description.lower()
    assert "output" in description
    assert not [word for word in ("cloud", "camera", "mesh", "texture") if word in description]


def test_every_heading_of_the_settings_has_settings(addon):
    assert all(engine_properties.GROUPS.values())
    assert not [
        option for options in engine_properties.GROUPS.values() for option in options if option == "photos"
    ]
