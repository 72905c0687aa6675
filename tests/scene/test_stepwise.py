"""Long work in steps: the same as in one go, and closing it at any step changes nothing."""

import time

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.scene.cleaning import clean_modifier  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_in_steps, import_workspace  # noqa: E402
from blender_recon3d.scene.meshes import mesh_object, mesh_to_paint  # noqa: E402
from blender_recon3d.scene.stepwise import PAUSE, Stepping, run  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402

KINDS = ("objects", "meshes", "cameras", "materials", "images", "collections", "node_groups", "scenes")


@pytest.fixture
def workspace(tmp_path):
    root = write_workspace(tmp_path / "w", ring(60, 500))
    return write_mesh_files(root, dome(6), dome(8), texture=16)


def everything():
    names = {kind: sorted(block.name for block in getattr(bpy.data, kind)) for kind in KINDS}
    things = sorted((o.name, o.hide_get(), [m.name for m in o.modifiers]) for o in bpy.context.scene.objects)
    attributes = sorted((mesh.name, sorted(mesh.attributes.keys())) for mesh in bpy.data.meshes)
    return names, things, attributes


def closed_everywhere(make):
    """Close the work after its first step, after its second, and so on; returns the number of steps."""
    count = 0
    while True:
        before, work = everything(), make()
        answer, ended = None, False
        try:
            for _ in range(count + 1):
                step = work.send(answer)
                answer = step() if callable(step) else None
        except StopIteration:
            ended = True
        if ended:
            return count
        work.close()
        assert everything() == before, f"closed after step {count + 1}"
        count += 1


def test_an_import_that_is_cancelled_leaves_nothing(workspace):
    assert closed_everywhere(lambda: import_in_steps(workspace)) > 5


def test_an_update_that_is_cancelled_leaves_the_earlier_import(workspace):
    result = import_workspace(workspace)
    clean_modifier.add_cleaning(result.collection, min_views=3)
    cameras = list(result.cameras.values())
    assert closed_everywhere(lambda: import_in_steps(workspace)) > 5
    names = [camera.name for camera in import_workspace(workspace).cameras.values()]
    assert len(names) == len(cameras) and not any(".0" in name for name in names)


@pytest.mark.parametrize(
    "make",
    [
        clean_modifier.density_in_steps,
        clean_modifier.clean_in_steps,
        mesh_object.import_mesh_in_steps,
        mesh_object.import_full_in_steps,
    ],
)
def test_what_is_cancelled_changes_nothing(make, workspace):
    collection = import_workspace(workspace).collection
    assert closed_everywhere(lambda: make(collection)) > 0


def test_uvs_that_were_made_to_paint_are_removed(workspace, tmp_path):
    result = import_workspace(workspace)
    mesh = result.mesh.data
    mesh.uv_layers.remove(mesh.uv_layers[0])
    work = mesh_to_paint.obj_in_steps(result.collection, result.mesh, tmp_path / "a.obj", False)
    assert callable(next(work)) and len(mesh.uv_layers) == 1
    work.close()
    assert len(mesh.uv_layers) == 0


def test_calls_run_in_a_thread_and_waiting_yields():
    seen = []

    def work():
        seen.append((yield lambda: time.sleep(0.3) or "slept"))
        yield PAUSE
        return "done"

    stepping = Stepping(work())
    assert not stepping.advance(0.01) and not seen, "the call is still running"
    while not stepping.paused:
        assert not stepping.advance(0.1)
    assert seen == ["slept"]
    assert stepping.advance(0.1) and stepping.result == "done"


def test_the_error_of_a_call_is_raised_where_it_was_asked_for():
    def fails():
        raise UserError("It has failed.")

    def work():
        try:
            yield fails
        except UserError as error:
            return error.sentence

    assert run(work()) == "It has failed."
    with pytest.raises(UserError, match="It has failed"):
        Stepping(_only(fails)).advance(5)


def _only(call):
    yield call
