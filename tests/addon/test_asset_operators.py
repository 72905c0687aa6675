"""From cloud to asset by buttons: they do the same as the functions and report errors."""

import json
import sys

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import api  # noqa: E402
from blender_recon3d.pipeline.documents.answers_json import ErrorAnswer  # noqa: E402
from blender_recon3d.pipeline.documents.codec import encode  # noqa: E402
from blender_recon3d.pipeline.wording import MEASURE, Sentence, terminal_only, to_json  # noqa: E402
from blender_recon3d.scene.asset_state import asset_state  # noqa: E402
from blender_recon3d.scene.cleaning import clean_modifier  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402

ops = bpy.ops.recon3d
POINTS = ((0.1, 0.2, 0.5), (1.0, 0.1, 0.4), (0.3, 1.5, 0.9))
FLAT = [value for point in POINTS for value in point]
NAMES = (
    "compute_density", "clean_cloud", "remove_cleaning", "apply_cleaning", "split_cloud", "add_crop_box", "write_crop",
    "ground_from_plane", "ground_from_points", "up_axis", "origin_under", "scale_to",
    "import_mesh", "decimate", "make_quads", "make_lods", "reproject_photos", "bake_normals", "bake_texture",
    "export_asset",
)  # fmt: skip


@pytest.fixture
def workspace(addon, tmp_path):
    return write_mesh_files(write_workspace(tmp_path / "w", ring()), dome(8), dome(12), texture=16)


def state() -> list:
    """The scene's content, to compare two ways."""
    found = []
    for thing in sorted(bpy.data.objects, key=lambda o: o.name):
        inputs = (
            clean_modifier.settings_of(thing)
            if thing.type == "MESH" and clean_modifier.find_cleaning(thing)
            else None
        )
        box = inputs.pop("crop_box") if inputs else None
        size = len(thing.data.vertices) if thing.type == "MESH" else 0
        matrix = np.array(thing.matrix_basis).round(5).tolist()
        found.append((thing.name, size, thing.hide_get(), matrix, str(inputs), box.name if box else ""))
    return found


STEPS = {
    "clean": (lambda: ops.clean_cloud(), lambda: api.clean()),
    "box": (lambda: ops.add_crop_box(), lambda: api.add_crop_box()),
    "apply": (lambda: ops.apply_cleaning(), lambda: api.apply_cleaning()),
    "cells": (lambda: ops.split_cloud(points=1000), lambda: api.split_cloud(1000)),
    "points": (lambda: ops.ground_from_points(points=FLAT), lambda: api.ground(POINTS)),
    "up": (lambda: ops.up_axis(axis="-X"), lambda: api.up_axis("-X")),
    "origin": (lambda: ops.origin_under(), lambda: api.origin_under()),
    "scale": (lambda: ops.scale_to(points=FLAT[:6], length=2), lambda: api.scale_to(POINTS[:2], 2)),
    "mesh": (lambda: ops.import_mesh(), lambda: api.import_mesh()),
    "decimate": (lambda: ops.decimate(faces=100), lambda: api.decimate(100)),
    "lods": (lambda: ops.make_lods(levels=3), lambda: api.make_lods(3)),
    "quads": (lambda: ops.make_quads(faces=100), lambda: api.make_quads(100)),
}


@pytest.mark.parametrize("step", list(STEPS))
def test_operator_and_function_are_equal(workspace, step):
    results = []
    for way in STEPS[step]:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        api.import_result(workspace)
        before = state()
        if way() == {"CANCELLED"}:
            pytest.fail("the operator was cancelled")
        results.append(state())
    if step != "mesh":
        assert results[0] != before
    assert results[0] == results[1]


def test_each_is_one_step_of_undo_and_gray_without_an_import(addon):
    for name in NAMES:
        operator = getattr(bpy.ops.recon3d, name)
        assert not operator.poll()
        kind = getattr(bpy.types, f"RECON3D_OT_{name}")
        # Operators that only write files change nothing that could be undone.
        assert ("UNDO" in kind.bl_options) == (name not in ("write_crop", "export_asset")), name
        with pytest.raises(RuntimeError, match="Import a result first"):
            operator()


def test_from_cloud_to_a_file_by_buttons(workspace, tmp_path):
    bpy.context.scene.recon3d.workspace = str(workspace)
    assert ops.import_result() == {"FINISHED"}
    assert ops.decimate(faces=150) == {"FINISHED"}
    assert ops.bake_normals(size="256") == {"FINISHED"}
    assert ops.origin_under(target="CURSOR") == {"FINISHED"}
    assert ops.export_asset(filepath=str(tmp_path / "a.glb"), preset="GLB") == {"FINISHED"}
    assert b"normalTexture" in (tmp_path / "a.glb").read_bytes()
    found = asset_state(bpy.context.scene)
    assert found.mesh == "Recon3D Mesh 150" and found.faces <= 150


def test_the_panels_know_the_cleanings_inputs(workspace):
    api.import_result(workspace)
    assert asset_state(bpy.context.scene).cleaning is None
    ops.clean_cloud()
    found = asset_state(bpy.context.scene)
    assert (
        [label for label, *_ in found.inputs] == [item.label for item in clean_modifier.INPUTS.values()]
        and found.analyzed
        and not found.box
    )
    for _, holder, key in found.inputs:
        holder.path_resolve(key)  # like a layout's prop(): raises ValueError for an unknown property
    ops.add_crop_box()
    assert asset_state(bpy.context.scene).box


def test_selected_vertices_are_taken_where_no_points_are_given(workspace):
    api.import_result(workspace)
    mesh = bpy.data.objects["Recon3D Mesh"]
    bpy.context.view_layer.objects.active = mesh
    with pytest.raises(RuntimeError, match="No vertices are selected"):
        ops.scale_to(length=1)
    for number in (0, 9):
        mesh.data.vertices[number].select = True
    bpy.ops.object.mode_set(mode="EDIT")
    assert ops.scale_to(length=0.5) == {"FINISHED"}
    assert mesh.mode == "EDIT"
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.update()
    a, b = (mesh.matrix_world @ mesh.data.vertices[number].co for number in (0, 9))
    assert (a - b).length == pytest.approx(0.5, rel=1e-5)


def test_of_two_imports_the_active_one_is_used(workspace, tmp_path):
    first = api.import_result(workspace)
    second = api.import_result(write_workspace(tmp_path / "other", ring()))
    bpy.context.view_layer.objects.active = first.mesh
    ops.clean_cloud()
    assert clean_modifier.find_cleaning(first.cloud) and not clean_modifier.find_cleaning(second.cloud)
    bpy.context.view_layer.objects.active = None
    ops.clean_cloud()
    assert clean_modifier.find_cleaning(second.cloud)


def requested_from_the_engine(workspace):
    return json.loads((workspace / "settings.json").read_text("utf-8"))


def test_make_mesh_asks_the_engine_for_the_texture_and_gives_it_the_box(workspace, monkeypatch, tmp_path):
    from blender_recon3d.jobs import job_request

    said = tmp_path / "said.txt"
    script = f"import sys, pathlib; pathlib.Path({str(said)!r}).write_text(chr(10).join(sys.argv[1:]))"
    monkeypatch.setenv("RECON3D_PYTHON", sys.executable)
    monkeypatch.setattr(
        job_request.engine_process,
        "command",
        lambda python, words: [sys.executable, "-c", script, *map(str, words)],
    )
    settings = bpy.context.scene.recon3d
    settings.photos, settings.workspace = str(tmp_path), str(workspace)
    settings.until = "dense"
    api.import_result(workspace)
    done = {stage: {"state": "done"} for stage in ("sfm", "dense")}
    (workspace / "state.json").write_text(json.dumps({"version": 1, "stages": done}))
    ops.make_mesh()
    assert said.read_text().split("\n")[:3] == ["run", "-o", str(workspace)]
    assert requested_from_the_engine(workspace)["mesh"] == {"device": "auto"}  # the preferences'
    ops.add_crop_box()
    ops.make_mesh(faces=5000)
    asked = requested_from_the_engine(workspace)
    assert asked["until"] == "texture" and "texture" not in asked
    assert asked["mesh"] == {
        "device": "auto",
        "max_faces": 5000,
        "cloud": str(workspace / "cleaned.ply"),
        "crop": str(workspace / "crop.json"),
    }
    # The scene's own settings are unchanged, and an interrupted mesh continues with its settings.
    assert settings.until == "dense" and not settings.advanced.is_property_set("max_faces")
    write_job(workspace, "texture")
    ops.reconstruct()
    assert requested_from_the_engine(workspace) == asked
    settings.until = "refine"
    ops.reconstruct()
    asked = requested_from_the_engine(workspace)
    assert asked["until"] == "refine" and "max_faces" not in asked["mesh"]


def write_job(workspace, until):
    (workspace / "job.json").write_text(json.dumps({"quality": "medium", "until": until}))


def test_errors_are_reported_and_nothing_is_lost(workspace):
    result = api.import_result(workspace)
    before = state()
    for call, words in (
        (lambda: ops.decimate(faces=10**6), "choose fewer"),
        (lambda: ops.bake_texture(size="256"), "use Remesh to Quads first"),
        (lambda: ops.write_crop(), "no crop box"),
        (lambda: ops.ground_from_points(points=[0.0] * 9), "on one line"),
    ):
        with pytest.raises(RuntimeError, match=words):
            call()
        assert state() == before
    assert len(result.mesh.data.polygons) == len(dome(8)[1])


@pytest.mark.parametrize("asked", [{"source": "GPS"}, {"source": "MARKERS", "size": 0.2}])
def test_a_failed_placement_is_reported_without_options(asked, workspace, monkeypatch):
    from blender_recon3d.jobs import world_scale

    said = {
        "GPS": Sentence("0 photos of the model have GPS and 4 are needed: ", MEASURE, "."),
        "MARKERS": Sentence(
            "No marker was found: check ", terminal_only("--marker-dictionary, and "), "that"
        ),
    }[asked["source"]]
    words = []
    answer = json.dumps(encode(ErrorAnswer(error=said, exit_code=2, parts=to_json(said))))
    script = f"import sys; print({answer!r}); print('recon3d:', {str(said)!r}, file=sys.stderr); sys.exit(2)"
    monkeypatch.setenv("RECON3D_PYTHON", sys.executable)
    monkeypatch.setattr(
        world_scale.engine_process,
        "command",
        lambda python, given: words.extend(given) or [sys.executable, "-c", script],
    )
    api.import_result(workspace)
    with pytest.raises(RuntimeError) as error:
        ops.scale_from_photos(**asked)
    assert "--" not in str(error.value) and said[:20] in str(error.value)
    assert words[:2] == ["place", str(workspace)] and words[-1] == "--json"
    assert ("--gps" in words) == (asked["source"] == "GPS") and ("0.2" in words) != ("--gps" in words)
