"""Folders that COLMAP's own programs have written, and users have moved."""

import os
import sys

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")
import numpy as np  # noqa: E402

from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.scene.importing.find_source import find_source  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from tests.support.made_workspaces import MadeCamera, png, ring, write_binary, write_cloud, write_text  # noqa: E402

PIXELS = png(np.zeros((40, 60, 3), np.uint8))


def photos(folder, model):
    folder.mkdir(parents=True, exist_ok=True)
    for name, *_ in model.images:
        (folder / name).write_bytes(PIXELS)


@pytest.mark.parametrize(
    ("model_at", "photos_at", "chosen"),
    [
        ("sparse/0", "images", "."),  # COLMAP's automatic reconstructor, sparse
        ("sparse", "images", "."),  # image_undistorter's output
        ("dense/0/sparse", "dense/0/images", "."),  # automatic reconstructor, dense
        (".", "images", "."),  # a model and its photos in one folder
        ("sparse/0", "images", "sparse/0"),  # the model's folder itself is chosen
        ("colmap/sparse/0", "images", "."),  # nerfstudio's
    ],
)
@pytest.mark.parametrize("write", [write_binary, write_text])
def test_models_are_found_with_their_photos(model_at, photos_at, chosen, write, tmp_path):
    model = ring()
    write(tmp_path / model_at, model)
    photos(tmp_path / photos_at, model)
    result = import_workspace(tmp_path / chosen)
    assert len(result.cameras) == 5 and result.points == 500
    found = sum(bool(c.data.background_images) for c in result.cameras.values())
    assert found == 5


def test_colmaps_own_cloud_is_taken(tmp_path):
    model = ring()
    write_binary(tmp_path / "dense" / "0" / "sparse", model)
    write_cloud(tmp_path / "dense" / "0" / "fused.ply", model.xyz[:40], model.rgb[:40])
    assert import_workspace(tmp_path).points == 40


def test_distorted_photos_are_reported_to_fit_only_roughly(tmp_path):
    model = ring(camera=MadeCamera("SIMPLE_RADIAL", 60, 40, (55.0, 30.0, 20.0, 0.1)))
    write_binary(tmp_path / "sparse" / "0", model)
    assert any("only roughly" in note for note in import_workspace(tmp_path).notes)
    write_binary(tmp_path / "w" / "sparse" / "0", ring())
    assert not any("only roughly" in note for note in import_workspace(tmp_path / "w").notes)


def test_a_folder_without_a_model_says_what_to_choose(tmp_path):
    with pytest.raises(UserError, match="nor another COLMAP model") as caught:
        find_source(tmp_path)
    assert caught.value.remedy == "results"
    assert len(bpy.data.objects) == 0


def test_names_that_are_not_utf8_keep_every_camera_and_its_photo(tmp_path):
    """A COLMAP project from an old USB stick, with names in Latin-1."""
    if sys.platform != "linux":
        pytest.skip("other systems have no such names")
    names = [os.fsdecode(name) for name in (b"caf\xe9.jpg", b"caf\xe8.jpg", b"caf\xea.jpg")]
    made = ring(3)
    made.images = [(name, *rest) for name, (_, *rest) in zip(names, made.images, strict=True)]
    (tmp_path / "images").mkdir()
    for name in names:
        (tmp_path / "images" / name).write_bytes(PIXELS)
    write_binary(tmp_path / "sparse" / "0", made)
    found = import_workspace(tmp_path)
    assert len(found.cameras) == len(bpy.data.collections["Recon3D Cameras"].objects) == 3
    assert all(camera.data.background_images for camera in found.cameras.values())
    assert {camera["recon3d"]["photo"] for camera in found.cameras.values()} == {
        "caf\\xe9.jpg",
        "caf\\xe8.jpg",
        "caf\\xea.jpg",
    }
