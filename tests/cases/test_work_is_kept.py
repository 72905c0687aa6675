"""Photos touched, moved, added and removed: what does not depend on the change is kept, and so is a scale."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from blender_recon3d.pipeline.alignments.take_alignment import identity
from blender_recon3d.pipeline.cli.recon3d import main
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.placing.placement_file import read_placement
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.stage import stage
from blender_recon3d.pipeline.stage_settings import MeshSettings
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.scenes import box_scene, ring, spot_texture, write_capture

SCALE = 5.0


@pytest.fixture(scope="module")
def capture(tmp_path_factory) -> Path:
    """Five photos; four of them are used at first."""
    folder = tmp_path_factory.mktemp("kept")
    write_capture(folder / "all", ring(5, arc=0.7), box_scene(texture=spot_texture))
    shutil.copytree(folder / "all", folder / "photos")
    last(folder / "photos").unlink()
    return folder


def last(folder: Path) -> Path:
    return sorted(folder.iterdir())[-1]


def run(out: Workspace, photos: Path) -> list[str]:
    """The messages of this run."""
    said: list[str] = []
    settings = JobSettings.build(photos=str(photos), until="sfm", features="sift", feature_size=400)
    run_job(out, settings, Progress(lambda event: said.append(event.message)))
    return said


def width(out: Workspace, first: str, second: str) -> float:
    """The distance between two cameras in the world."""
    model = pycolmap.Reconstruction(out.model)
    centers = {model.image(i).name: model.image(i).projection_center() for i in model.reg_image_ids()}
    world = read_placement(out.placement, "")
    return float(np.linalg.norm(world[:3, :3] @ (centers[first] - centers[second])))


def test_what_does_not_depend_on_a_change_of_the_photos_is_kept(capture, tmp_path):
    out = Workspace(tmp_path / "out")
    photos = tmp_path / "card"
    shutil.copytree(capture / "photos", photos)
    run(out, photos)
    assert main(["place", str(out.root), "--scale", str(SCALE)]) == 0
    first, second = [photo.name for photo in out.used_photos()][:2]
    before = width(out, first, second)

    for photo in photos.iterdir():
        os.utime(photo, (1, 1))
    moved = photos.rename(tmp_path / "elsewhere")
    assert sum(text == "unchanged, kept" for text in run(out, moved)) == 5
    away = moved.rename(tmp_path / "card taken out")
    said = run(out, moved)
    assert sum(text == "unchanged, kept" for text in said) == 5 and "no longer in" in " ".join(said)
    away.rename(moved)

    shutil.copy(last(capture / "all"), moved)
    sorted(moved.iterdir())[2].unlink()
    said = run(out, moved)
    assert "The features of 3 photos are kept from before." in said
    assert "The matches of 3 pairs are kept from before." in said
    assert any(text.startswith("The scale and place set before are kept") for text in said)
    assert len(out.used_photos()) == 4 and not out.earlier.exists()
    assert width(out, first, second) == pytest.approx(before, rel=0.02)

    fresh = Workspace(tmp_path / "fresh")
    run(fresh, moved)
    kept, new = (pycolmap.Reconstruction(each.model) for each in (out, fresh))
    assert kept.num_points3D() == new.num_points3D()
    assert kept.compute_mean_reprojection_error() == pytest.approx(new.compute_mean_reprojection_error())


def test_a_project_and_a_cloud_that_were_only_touched_are_the_same(tmp_path):
    project, cloud = tmp_path / "project.nvm", tmp_path / "cloud.ply"
    mesh = MeshSettings(cloud=str(cloud))

    def identities() -> list:
        return [
            identity(str(project)),
            identity(str(tmp_path)),
            stage("mesh").inputs(Workspace(tmp_path), mesh),
        ]

    for path in (project, cloud):
        path.write_text("one", "ascii")
    before = identities()
    for path in (project, cloud):
        os.utime(path, (1, 1))
    assert identities() == before
    for path in (project, cloud):
        path.write_text("two", "ascii")
        os.utime(path, (1, 1))
    assert all(now != then for now, then in zip(identities(), before, strict=True))
