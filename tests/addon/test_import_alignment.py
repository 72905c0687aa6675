"""A workspace with the cameras of another program keeps them when Blender runs it again."""

import json

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.jobs.job_request import alignment_options, kept_alignment  # noqa: E402
from blender_recon3d.pipeline.alignments.camera_alignment import AlignedPhoto, Alignment, Lens  # noqa: E402
from blender_recon3d.pipeline.alignments.camera_writers import WRITERS  # noqa: E402
from blender_recon3d.pipeline.settings import JobSettings  # noqa: E402
from tests.support.made_workspaces import png, ring, rotation_matrix  # noqa: E402


def test_the_cameras_of_a_project_are_kept(tmp_path):
    assert kept_alignment(tmp_path) == {}
    options = alignment_options("/p/cameras.xml")
    job = JobSettings.build(photos="/p", features="sift", **options)
    (tmp_path / "job.json").write_text(json.dumps(job.to_json()))
    assert kept_alignment(tmp_path) == options
    (tmp_path / "job.json").write_text("{")
    assert kept_alignment(tmp_path) == {}


def test_a_missing_project_is_reported(addon, engine_python, monkeypatch, tmp_path):
    monkeypatch.setenv("RECON3D_PYTHON", str(engine_python))
    (tmp_path / "photos").mkdir()
    bpy.context.scene.recon3d.photos = str(tmp_path / "photos")
    with pytest.raises(RuntimeError, match=r"cameras\.xml does not exist"):
        bpy.ops.recon3d.import_alignment(filepath=str(tmp_path / "cameras.xml"))


WIDTH, HEIGHT, FOCAL = 320, 240, 300.0


def write_project(folder, name: str) -> None:
    """Five photos of noise in `photos`, and a project of Meshroom's with their cameras and points of exact places."""
    made = ring(5, points=80)
    lens = Lens("PINHOLE", WIDTH, HEIGHT, (FOCAL, FOCAL, WIDTH / 2, HEIGHT / 2))
    photos, seen = [], []
    noise = np.random.default_rng(0)
    (folder / "photos").mkdir()
    for number, (photo, _, q, t) in enumerate(made.images):
        pose = np.column_stack([rotation_matrix(q), t])
        photos.append(AlignedPhoto(photo, lens, pose))
        local = made.xyz @ pose[:, :3].T + pose[:, 3]
        pixels = local[:, :2] / local[:, 2:] * FOCAL + np.array([WIDTH / 2, HEIGHT / 2])
        seen += [(point, number, *pixel) for point, pixel in enumerate(pixels)]
        blocks = noise.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
        picture = blocks.repeat(8, axis=0).repeat(8, axis=1)
        (folder / "photos" / photo.replace(".jpg", ".PNG")).write_bytes(png(picture))
    table = np.array(seen)
    alignment = Alignment("Meshroom", photos, made.xyz, made.rgb, table[:, 0].astype(int), table[:, 1].astype(int),
                          table[:, 2:])  # fmt: skip
    WRITERS["meshroom"](folder / name, alignment)


def test_the_cameras_of_a_project_are_imported(addon, engine_python, monkeypatch, tmp_path):
    monkeypatch.setenv("RECON3D_PYTHON", str(engine_python))
    write_project(tmp_path, "scene.sfm")
    bpy.context.scene.recon3d.photos = str(tmp_path / "photos")
    assert bpy.ops.recon3d.import_alignment(filepath=str(tmp_path / "scene.sfm")) == {"FINISHED"}
    cameras = {thing.name: thing for thing in bpy.data.objects if thing.type == "CAMERA"}
    assert set(cameras) == {f"photo_{number:03d}" for number in range(5)}
    for name, _, q, t in ring(5).images:
        kept = cameras[name.removesuffix(".jpg")]["recon3d"]
        assert np.allclose(kept["tvec"], t, atol=1e-6)
        assert np.allclose(rotation_matrix(np.array(kept["qvec"])), rotation_matrix(q), atol=1e-6)
    job = json.loads((tmp_path / "photos_recon3d" / "job.json").read_text())
    assert job["sfm"]["alignment"] == str(tmp_path / "scene.sfm")
