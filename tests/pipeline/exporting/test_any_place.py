"""Every export of the engine: under any name, next to another of its kind, and where nothing can be written."""

from pathlib import Path

import numpy as np
import pytest

from blender_recon3d.pipeline.alignments.camera_writers import WRITERS
from blender_recon3d.pipeline.alignments.read_alignment import read_alignment
from blender_recon3d.pipeline.alignments.write_alignment import write_alignment
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.exporting.export_mesh import export
from blender_recon3d.pipeline.exporting.export_options import TrainingOptions
from blender_recon3d.pipeline.exporting.file_formats import engine_endings
from blender_recon3d.pipeline.exporting.training_folder import write_training_folder
from blender_recon3d.pipeline.workspace import Workspace
from tests.pipeline.alignments.test_round_trips import FORMATS, SIZE, an_alignment
from tests.pipeline.exporting.test_exporting import workspace as textured  # noqa: F401
from tests.support.made_workspaces import ring, write_cloud, write_workspace

ENDINGS = sorted(set(engine_endings()) - {".laz"})  # by packages that are not installed
KINDS = {name.partition(",")[0]: value for name, value in reversed(FORMATS.items())}
NAMES = ("Köpfe und Füße", "a  b", "x" * 196)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def whole(textured):  # noqa: F811
    xyz = np.random.default_rng(0).normal(size=(50, 3))
    write_cloud(textured.fusion, xyz, np.full((50, 3), 90, np.uint8))
    return textured


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_mesh_under_any_name_beside_others(whole, ending, tmp_path):
    before: dict[str, bytes] = {}
    for name in NAMES:
        written = export(whole, tmp_path / f"{name}{ending}")
        assert written[0].name == f"{name}{ending}" and all(path.is_file() for path in written)
        now = contents(tmp_path)
        assert set(now) - set(before) == {path.name for path in written}
        assert before.items() <= now.items()  # none of the others has changed
        before = now


@pytest.mark.parametrize("kind", KINDS)
def test_cameras_under_any_name_beside_others(kind, tmp_path):
    file, model = KINDS[kind]
    truth = an_alignment(model)
    before: dict[str, bytes] = {}
    for name in NAMES:
        path = tmp_path / f"{name}{Path(file).suffix}"
        WRITERS[kind](path, truth)
        assert len(read_alignment(path, lambda name: SIZE).photos) == len(truth.photos)
        now = contents(tmp_path)
        assert before.items() < now.items()
        before = now


@pytest.mark.parametrize("kind", ["colmap", *KINDS])
def test_cameras_where_nothing_can_be_written(kind, tmp_path):
    made = write_workspace(tmp_path / "w", ring())
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=r"cannot be written .*: choose another folder") as caught:
        write_alignment(Workspace(made), tmp_path / "file" / KINDS.get(kind, ("cameras",))[0], kind)
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_mesh_where_nothing_can_be_written(whole, ending, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=r"cannot be written .*: export to another folder"):
        export(whole, tmp_path / "file" / f"a{ending}")
    (tmp_path / f"a{ending}").mkdir()  # there is a folder with the file's name
    with pytest.raises(UserError, match="cannot be written"):
        export(whole, tmp_path / f"a{ending}")
    assert list((tmp_path / f"a{ending}").iterdir()) == []


def test_a_folder_for_training_under_any_name_and_nowhere(tmp_path):
    made = Workspace(write_workspace(tmp_path / "w", ring()))
    options = TrainingOptions("depth", ())
    (tmp_path / "out").mkdir()
    for name in NAMES:
        write_training_folder(made, tmp_path / "out" / name, options, Progress())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(NAMES)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=r"cannot be written .*: choose another folder"):
        write_training_folder(made, tmp_path / "file" / "3dgs", options, Progress())
