"""Our files in other programs: make test-clients."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from blender_recon3d.pipeline.alignments.write_alignment import write_alignment
from blender_recon3d.pipeline.colmap.model_files import read_model
from blender_recon3d.pipeline.documents.document_files import write_document
from blender_recon3d.pipeline.documents.placement_json import GpsOrigin, PlacementDocument
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.exporting.export_mesh import export
from blender_recon3d.pipeline.exporting.export_options import TrainingOptions
from blender_recon3d.pipeline.exporting.training_folder import write_training_folder
from blender_recon3d.pipeline.stage_settings import TextureSettings
from blender_recon3d.pipeline.stages import texture
from blender_recon3d.pipeline.workspace import Workspace
from tests.pipeline.exporting.test_training_folder import workspace as cameras  # noqa: F401
from tests.pipeline.report.test_report import finish, model, report  # noqa: F401
from tests.pipeline.report.test_report import workspace as finished  # noqa: F401
from tests.support.made_workspaces import write_cloud
from tests.support.painted_scene import write_capture

ROOT = Path(__file__).resolve().parents[2]
LONG = "a" * 196  # 200 characters with its extension
NAMES = ("box", "Köpfe und Füße", LONG)
WIDTHS = [390, 800, 1400]


@pytest.fixture(scope="module")
def box(tmp_path_factory) -> Workspace:
    """A textured mesh and a cloud, placed by GPS."""
    found = write_capture(tmp_path_factory.mktemp("box") / "workspace", 5)
    texture.run(found.workspace, TextureSettings(texture_size=512), Progress())
    colors = np.full((len(found.vertices), 3), 200, np.uint8)
    write_cloud(found.workspace.fusion, found.vertices, colors)
    up = [[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]]
    gps = GpsOrigin(latitude_longitude=(48.7758, 9.1829), origin_east_north=(0.0, 0.0))
    write_document(found.workspace.placement, PlacementDocument(world_from_model=up, how="known", gps=gps))
    return found.workspace


@pytest.fixture(scope="module")
def files(box, tmp_path_factory) -> Path:
    """All exports of the engine in one folder, under three names."""
    folder = tmp_path_factory.mktemp("exports")
    for name in NAMES:
        for ending in (".glb", ".obj", ".ply", ".stl"):
            export(box, folder / f"{name}{ending}")
    export(box, folder / "web.glb", "web")
    export(box, folder / "cloud.las", "survey")
    return folder


@pytest.fixture(scope="module")
def packed(box, files, extra_packages) -> Path:
    """Exports that need optional packages."""
    export(box, files / "meshopt.glb", "web", meshopt=True)
    export(box, files / "cloud.laz", "survey")
    return files


@pytest.mark.parametrize("name", [*NAMES, "web"])
def test_khronos_validator(clients, files, name):
    issues = clients.validator(files / f"{name}.glb")
    clients.say(
        "gltf-validator",
        f"{name[:20]}.glb",
        f"{issues['numErrors']} errors, {issues['numWarnings']} warnings",
    )
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]


@pytest.mark.parametrize("ending", [".glb", ".obj", ".ply", ".stl"])
@pytest.mark.parametrize("name", NAMES)
def test_trimesh(clients, files, name, ending):
    found = clients.python("trimesh", files / f"{name}{ending}")
    clients.say("trimesh", f"{name[:20]}{ending}", f"{found['faces']:,} faces, texture {found['texture']}")
    size = np.array(found["high"]) - found["low"]
    up = 1 if ending in (".glb", ".obj") else 2  # the axis
    assert size[up] == pytest.approx(0.7, abs=1e-3)
    assert found["texture"] == ([512, 512] if ending in (".glb", ".obj") else None)


def test_a_compressed_glb_is_the_same_mesh(clients, packed):
    found, plain = (clients.gltf_transform(packed / f"{name}.glb") for name in ("meshopt", "web"))
    sizes = [(packed / f"{name}.glb").stat().st_size for name in ("meshopt", "web")]
    clients.say(
        "gltf-transform", "meshopt.glb", f"{found['faces']:,} faces, {sizes[0] / sizes[1]:.0%} of web.glb"
    )
    assert sizes[0] < 0.5 * sizes[1] and "EXT_meshopt_compression" in found["extensions"]
    assert clients.validator(packed / "meshopt.glb")["numErrors"] == 0
    assert found["area"] == pytest.approx(plain["area"]) and found["textures"] == plain["textures"]
    assert (found["low"], found["high"], found["faces"]) == (plain["low"], plain["high"], plain["faces"])


def test_a_laz_is_the_las(clients, packed):
    found, plain = (clients.python("laspy", packed / f"cloud.{ending}") for ending in ("laz", "las"))
    sizes = [(packed / f"cloud.{ending}").stat().st_size for ending in ("laz", "las")]
    clients.say(
        "laspy, lazrs", "cloud.laz", f"{found['points']:,} points, {sizes[0] / sizes[1]:.0%} of the LAS"
    )
    for name in ("low", "high", "first"):
        assert np.allclose(found.pop(name), plain.pop(name), rtol=0, atol=1e-6)
    assert found == plain and sizes[0] < 0.8 * sizes[1]


def test_assimp(clients, files):
    found = clients.python("assimp", files / "box.glb")
    clients.say("Assimp", "box.glb", f"{found['faces']:,} faces")
    assert found["faces"] > 1000


def test_laspy(clients, files):
    found = clients.python("laspy", files / "cloud.las")
    clients.say(
        "laspy", "cloud.las", f"{found['points']:,} points, LAS {found['version']}, {found['wkt'][8:35]}"
    )
    assert (found["version"], found["format"]) == ("1.4", 7)
    assert 'AUTHORITY["EPSG","32632"]' in found["wkt"]
    middle = (np.array(found["low"]) + found["high"]) / 2
    assert np.abs(middle[:2] - [513437.7, 5402549.1]).max() < 5 and found["red"] == 200 * 257


def test_colmap_reads_the_folder_for_training_and_the_cameras(clients, cameras, tmp_path):  # noqa: F811
    write_training_folder(cameras, tmp_path / "3dgs", TrainingOptions(factors=(2,)), Progress())
    write_alignment(cameras, tmp_path / "cameras", "colmap")
    for path in (tmp_path / "3dgs" / "sparse" / "0", tmp_path / "cameras"):
        answer = clients.colmap("model_analyzer", "--path", path)
        said = answer.stdout + answer.stderr
        line = next((line.strip() for line in said.splitlines() if "Registered images" in line), "")
        clients.say("COLMAP", path.relative_to(tmp_path).as_posix(), line.split("] ")[-1] or "not read")
        assert answer.returncode == 0 and line.endswith("6"), said
        assert read_model(path).num_reg_images() == 6


def test_the_report_in_a_browser(clients, finished, tmp_path):  # noqa: F811
    finish(finished, "texture")
    report(finished)
    for found in clients.report(finished.report_html, WIDTHS):
        broken = [*found["violations"], *found["said"], *found["asked"]]
        clients.say("Chromium, axe", f"report.html at {found['width']} px", f"{len(broken)} faults")
        assert not broken, broken
        assert found["wide"] <= found["width"], "it is wider than the window"


def blender_files(folder: Path) -> None:
    """Blender's exports, by the bpy module in .venv-bpy."""
    python = ROOT / ".venv-bpy" / "bin" / "python"
    code = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
import bpy
from blender_recon3d.scene.exporting.export_asset import export_asset
from blender_recon3d.scene.exporting.export_cameras import export_cameras
from blender_recon3d.scene.importing.import_workspace import import_workspace
from tests.support.made_meshes import dome, write_mesh_files
from tests.support.made_workspaces import MadeCamera, ring, write_workspace
folder = Path({str(folder)!r})
for name, size in (("landscape", (60, 40)), ("portrait", (40, 60))):
    camera = MadeCamera(width=size[0], height=size[1], params=(55.0, 55.0, size[0] / 2 + 3, size[1] / 2 - 2))
    root = write_mesh_files(write_workspace(folder / name, ring(camera=camera)), dome(8), texture=16)
    collection = import_workspace(root).collection
    export_asset(collection, folder / f"{{name}}.usdc", "VFX")
    export_asset(collection, folder / f"{{name}}.fbx", "GAME")
    export_cameras(collection, folder / f"{{name}}_cameras.fbx", "FBX")
    export_cameras(collection, folder / f"{{name}}_cameras.gltf", "GLTF")
    bpy.ops.wm.read_factory_settings(use_empty=True)
"""
    done = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, timeout=900, cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert (folder / "portrait_cameras.gltf").is_file(), done.stderr[-3000:]


@pytest.fixture(scope="module")
def from_blender(tmp_path_factory) -> Path:
    if not (ROOT / ".venv-bpy" / "ready").exists():
        pytest.skip("there is no .venv-bpy: run make setup-bpy")
    folder = tmp_path_factory.mktemp("blender")
    blender_files(folder)
    return folder


@pytest.mark.parametrize(("name", "width", "height"), [("landscape", 60, 40), ("portrait", 40, 60)])
def test_usd(clients, from_blender, name, width, height):
    found = clients.python("usd", from_blender / f"{name}.usdc")
    clients.say("usd-core", f"{name}.usdc", f"{len(found['issues'])} issues, {len(found['cameras'])} cameras")
    assert not found["issues"] and len(found["cameras"]) == 5
    for camera in found["cameras"]:
        assert camera["across"] / camera["focal"] == pytest.approx(width / 55.0, rel=1e-4)
        assert camera["down"] / camera["focal"] == pytest.approx(height / 55.0, rel=1e-4)
        across, down = camera["shift"]
        assert across / camera["across"] == pytest.approx(-3 / width, rel=1e-3)
        assert down / camera["down"] == pytest.approx(-2 / height, rel=1e-3)


@pytest.mark.parametrize("name", ["landscape", "portrait"])
def test_assimp_sees_the_cameras_of_an_fbx(clients, from_blender, name):
    found = clients.python("assimp", from_blender / f"{name}_cameras.fbx")
    clients.say("Assimp", f"{name}_cameras.fbx", f"{found['cameras']} cameras")
    assert found["cameras"] == 5


def test_a_game_asset_is_as_unreal_and_unity_expect(clients, from_blender):
    """Unreal: UCX_NAME_01 is the hull of the mesh NAME, and centimeters; Unity: NAME_LOD0 and so on, and no scale or
    turn of objects; both: a group of levels of detail. Y is up in the file.

    https://dev.epicgames.com/documentation/en-us/unreal-engine/fbx-static-mesh-pipeline-in-unreal-engine
    https://docs.unity3d.com/Manual/importing-lod-meshes.html
    """
    found = clients.python("assimp", from_blender / "landscape.fbx")
    nodes, about = found["nodes"], found["about"]
    levels = [f"landscape_LOD{level}" for level in range(3)]
    clients.say("Assimp", "landscape.fbx", f"{', '.join(sorted(nodes))}, {about['UnitScaleFactor']:g} cm")
    assert set(nodes) - {"RootNode"} == {"landscape", *levels, "UCX_landscape_LOD0_01"}
    assert {nodes[level]["parent"] for level in levels} == {"landscape"}
    assert all(node["still"] for node in nodes.values())
    assert (about["UpAxis"], about["UpAxisSign"], about["UnitScaleFactor"]) == (1, 1, 1.0)
    assert nodes[levels[0]]["faces"] > nodes[levels[1]]["faces"] > nodes[levels[2]]["faces"]
    # A hemisphere of radius 2 m from z = 3 to 5 m, centered at x = 1, y = 2, in centimeters with y up.
    assert np.allclose(nodes[levels[0]]["low"], [-100, 300, -400], atol=1)
    assert np.allclose(nodes[levels[0]]["high"], [300, 500, 0], atol=1)


@pytest.mark.parametrize("name", ["landscape", "portrait"])
def test_khronos_reads_the_cameras(clients, from_blender, name):
    issues = clients.validator(from_blender / f"{name}_cameras.gltf")
    clients.say("gltf-validator", f"{name}_cameras.gltf", f"{issues['numErrors']} errors")
    assert issues["numErrors"] == 0, issues["messages"]
