"""Cameras and points that are shown while they are being computed."""

import json

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")
import numpy as np  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from blender_recon3d.pipeline.workspace import Workspace  # noqa: E402
from blender_recon3d.scene.live import (  # noqa: E402
    has_hidden_cube,
    live_collection,
    live_stamp,
    read_live,
    remove_live,
    show_live,
)
from blender_recon3d.scene.viewports import view_in_use  # noqa: E402
from tests.support.made_workspaces import ring, write_cloud  # noqa: E402

UPRIGHT = [[2.0, 0, 0, 5], [0, 0, 2, 0], [0, -2, 0, 1], [0, 0, 0, 1]]


def write_live(root, count=5, points=300):
    workspace = Workspace(root)
    workspace.live.mkdir(parents=True, exist_ok=True)
    model = ring(count, points)
    cameras = [
        {"name": name, "qvec": list(q), "tvec": list(t), "width": 60, "height": 40, "focal": 55.0}
        for name, _, q, t in model.images
    ]
    (workspace.live / "cameras.json").write_text(
        json.dumps({"world_from_model": UPRIGHT, "cameras": cameras})
    )
    write_cloud(workspace.live / "points.ply", model.xyz, model.rgb)
    return workspace, model


def test_cameras_have_their_position_and_look_at_the_subject(tmp_path):
    workspace, _ = write_live(tmp_path)
    state = read_live(workspace)
    angles = 2 * np.pi * np.arange(5) / 5
    assert np.allclose(
        state.corners[:, 0], np.stack([4 * np.sin(angles), -np.ones(5), -4 * np.cos(angles)], 1)
    )
    for corners in state.corners:
        forward = corners[1:].mean(axis=0) - corners[0]
        assert np.allclose(
            forward / np.linalg.norm(forward), -corners[0] / np.linalg.norm(corners[0]), atol=1e-6
        )
        across = np.linalg.norm(corners[2] - corners[1])
        assert across == pytest.approx(60 / 55)  # at depth 1
    assert len(state.points) == 300


def test_the_preview_is_replaced_and_removed_without_a_trace(tmp_path):
    scene, before = bpy.context.scene, counts()
    for count in (2, 5):
        workspace, _ = write_live(tmp_path, count)
        collection = show_live(scene, workspace, read_live(workspace))
    assert len(collection.objects) == 3
    cameras = bpy.data.objects["Recon3D Live Cameras"]
    assert len(cameras.data.vertices) == 25 and len(cameras.data.polygons) == 20
    assert not cameras.data.validate()  # nothing had to be repaired
    assert len(bpy.data.objects["Recon3D Live Points"].data.vertices) == 300
    bpy.context.view_layer.update()
    top = cameras.matrix_world @ cameras.data.vertices[0].co  # COLMAP's (0, -1, -4)
    assert np.allclose(top, (5, -8, 3), atol=1e-5)
    remove_live(scene)
    assert counts() == before


def counts():
    return [len(kind) for kind in (bpy.data.objects, bpy.data.meshes, bpy.data.collections)]


def test_the_view_follows_until_the_user_moves_it(tmp_path):
    bpy.ops.wm.read_factory_settings()  # with screens
    scene = bpy.context.scene
    view = view_in_use().region_3d
    workspace, _ = write_live(tmp_path, 2)
    show_live(scene, workspace, read_live(workspace))
    first = view.view_distance
    write_live(tmp_path, 5)
    show_live(scene, workspace, read_live(workspace))
    assert view.view_distance > first  # more cameras, farther apart
    view.view_distance = 1.0
    show_live(scene, workspace, read_live(workspace))
    assert view.view_distance == 1.0


def test_the_default_cube_is_hidden_and_remembered(tmp_path):
    bpy.ops.wm.read_factory_settings()
    workspace, _ = write_live(tmp_path, 5)
    show_live(bpy.context.scene, workspace, read_live(workspace))
    assert bpy.data.objects["Cube"].hide_get() and has_hidden_cube(bpy.context.scene)


def test_the_view_of_a_working_user_stays(tmp_path):
    bpy.ops.wm.read_factory_settings()
    bpy.data.objects["Cube"].location.x = 3
    view = view_in_use().region_3d
    before = view.view_distance
    workspace, _ = write_live(tmp_path, 5)
    show_live(bpy.context.scene, workspace, read_live(workspace))
    assert view.view_distance == before and not bpy.data.objects["Cube"].hide_get()


def test_missing_or_incomplete_files_show_nothing(tmp_path):
    assert live_stamp(Workspace(tmp_path)) == 0 and read_live(Workspace(tmp_path)) is None
    workspace, _ = write_live(tmp_path)
    assert live_stamp(workspace) > 0
    (workspace.live / "points.ply").unlink()
    assert read_live(workspace) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    key=st.sampled_from(["qvec", "tvec", "width", "focal", "cameras", "world_from_model", "all"]), value=JSON
)
def test_blender_survives_any_file(tmp_path_factory, key, value):
    workspace, _ = write_live(tmp_path_factory.mktemp("w"))
    path = workspace.live / "cameras.json"
    good = path.read_text()
    raw = json.loads(good)
    if key == "all":
        raw = value
    elif key in raw:
        raw[key] = value
    else:
        raw["cameras"][0][key] = value
    path.write_text(json.dumps(raw))
    state = read_live(workspace)
    if state is not None:
        assert state.corners.shape[1:] == (5, 3) and np.isfinite(state.corners).all()
        collection = show_live(bpy.context.scene, workspace, state)
        assert len(collection.objects) == 3
        remove_live(bpy.context.scene)
    assert live_collection(bpy.context.scene) is None
    path.write_text(good)
    assert read_live(workspace) is not None  # the file was as valid as any before
