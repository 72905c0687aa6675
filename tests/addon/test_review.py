"""The review: filled by an import, kept in the file, and looking through photos."""

import json

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import api  # noqa: E402
from blender_recon3d.pipeline.doubts import folded  # noqa: E402
from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.scene.reviewing import photo_list, photo_view  # noqa: E402
from blender_recon3d.scene.viewports import view_in_use  # noqa: E402
from tests.support.made_workspaces import MadeCamera, MadeModel, ring, write_binary, write_workspace  # noqa: E402


def reviewed_workspace(root):
    """Five photos, one of them lying on its side with another camera; a sixth is not placed."""
    write_workspace(root, ring())
    model = ring(4)
    q, t = model.images[0][2:]
    tall = MadeCamera("PINHOLE", 40, 60, (55.0, 44.0, 20.0, 30.0))
    images = [*model.images, ("photo_tall.jpg", 2, q, t)]
    write_binary(
        root / "dense" / "sparse", MadeModel({1: MadeCamera(), 2: tall}, images, model.xyz, model.rgb)
    )
    photos = [
        {
            "name": name,
            "source": f"/photos/{name}",
            "state": "used",
            "registration": {"state": "registered", "error": 0.5, "points": 100},
        }
        for name, *_ in images
    ]
    photos.append(
        {
            "name": "dark.jpg",
            "source": "/photos/dark.jpg",
            "state": "used",
            "registration": {"state": "not registered", "reason": "too few matches"},
        }
    )
    advice = [{"text": "1 photo (dark) overlaps too little.", "photos": ["dark.jpg"]}]
    doubts = [folded(["dark.jpg"]).to_json()]
    (root / "report.json").write_text(json.dumps({"photos": photos, "advice": advice, "doubts": doubts}))
    return root


def test_an_import_fills_the_review_and_a_file_keeps_it(addon, tmp_path):
    api.import_result(reviewed_workspace(tmp_path / "w"))
    scene = bpy.context.scene
    assert photo_list.counts(scene) == {"registered": 5, "not registered": 1}
    doubt, advice = scene.recon3d.advice
    assert doubt.doubt and "merged into one (dark.jpg)" in doubt.name  # the most serious first
    assert not advice.doubt and advice.name == "1 photo (dark) overlaps too little."
    api.save(tmp_path / "a.blend")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    settings = bpy.context.scene.recon3d
    assert settings.review[5].name == "dark" and settings.review[5].reason == "too few matches"
    api.import_result(tmp_path / "w")
    assert len(settings.review) == 6  # replaced, not added


def test_a_click_looks_through_the_photo_with_its_resolution(addon, tmp_path):
    api.import_result(reviewed_workspace(tmp_path / "w"))
    scene = bpy.context.scene
    scene.recon3d.review_index = 4
    assert scene.camera["recon3d"]["photo"] == "photo_tall.jpg"
    assert (scene.render.resolution_x, scene.render.resolution_y) == (40, 60)
    assert scene.render.pixel_aspect_y == pytest.approx(55 / 44)
    assert view_in_use().region_3d.view_perspective == "CAMERA"
    scene.recon3d.review_index = 0
    assert (scene.render.resolution_x, scene.render.resolution_y) == (60, 40)
    scene.recon3d.review_index = 5  # has no camera: the view stays where it is
    assert scene.camera["recon3d"]["photo"] == "photo_000.jpg"


def test_operator_and_function_do_the_same_and_report_errors(addon, tmp_path):
    api.import_result(reviewed_workspace(tmp_path / "w"))
    scene = bpy.context.scene
    assert bpy.ops.recon3d.look_through(photo="photo_002") == {"FINISHED"}
    by_operator = scene.camera.name
    scene.recon3d.review_index = 0
    api.look_through("photo_002.jpg")
    assert scene.camera.name == by_operator and scene.recon3d.review_index == 2
    with pytest.raises(UserError, match="dark has no camera: too few matches"):
        api.look_through("dark")
    with pytest.raises(RuntimeError, match="no photo IMG_404"):
        bpy.ops.recon3d.look_through(photo="IMG_404")


def test_a_folder_without_a_report_is_reviewed_by_its_cameras(addon, tmp_path):
    write_binary(tmp_path / "sparse" / "0", ring())
    assert bpy.ops.recon3d.import_folder(directory=str(tmp_path)) == {"FINISHED"}
    scene = bpy.context.scene
    assert photo_list.counts(scene) == {"registered": 5}
    scene.recon3d.review_index = 3
    assert scene.camera["recon3d"]["photo"] == scene.recon3d.review[3].photo


def test_the_second_model_is_imported_next_to_the_first(addon, tmp_path):
    root = reviewed_workspace(tmp_path / "w")
    assert not bpy.ops.recon3d.import_second_model.poll()
    write_binary(root / "sparse" / "1", ring(3))
    first = api.import_result(root)
    bpy.context.scene.recon3d.workspace = str(root)
    assert bpy.ops.recon3d.import_second_model() == {"FINISHED"}
    assert len(bpy.context.scene.recon3d.review) == 6, "the review stays"
    second = [c for c in bpy.context.scene.collection.children if c != first.collection and c.get("recon3d")]
    assert len(second) == 1 and len([o for o in second[0].all_objects if o.type == "CAMERA"]) == 3


def test_a_deleted_camera_does_no_harm(addon, tmp_path):
    api.import_result(reviewed_workspace(tmp_path / "w"))
    bpy.data.objects.remove(photo_view.camera_of(bpy.context.scene, "photo_001.jpg"))
    bpy.context.scene.recon3d.review_index = 1
    with pytest.raises(UserError, match="photo_001 has no camera"):
        api.look_through("photo_001")


def test_cameras_are_colored_by_their_quality(addon, tmp_path):
    from blender_recon3d.scene.reviewing.camera_states import CHOSEN, EDGES, GOOD, LOOSE, pyramids

    root = reviewed_workspace(tmp_path / "w")
    report = json.loads((root / "report.json").read_text())
    report["photos"][1]["registration"]["points"] = 12
    report["photos"][2]["registration"]["error"] = 9.0
    (root / "report.json").write_text(json.dumps(report))
    result = api.import_result(root)
    found = pyramids(bpy.context.scene)
    assert sorted(found.states) == [GOOD, GOOD, GOOD, LOOSE, LOOSE]
    centers = sorted(tuple(round(float(v), 4) for v in corners[0]) for corners in found.corners)
    expected = [
        tuple(round(v, 4) for v in camera.matrix_world.translation) for camera in result.cameras.values()
    ]
    assert centers == sorted(expected)
    assert found.corners[:, EDGES].shape == (5, 8, 2, 3)
    bpy.context.scene.recon3d.review_index = 0
    assert pyramids(bpy.context.scene).states.count(CHOSEN) == 1
    next(iter(result.cameras.values())).hide_set(True)
    assert len(pyramids(bpy.context.scene).states) == 4
