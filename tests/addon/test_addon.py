"""The add-on in Blender: it registers, reconstructs, imports, and leaves nothing behind."""

import json
import os
import sys
import time

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import preferences  # noqa: E402
from blender_recon3d.jobs import current_job, session, timer  # noqa: E402
from blender_recon3d.jobs.engine_job import EngineJob  # noqa: E402
from blender_recon3d.jobs.job_view import CANCELLED, FAILED  # noqa: E402
from blender_recon3d.scene.find_imports import cloud_of, find_imports  # noqa: E402
from blender_recon3d.scene.point_display import GROUP, VIEWPORT_SHARE, get_input  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402


def ours() -> set[str]:
    return {name for name in dir(bpy.types) if "recon3d" in name.lower()} | set(dir(bpy.ops.recon3d))


def test_registering_ten_times_leaves_nothing_behind(addon):
    addon.unregister()
    before = ours()
    for _ in range(10):
        addon.register()
        assert hasattr(bpy.types.Scene, "recon3d") and "reconstruct" in ours()
        addon.unregister()
        assert not hasattr(bpy.types.Scene, "recon3d")
    assert ours() == before
    addon.register()


def test_there_is_one_tab(addon):
    panels = [getattr(bpy.types, name) for name in dir(bpy.types) if name.startswith("RECON3D_PT_")]
    in_sidebar = [panel for panel in panels if panel.bl_region_type == "UI"]
    assert len(in_sidebar) > 3 and {panel.bl_category for panel in in_sidebar} == {"Recon3D"}


def test_buttons_say_why_they_are_gray(addon, monkeypatch, tmp_path):
    settings = bpy.context.scene.recon3d
    settings.photos = str(tmp_path)
    monkeypatch.setenv("RECON3D_PYTHON", str(tmp_path / "nothing"))
    assert "RECON3D_PYTHON" in session.problem_with_starting()
    with pytest.raises(RuntimeError, match="RECON3D_PYTHON"):
        bpy.ops.recon3d.reconstruct()
    assert not bpy.ops.recon3d.cancel.poll()
    with pytest.raises(RuntimeError, match="Import a result first"):
        bpy.ops.recon3d.look_through(photo="IMG_1")


def test_import_by_its_operator_equals_import_by_its_function(addon, tmp_path):
    root = write_workspace(tmp_path / "w", ring())
    bpy.context.scene.recon3d.workspace = str(root)
    assert bpy.ops.recon3d.import_result() == {"FINISHED"}
    by_operator = sorted((o.name, tuple(o.location)) for o in bpy.data.objects)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    from blender_recon3d.scene.importing.import_workspace import import_workspace

    import_workspace(root)
    assert sorted((o.name, tuple(o.location)) for o in bpy.data.objects) == by_operator


def test_cameras_are_exported_by_their_operator(addon, tmp_path):
    assert not bpy.ops.recon3d.export_cameras.poll()
    bpy.context.scene.recon3d.workspace = str(write_workspace(tmp_path / "w", ring()))
    bpy.ops.recon3d.import_result()
    assert bpy.ops.recon3d.export_cameras(directory=str(tmp_path / "out")) == {"FINISHED"}
    assert bpy.ops.recon3d.export_cameras(directory=str(tmp_path / "out"), kind="NERFSTUDIO") == {"FINISHED"}
    found = {path.name for path in (tmp_path / "out").iterdir()}
    assert found == {"cameras.txt", "images.txt", "points3D.txt", "transforms.json"}


def test_import_of_an_unfinished_workspace_is_reported(addon, tmp_path):
    bpy.context.scene.recon3d.workspace = str(tmp_path)
    with pytest.raises(RuntimeError, match="no result in the results folder yet"):
        bpy.ops.recon3d.import_result()
    with pytest.raises(RuntimeError, match="holds no reconstruction"):
        bpy.ops.recon3d.import_folder(directory=str(tmp_path))


def test_results_are_next_to_the_photos_by_default(addon, tmp_path):
    from blender_recon3d.properties import workspace_path

    settings = bpy.context.scene.recon3d
    assert workspace_path(settings) is None
    settings.photos = str(tmp_path / "Kirche") + "/"
    assert workspace_path(settings) == tmp_path / "Kirche_recon3d"
    settings.workspace = str(tmp_path / "elsewhere")
    assert workspace_path(settings) == tmp_path / "elsewhere"


def test_in_the_background_reconstruct_blocks_and_reports(addon, engine_python, monkeypatch, tmp_path):
    monkeypatch.setenv("RECON3D_PYTHON", str(engine_python))
    photos = tmp_path / "empty"
    photos.mkdir()
    bpy.context.scene.recon3d.photos = str(photos)
    with pytest.raises(RuntimeError, match=r"[Pp]hoto"):
        bpy.ops.recon3d.reconstruct()
    assert current_job.session.view.state == FAILED and current_job.session.view.remedy == "photos"
    assert (tmp_path / "empty_recon3d" / "events.jsonl").exists()


def test_the_viewport_shows_as_many_points_as_the_operator_or_the_setting_says(addon, tmp_path):
    root = write_workspace(tmp_path / "w", ring(points=3000))
    bpy.ops.recon3d.import_folder(directory=str(root), viewport_points=300)

    def share() -> float:
        cloud = cloud_of(find_imports(bpy.context.scene)[0])
        assert len(cloud.data.vertices) == 3000
        return get_input(cloud.modifiers[GROUP], VIEWPORT_SHARE)

    assert share() == pytest.approx(0.1)
    bpy.context.scene.recon3d.viewport_points = 1500
    assert share() == pytest.approx(0.5)
    bpy.ops.recon3d.import_folder(directory=str(root))
    assert share() == pytest.approx(0.5)


def tick_until(ended, seconds=30):
    """Blender's event loop does not run here, so the timer's function is called the way Blender would."""
    deadline = time.monotonic() + seconds
    while not ended() and time.monotonic() < deadline:
        timer.tick()
        time.sleep(0.05)
    assert ended()


def test_with_a_window_the_timer_follows_the_job(addon, engine_python, monkeypatch, tmp_path):
    monkeypatch.setenv("RECON3D_PYTHON", str(engine_python))
    photos = tmp_path / "empty"
    photos.mkdir()
    bpy.context.scene.recon3d.photos = str(photos)
    session.start(bpy.context)
    session.follow_in_background()
    assert bpy.app.timers.is_registered(timer.tick)
    assert not bpy.ops.recon3d.reconstruct.poll() and bpy.ops.recon3d.cancel.poll()
    bpy.ops.recon3d.cancel()
    tick_until(lambda: not current_job.session.running)
    assert current_job.session.view.state == CANCELLED
    assert bpy.ops.recon3d.reconstruct.poll()


def test_a_result_is_not_imported_into_another_file(addon, tmp_path):
    root = write_workspace(tmp_path / "w", ring())
    (root / "state.json").write_text('{"version": 1, "stages": {}}')
    finish = "import pathlib, sys; pathlib.Path(sys.argv[1]).touch()"
    job = EngineJob([sys.executable, "-c", finish, str(tmp_path / "ended")], os.environ, root)
    current_job.session.job, current_job.session.scene_uid = job, bpy.context.scene.session_uid
    bpy.ops.wm.read_factory_settings(use_empty=True)
    session.follow_in_background()
    tick_until(lambda: not current_job.session.running)
    assert len(bpy.data.objects) == 0 and "Import Result" in current_job.session.notes[0]


def test_a_remedy_does_what_the_message_advises(addon, engine_python, monkeypatch, tmp_path):
    """The engine ran out of memory: the button goes on at preview quality (and then does not find any photos here)."""
    monkeypatch.setenv("RECON3D_PYTHON", str(engine_python))
    (tmp_path / "empty").mkdir()
    settings = bpy.context.scene.recon3d
    settings.photos, settings.workspace, settings.quality = (
        str(tmp_path / "empty"),
        str(tmp_path / "w"),
        "high",
    )
    assert not bpy.ops.recon3d.remedy.poll()
    event = {
        "time": 1.0,
        "stage": "job",
        "kind": "error",
        "message": "Memory.",
        "data": {"remedy": "preview"},
    }
    code = f"import sys; open(sys.argv[1], 'a').write({json.dumps(event)!r} + chr(10)); sys.exit(1)"
    command = [sys.executable, "-c", code, str(tmp_path / "w" / "events.jsonl")]
    current_job.session.job = EngineJob(command, os.environ, tmp_path / "w")
    current_job.session.job.wait()
    assert current_job.session.view.message == "Memory." and bpy.ops.recon3d.remedy.poll()
    with pytest.raises(RuntimeError, match="No photos were found"):
        bpy.ops.recon3d.remedy()
    asked = json.loads((tmp_path / "w" / "settings.json").read_text())
    assert asked["quality"] == "preview" and current_job.session.view.remedy == "photos"
    assert settings.quality == "high", "what a button does once is not a setting"


@pytest.mark.parametrize("mode", ["EDIT", "SCULPT", "VERTEX_PAINT", "WEIGHT_PAINT", "TEXTURE_PAINT"])
def test_a_result_is_imported_in_every_mode(addon, mode, tmp_path):
    root = write_workspace(tmp_path / "w", ring())
    mesh = bpy.data.meshes.new("Mine")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    thing = bpy.data.objects.new("Mine", mesh)
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.view_layer.objects.active = thing
    bpy.ops.object.mode_set(mode=mode)
    bpy.context.scene.recon3d.workspace = str(root)
    assert bpy.ops.recon3d.import_result() == {"FINISHED"}
    assert thing.mode == mode and len(bpy.data.cameras) == 5
    bpy.context.scene.recon3d.review_index = 2
    assert bpy.context.scene.camera is not None
    bpy.ops.object.mode_set(mode="OBJECT")


def test_preferences_are_optional(addon):
    """A package run from a checkout has none."""
    assert preferences.preferences() is None
    assert (preferences.engine_python(), preferences.device()) == ("", "auto")


def test_the_panel_reports_an_engine_of_another_version(addon, monkeypatch, tmp_path):
    """Only if it is in use: a Python chosen by the user is the user's responsibility."""
    from blender_recon3d import preferences
    from blender_recon3d.engine_setup import target
    from blender_recon3d.jobs import setup_session

    monkeypatch.delenv("RECON3D_PYTHON", raising=False)
    folder = tmp_path / "engine"
    monkeypatch.setattr(preferences, "engine_folder", lambda: folder)
    assert setup_session.unfit() == ""  # none is installed
    target.claim(folder)
    assert setup_session.unfit() == "broken"
    target.interpreter(folder).parent.mkdir(parents=True, exist_ok=True)
    target.interpreter(folder).touch()
    (folder / target.engine_process.READY).write_text('{"requirements": ["torch==1.0"]}')
    assert setup_session.unfit() == "outdated"
    monkeypatch.setenv("RECON3D_PYTHON", "/usr/bin/python3")
    assert setup_session.unfit() == ""
