"""A training folder from any COLMAP folder, and files of an earlier export in its place."""

import json
import shutil

import numpy as np
import pytest

from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.exporting.export_options import TrainingOptions
from blender_recon3d.pipeline.exporting.training_folder import write_training_folder
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.made_workspaces import MadeCamera, png, ring, write_binary, write_workspace


def export(folder, target, size="depth") -> str:
    return write_training_folder(Workspace(folder), target, TrainingOptions(size, factors=(2,)), Progress())


@pytest.fixture
def colmap(tmp_path):
    """Undistorted photos with their model, as COLMAP writes them, without our files."""
    return write_workspace(tmp_path / "w", ring())


def test_a_folder_of_colmap_is_accepted(colmap, tmp_path):
    target = tmp_path / "splats"
    for _ in range(2):  # over an earlier export
        assert export(colmap, target) == f"Wrote 5 photos and 500 points to {target}."
    names = [f"photo_{number:03d}.jpg" for number in range(5)]
    for folder in ("images", "images_2"):
        assert sorted(path.name for path in (target / folder).iterdir()) == names
    photo = colmap / "dense" / "images" / names[0]
    assert (target / "images" / names[0]).read_bytes() == photo.read_bytes()  # not compressed again
    made = {path.name for path in target.iterdir()}
    assert made == {
        "README.md",
        "images",
        "images_2",
        "recon3d.json",
        "sparse",
        "sparse_pc.ply",
        "transforms.json",
    }


def test_photos_in_subfolders_with_a_lens_are_undistorted(tmp_path):
    model = ring(camera=MadeCamera("SIMPLE_RADIAL", params=(55.0, 30.0, 20.0, 0.1)))
    model.images = [(f"left eye/{number}.jpg", *rest) for number, (_, *rest) in enumerate(model.images)]
    write_binary(tmp_path / "w" / "sparse", model)
    (tmp_path / "w" / "images" / "left eye").mkdir(parents=True)
    for name, *_ in model.images:
        (tmp_path / "w" / "images" / name).write_bytes(png(np.full((40, 60, 3), 200, np.uint8)))
    export(tmp_path / "w", tmp_path / "splats", "full")
    document = json.loads((tmp_path / "splats" / "transforms.json").read_text())
    for frame in document["frames"]:
        assert (tmp_path / "splats" / frame["file_path"]).is_file() and frame["k1"] == 0
    assert len(list((tmp_path / "splats" / "images_2" / "left eye").iterdir())) == 5


def test_nothing_else_is_overwritten(colmap, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    for place, match in (
        (tmp_path / "mine", "other files"),
        (colmap, "contains the other"),
        (tmp_path, "contains the other"),
    ):
        with pytest.raises(UserError, match=match):
            export(colmap, place)
    assert (tmp_path / "mine" / "thesis.txt").is_file()


def test_what_is_missing_is_reported(colmap, tmp_path):
    (colmap / "dense" / "images" / "photo_002.jpg").unlink()
    with pytest.raises(UserError, match=r"1 of the model's photos \(photo_002.jpg\) are missing"):
        export(colmap, tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="has no COLMAP model"):
        export(tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_was_trained_into_the_folder_stays(colmap, tmp_path):
    target = tmp_path / "splats"
    export(colmap, target)
    trained = {
        "output/point_cloud.ply": b"three days",
        "images/notes.txt": b"mine",
        "sparse/0/points3D.ply": b"x",
    }
    for name, content in trained.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)
    model = ring(4)  # one photo less, and recomputed photos
    write_binary(colmap / "dense" / "sparse", model)
    picture = (colmap / "dense" / "images" / "photo_000.jpg").read_bytes()
    (colmap / "dense" / "images" / "photo_001.jpg").unlink()
    (colmap / "dense" / "images" / "photo_001.jpg").write_bytes(picture + b"new")
    export(colmap, target)
    assert {name: (target / name).read_bytes() for name in trained} == trained
    assert not (target / "images" / "photo_004.jpg").exists()
    assert (target / "images" / "photo_001.jpg").read_bytes() == picture + b"new"
    assert not list(tmp_path.glob("*.part"))


def test_an_export_replaces_nothing_that_was_changed_or_is_elsewhere(colmap, tmp_path):
    target = tmp_path / "splats"
    export(colmap, target)
    (target / "images" / "photo_002.jpg").unlink()
    (target / "images" / "photo_002.jpg").write_bytes(b"retouched by hand")
    with pytest.raises(UserError, match=r"photo_002\.jpg was not exported by Recon3D"):
        export(colmap, target)
    assert (target / "images" / "photo_002.jpg").read_bytes() == b"retouched by hand"
    shutil.rmtree(target)
    export(colmap, target)
    (target / "images").rename(tmp_path / "elsewhere")
    (target / "images").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="is a link to another folder"):
        export(colmap, target)
    assert len(list((tmp_path / "elsewhere").iterdir())) == 5


def test_a_list_of_own_files_does_not_reach_other_folders(colmap, tmp_path):
    target = tmp_path / "splats"
    export(colmap, target)
    outside = tmp_path / "thesis.txt"
    outside.write_text("mine")
    stamp = [outside.stat().st_size, outside.stat().st_mtime_ns]
    for name in ("../thesis.txt", str(outside), "images/../../thesis.txt"):
        kept = json.loads((target / "recon3d.json").read_text())
        (target / "recon3d.json").write_text(
            json.dumps({**kept, "files": [*kept["files"], [name, *stamp], 10**400]})
        )
        export(colmap, target)
        assert outside.read_text() == "mine"
