"""COLMAP projects as written by other programs, and scenes with an import linked from another file."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.pipeline.files.ply import read_vertices, write_vertices  # noqa: E402
from blender_recon3d.scene.cleaning.clean_modifier import positions  # noqa: E402
from blender_recon3d.scene.exporting.export_cameras import export_cameras  # noqa: E402
from blender_recon3d.scene.find_imports import check_addable  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from tests.support.made_workspaces import ring, write_binary, write_text, write_workspace  # noqa: E402

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def empty_scene():
    bpy.ops.wm.read_factory_settings(use_empty=True)


@pytest.mark.parametrize("write", [write_binary, write_text])
@pytest.mark.parametrize("counts", [(3, 9), (9, 3), (3, 9, 4)])
def test_the_largest_model_is_imported_and_the_others_are_reported(write, counts, tmp_path):
    for number, count in enumerate(counts):
        write(tmp_path / f"sparse/{number}", ring(count))
    result = import_workspace(tmp_path)
    assert len(result.cameras) == 9
    assert any(f"sparse/{counts.index(9)} was imported" in note and "3" in note for note in result.notes)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.nvm", "take its cameras with Import Alignment"),
        ("transforms.json", "take its cameras with Import Alignment"),
        ("statue.psx", "export the cameras from there"),
        ("cloud.ply", "File > Import > Stanford PLY"),
        ("notes.txt", "holds no reconstruction"),
    ],
)
def test_a_folder_without_a_model_is_reported_by_its_content(name, said, tmp_path):
    (tmp_path / name).write_text("x")
    with pytest.raises(UserError, match=said) as failed:
        import_workspace(tmp_path)
    assert name == "notes.txt" or name in str(failed.value)


def test_models_may_begin_at_another_number(tmp_path):
    write_binary(tmp_path / "sparse/2", ring(4))
    assert len(import_workspace(tmp_path).cameras) == 4


def test_the_chosen_folder_is_used(tmp_path):
    write_binary(tmp_path / "sparse/0", ring(3))
    write_binary(tmp_path / "sparse/1", ring(9))
    assert len(import_workspace(tmp_path / "sparse/0").cameras) == 3


@pytest.mark.parametrize("points", ["left out", "empty", "numbers"])
def test_text_with_and_without_lines_of_points(points, tmp_path):
    write_text(tmp_path, ring(6))
    path = tmp_path / "images.txt"
    lines = [line for line in path.read_text().splitlines() if line.strip() and line[0] != "#"]
    images = [line for line in lines if line.endswith(".jpg")]
    between = {"left out": [], "empty": [""], "numbers": ["10.5 20.25 -1 3 4e1 7"]}[points]
    path.write_text("\n".join(["# " + "x" * 5000, *(line for image in images for line in [image, *between])]))
    assert len(import_workspace(tmp_path).cameras) == 6


def test_a_long_line_in_the_header_of_a_cloud(tmp_path):
    path = tmp_path / "a.ply"
    system = 'comment crs PROJCS["WGS 84 / UTM zone 32N", ' * 3000
    path.write_text(f"ply\nformat ascii 1.0\n{system}\nelement vertex 1\nproperty float x\nend_header\n2.5\n")
    assert read_vertices(path)["x"].tolist() == [2.5]


@pytest.mark.parametrize("how", ["linked", "override"])
def test_an_import_linked_from_another_file_is_refused(how, tmp_path):
    workspace = write_workspace(tmp_path / "w", ring())
    import_workspace(workspace)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, into):
        into.collections = ["Recon3D"]
    bpy.context.scene.collection.children.link(into.collections[0])
    if how == "override":
        into.collections[0].override_hierarchy_create(bpy.context.scene, bpy.context.view_layer)
    before = sorted(thing.name_full for thing in bpy.data.objects)
    made = [thing for thing in bpy.data.objects if thing.get("recon3d")]
    for call in (lambda: import_workspace(workspace), *(partial(check_addable, thing) for thing in made)):
        with pytest.raises(UserError, match="make it local"):
            call()
    assert sorted(thing.name_full for thing in bpy.data.objects) == before


def test_the_documented_recipe_works_in_a_checkout_and_reports_what_is_missing(tmp_path):
    write_workspace(tmp_path / "w", ring(points=60))
    recipe = f"""
import os, sys
import bpy
{{register}}
from blender_recon3d import api
try:
    print(len(api.import_result({str(tmp_path / "w")!r}).cameras), flush=True)
except api.UserError as error:
    print(error, flush=True)
os._exit(0)  # bpy 4.2 crashes when Python ends while classes are registered
"""

    def said(register: str) -> str:
        command = [sys.executable, "-c", recipe.format(register=register)]
        return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=300).stdout

    assert said("import blender_recon3d; blender_recon3d.register()").split()[-1] == "5"
    assert "register() first" in said("")


UTM = np.array([447312.5, 5428123.25, 212.0])


def matrix(q) -> np.ndarray:
    w, u = q[0], np.array(q[1:])
    cross = np.cross(np.eye(3), u)
    return np.eye(3) + 2 * w * cross + 2 * cross @ cross


def far_model():
    """The ring with z up, in map coordinates."""
    model = ring()
    upright = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    model.xyz = model.xyz @ upright.T + UTM
    images = []
    half = np.sqrt(0.5)
    for name, camera, (w, x, y, z), t in model.images:  # double precision throughout, unlike mathutils
        q = (half * (w - x), half * (w + x), half * (y + z), half * (z - y))
        images.append((name, camera, q, t - matrix(q) @ UTM))
    model.images = images
    return model


@pytest.mark.parametrize("write", [write_binary, write_text])
def test_map_coordinates_keep_their_precision_and_are_restored(write, tmp_path):
    far = far_model()
    write(tmp_path / "m", far)
    result = import_workspace(tmp_path / "m")
    assert any("44731" in text for text in result.notes)
    points = positions(result.cloud.data)
    offset = np.array(result.collection["recon3d"]["offset"])
    assert np.abs(points + offset - far.xyz).max() < 1e-5
    assert result.empty.matrix_world.translation.length == 0
    centers = np.array([camera.matrix_world.translation for camera in result.cameras.values()])
    assert np.allclose(centers[:, 2] + offset[2], UTM[2] + 1, atol=1e-3)  # a meter above; z stays up
    export_cameras(result.collection, tmp_path / "out", "COLMAP")
    lines = [line for line in (tmp_path / "out/images.txt").read_text().splitlines() if line.strip()]
    for line, (_, _, _, t) in zip(lines, far.images, strict=True):
        assert np.allclose([float(word) for word in line.split()[5:8]], t, rtol=0, atol=1e-6)
    first = next(iter(result.cameras.values()))
    before = np.array(first.matrix_world.translation)
    first.location.x += 2  # a moved camera is written at its new position
    bpy.context.view_layer.update()
    export_cameras(result.collection, tmp_path / "out", "COLMAP")
    words = (tmp_path / "out/images.txt").read_text().split()
    rotation = matrix([float(word) for word in words[1:5]])
    center = -rotation.T @ [float(word) for word in words[5:8]]
    assert np.allclose(
        center, before + offset + [2, 0, 0], atol=0.5
    )  # the test's quaternion is single precision


def test_cameras_that_the_engine_moved_to_the_origin_are_exported_at_their_coordinates(tmp_path):
    model = ring()
    root = write_workspace(tmp_path / "w", model)
    stages = {name: {"state": "done"} for name in ("photos", "sfm", "dense")}
    stages["sfm"]["summary"] = {"offset": UTM.tolist()}
    (root / "state.json").write_text(json.dumps({"version": 1, "stages": stages}))
    export_cameras(import_workspace(root).collection, tmp_path / "out", "COLMAP")
    lines = [line for line in (tmp_path / "out/images.txt").read_text().splitlines() if line.strip()]
    for line, (_, _, q, t) in zip(lines, model.images, strict=True):
        assert np.allclose([float(word) for word in line.split()[5:8]], t - matrix(q) @ UTM, rtol=0, atol=1)


def test_a_cloud_in_map_coordinates_beside_cameras_that_are_not_keeps_its_precision(tmp_path):
    root = write_workspace(tmp_path / "w", ring())
    table = np.empty(500, [(name, "<f8") for name in "xyz"])
    xyz = np.random.default_rng(0).normal(size=(500, 3)) + UTM
    for axis, name in enumerate("xyz"):
        table[name] = xyz[:, axis]
    write_vertices(root / "dense" / "fusion.ply", table)
    result = import_workspace(root)
    assert np.abs(positions(result.cloud.data) + np.array(result.cloud.location, float) - xyz).max() < 1e-5
    assert any("far from the cameras" in text for text in result.notes)
