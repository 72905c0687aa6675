"""Markers of the timeline that are bound to the photos' cameras."""

import json

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.scene.exporting.scene_cameras import write_scene_cameras  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from blender_recon3d.scene.reviewing.camera_markers import add_camera_markers  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402


def test_each_frame_shows_a_photos_camera(tmp_path):
    result = import_workspace(write_workspace(tmp_path / "w", ring()))
    scene = bpy.context.scene
    scene.timeline_markers.new("mine", frame=40)
    for _ in range(2):  # pressed again, nothing doubles
        add_camera_markers(scene, result.collection)
    assert [marker.name for marker in scene.timeline_markers].count("mine") == 1
    assert len(scene.timeline_markers) == 6 and (scene.frame_start, scene.frame_end) == (1, 5)
    for frame, photo in enumerate(sorted(result.cameras), 1):
        scene.frame_set(frame)
        assert scene.camera == result.cameras[photo]
        assert any(m.frame == frame and m.name == scene.camera.name for m in scene.timeline_markers)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    bound = {
        marker.frame: marker.camera.name for marker in bpy.context.scene.timeline_markers if marker.camera
    }
    assert len(bound) == 5


def test_the_markers_are_not_those_of_a_camera_that_flies_by(tmp_path):
    result = import_workspace(write_workspace(tmp_path / "w", ring()))
    scene = bpy.context.scene
    flying = bpy.data.objects.new("Fly", bpy.data.cameras.new("Fly"))
    scene.collection.objects.link(flying)
    flying.keyframe_insert("location", frame=1)
    add_camera_markers(scene, result.collection)
    write_scene_cameras(scene, tmp_path / "cameras.json")
    frames = json.loads((tmp_path / "cameras.json").read_text())["frames"]
    assert [frame["file_path"] for frame in frames] == sorted(result.cameras)


def test_without_cameras_there_is_a_message(tmp_path):
    result = import_workspace(write_workspace(tmp_path / "w", ring()))
    for camera in list(result.cameras.values()):
        bpy.data.objects.remove(camera)
    with pytest.raises(UserError, match="has no cameras: import the result again"):
        add_camera_markers(bpy.context.scene, result.collection)
