"""A project without points: features are found and points triangulated at its cameras; its cameras can be exported."""

import numpy as np
import pytest

from blender_recon3d.pipeline.alignments.camera_writers import WRITERS
from blender_recon3d.pipeline.alignments.read_alignment import read_alignment
from blender_recon3d.pipeline.alignments.readers.read_colmap import from_model
from blender_recon3d.pipeline.alignments.to_model import typical_error
from blender_recon3d.pipeline.alignments.write_alignment import write_alignment
from blender_recon3d.pipeline.colmap.model_files import read_model
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.painted_scene import write_capture
from tests.support.scenes import box_scene, render, ring


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> tuple[Workspace, object]:
    """Photos of a box, their true cameras as a transforms.json, and the workspace made from both."""
    folder = tmp_path_factory.mktemp("triangulated")
    poses, scene = ring(6), box_scene()
    made = write_capture(folder / "truth", 6, lambda number, photo: render(scene, poses[number]))
    truth = read_model(made.workspace.model)
    photos = folder / "Meine Fotos"
    (folder / "truth" / "images").rename(photos)
    WRITERS["nerfstudio"](folder / "transforms.json", from_model(truth))
    workspace = Workspace(folder / "w")
    settings = JobSettings.build(
        photos=str(photos), alignment=str(folder / "transforms.json"), features="sift", until="sfm", refine="off",
        keep_copies=True, keep_blurred=True,
    )  # fmt: skip
    run_job(workspace, settings, Progress())
    return workspace, truth


def test_points_are_triangulated_at_the_projects_cameras(done):
    workspace, truth = done
    model = read_model(workspace.mapped)
    assert model.num_reg_images() == 6 and model.num_points3D() > 100
    assert typical_error(model) < 1
    poses = {image.name: image.cam_from_world().matrix() for image in truth.images.values()}
    for image in model.images.values():
        assert np.allclose(image.cam_from_world().matrix(), poses[image.name], atol=1e-9)
    on_ground = [point.xyz[1] for point in model.points3D.values()]
    assert np.percentile(np.abs(np.minimum(on_ground, 0.0)), 90) <= 0.72  # the box is .7 high, y is down
    assert np.percentile(on_ground, 95) < 0.05


def test_its_cameras_are_exported_under_the_photos_own_names(done, tmp_path):
    workspace, _ = done
    model = read_model(workspace.mapped)
    poses = {image.name: image.cam_from_world().matrix() for image in model.images.values()}
    for kind, file in (("metashape", "a.xml"), ("nvm", "a.nvm"), ("nerfstudio", "transforms.json")):
        said = write_alignment(workspace, tmp_path / kind / file, kind)
        assert said.startswith("Exported 6 cameras")
        found = read_alignment(tmp_path / kind / file, lambda name: (640, 480))
        for photo in found.photos:
            name = next(each for each in poses if each.startswith(photo.name.split(".")[0]))
            assert np.allclose(photo.cam_from_world, poses[name], atol=1e-6)
    assert (tmp_path / "nerfstudio" / "sparse_pc.ply").is_file()
    write_alignment(workspace, tmp_path / "colmap", "colmap")
    assert read_model(tmp_path / "colmap").num_points3D() == model.num_points3D()


def test_what_cannot_be_written_is_reported(done, tmp_path):
    workspace, _ = done
    with pytest.raises(UserError, match="no undistorted photos yet"):
        write_alignment(workspace, tmp_path / "a.xml", "metashape", undistorted=True)
    with pytest.raises(UserError, match="inside the workspace"):
        write_alignment(workspace, workspace.root / "a.xml", "metashape")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="choose another folder"):
        write_alignment(workspace, tmp_path / "file" / "a.xml", "metashape")
