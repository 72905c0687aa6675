"""Every export of Blender's side: under any name, next to another of its kind, and where nothing can be written."""

from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.scene.exporting.export_asset import PRESETS, export_asset, exporter_of  # noqa: E402
from blender_recon3d.scene.exporting.export_cameras import KINDS, export_cameras  # noqa: E402
from blender_recon3d.scene.exporting.scene_cameras import write_scene_cameras  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from tests.support.made_meshes import dome, write_mesh_files  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402

MOVING = [
    kind for kind in KINDS if KINDS[kind].in_world and kind != "GLTF"
]  # formats with an animated camera
NAMES = ("Köpfe und Füße", "a  b", "x" * 190)


@pytest.fixture
def collection(tmp_path):
    root = write_mesh_files(write_workspace(tmp_path / "w", ring()), dome(8), texture=16)
    return import_workspace(root).collection


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("preset", PRESETS)
def test_an_asset_goes_anywhere(collection, preset, tmp_path):
    exporter = exporter_of(preset, Path("a"))
    if not exporter.available():
        pytest.skip(f"this Blender was built without {exporter.title}")
    out = tmp_path / "out"
    before: dict[str, bytes] = {}
    for name in NAMES:
        export_asset(collection, out / f"{name}{exporter.endings[0]}", preset)
        now = contents(out)
        assert f"{name}{exporter.endings[0]}" in now and before.items() < now.items()
        before = now
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=r"cannot be written .*: choose another folder") as caught:
        export_asset(collection, tmp_path / "file" / f"a{exporter.endings[0]}", preset)
    assert "\n" not in str(caught.value) and contents(out) == before


@pytest.mark.parametrize(
    ("kind", "animated"), [*((kind, False) for kind in KINDS), *((kind, True) for kind in MOVING)]
)
def test_cameras_go_anywhere(collection, kind, animated, tmp_path):
    if not KINDS[kind].available():
        pytest.skip(f"this Blender was built without {KINDS[kind].title}")
    out = tmp_path / "out"
    before: dict[str, bytes] = {}
    for name in NAMES:
        export_cameras(collection, out / f"{name}{Path(KINDS[kind].file).suffix}", kind, animated)
        now = contents(out)
        assert before.items() < now.items()
        before = now
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=r"cannot be written .*: choose another folder") as caught:
        export_cameras(collection, tmp_path / "file" / (KINDS[kind].file or "cameras"), kind, animated)
    assert "\n" not in str(caught.value) and contents(out) == before


def test_the_scenes_cameras_go_anywhere(collection, tmp_path):
    for name in NAMES:
        write_scene_cameras(bpy.context.scene, tmp_path / "out" / f"{name}.json")
    assert len(contents(tmp_path / "out")) == len(NAMES)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=r"cannot be written .*: choose another folder"):
        write_scene_cameras(bpy.context.scene, tmp_path / "file" / "a.json")
