"""One next step, depending on the state."""

from dataclasses import replace

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d import api, chosen_folders  # noqa: E402
from blender_recon3d.jobs.next_step import STEPS, Facts, facts_of, next_step  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402

PHOTOS = Facts(photos=True)
DONE = Facts(photos=True, finished=True)


@pytest.mark.parametrize(
    ("facts", "label"),
    [
        (Facts(), "Choose Photos"),
        (PHOTOS, "Reconstruct"),
        (replace(PHOTOS, strange=True), "Look at These Photos"),
        (replace(PHOTOS, unfinished=True), "Resume"),
        (replace(PHOTOS, unfinished=True, unsuitable=True), "Choose Other Photos"),
        (DONE, "Import Result"),
        (replace(DONE, imported=True), "Build Cloud"),
        (replace(DONE, imported=True, dense=True), "Build Mesh"),
        (replace(DONE, imported=True, dense=True, mesh=True), "Set Scale"),
        (replace(DONE, imported=True, dense=True, mesh=True, scaled=True), "Export"),
        (
            Facts(imported=True, mesh=True, scaled=True),
            "Export",
        ),  # someone else's file, with the result in it
        (replace(PHOTOS, engine=False), None),
        (replace(PHOTOS, running=True), None),
    ],
)
def test_there_is_one_next_step(facts, label):
    step = next_step(facts)
    assert (step.label if step else None) == label


def test_every_step_is_an_operator_that_takes_its_arguments(addon):
    for step in STEPS:
        group, name = step.operator.split(".")
        taken = getattr(getattr(bpy.ops, group), name).get_rna_type().properties.keys()
        assert set(step.arguments) <= set(taken), step.label


def test_the_way_from_an_import_to_the_export(addon, engine_python, monkeypatch, tmp_path):
    monkeypatch.setenv("RECON3D_PYTHON", str(engine_python))
    root = write_workspace(tmp_path / "w", ring())
    scene = bpy.context.scene
    assert next_step(facts_of(scene)).label == "Choose Photos"
    (tmp_path / "photos").mkdir()
    chosen_folders.remember(tmp_path / "photos", root)
    scene.recon3d.photos, scene.recon3d.workspace = str(tmp_path / "photos"), str(root)
    assert next_step(facts_of(scene)).label == "Reconstruct"
    api.import_result(root)
    assert next_step(facts_of(scene)).label == "Build Mesh"
    write_mesh_files(root, dome(8), dome(12), texture=16)
    api.import_result(root)
    assert next_step(facts_of(scene)).label == "Set Scale"
    api.scale_to([(0, 0, 0), (1, 0, 0)], 0.5)
    assert next_step(facts_of(scene)).label == "Export"


def test_parts_of_a_result_are_shown_and_hidden(addon, tmp_path):
    root = write_mesh_files(write_workspace(tmp_path / "w", ring()), dome(8), dome(12), texture=16)
    result = api.import_result(root)
    toggle = bpy.ops.recon3d.toggle_shown
    assert result.cloud.hide_get() and not result.mesh.hide_get()
    for what in ("CLOUDS", "MESHES"):
        assert toggle(what=what) == {"FINISHED"}
    assert not result.cloud.hide_get() and result.mesh.hide_get()
    camera = next(iter(result.cameras.values()))
    toggle(what="CAMERAS")
    assert not camera.visible_get()
    toggle(what="CAMERAS")
    assert camera.visible_get() and camera.data.show_background_images
    toggle(what="PHOTOS")
    assert not camera.data.show_background_images
