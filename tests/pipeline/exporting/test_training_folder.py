"""The folder for Gaussian splatting and NeRF: full-size photos, smaller ones, masks, and cameras that fit them."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.alignments.read_alignment import read_alignment
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.model_files import read_model
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.exporting.export_options import TrainingOptions
from blender_recon3d.pipeline.exporting.training_folder import write_training_folder
from blender_recon3d.pipeline.workspace import Workspace
from tests.pipeline.alignments.test_round_trips import LENSES, SIZE
from tests.support.made_models import made_model, visible
from tests.support.made_workspaces import look_at, rotation_matrix


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """Six photos with a lens, whose points are bright spots on them; a mask of the left half for each."""
    workspace = Workspace(tmp_path_factory.mktemp("training") / "Köpfe und Füße")
    poses = []
    for angle in np.linspace(0, 1.2, 6):
        q, t = look_at(np.array([4 * np.sin(angle), -0.5, -4 * np.cos(angle)]), np.zeros(3))
        poses.append(np.column_stack([rotation_matrix(np.array(q)), t]))
    xyz = np.random.default_rng(0).uniform(-0.8, 0.8, (60, 3))
    params = list(LENSES["OPENCV"])
    camera = pycolmap.Camera(model="OPENCV", width=SIZE[0], height=SIZE[1], params=params, camera_id=1)
    model = made_model(poses, camera, xyz, visible(poses, camera, xyz))
    workspace.model.mkdir(parents=True)
    model.write(workspace.model)
    workspace.images.mkdir()
    workspace.masks.mkdir()
    for image in model.images.values():
        picture = np.full((SIZE[1], SIZE[0], 3), 40, np.uint8)
        for point in image.points2D:
            x, y = ((point.xy - 0.5) * 16).round().astype(int)  # in sixteenths, from the first pixel's center
            cv2.circle(picture, (int(x), int(y)), 3 * 16, (255, 255, 255), -1, cv2.LINE_AA, 4)
        cv2.imwrite(str(workspace.images / image.name), picture)
        mask = np.zeros(picture.shape[:2], np.uint8)
        mask[:, : SIZE[0] // 2] = 255
        cv2.imwrite(str(workspace.masks / f"{image.name}.png"), mask)
    return workspace


@pytest.fixture(scope="module")
def folder(workspace, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "Köpfe 3dgs"
    said = write_training_folder(workspace, folder, TrainingOptions(), Progress())
    assert said.startswith("Wrote 6 photos and 60 points")
    return folder


def test_the_points_lie_on_the_full_size_photos(folder):
    model = read_model(folder / "sparse" / "0")
    observed = 0
    for image in model.images.values():
        picture = cv2.imread(str(folder / "images" / image.name), cv2.IMREAD_GRAYSCALE)
        camera = model.camera(image.camera_id)
        assert camera.model_name == "PINHOLE" and picture.shape == (camera.height, camera.width)
        assert min(picture.shape) > 0.9 * SIZE[1]
        for point in image.points2D:
            if point.has_point3D():
                xyz = model.point3D(point.point3D_id).xyz
                x, y = camera.img_from_cam(image.cam_from_world() * xyz)
                assert picture[int(y), int(x)] > 150
                observed += 1
    assert model.num_images() > 3 and observed > 100


def test_gsplats_rules_hold(folder):
    """What its parser does: photos of `images` and of `images_N` are paired in the order of their names, those of the
    model must be among them, and both sides must be smaller by about N."""
    names = sorted(path.name for path in (folder / "images").iterdir())
    assert {image.name for image in read_model(folder / "sparse" / "0").images.values()} == set(names)
    for factor in (2, 4, 8):
        assert sorted(path.name for path in (folder / f"images_{factor}").iterdir()) == names
        large, small = (
            cv2.imread(str(folder / part / names[0])).shape for part in ("images", f"images_{factor}")
        )
        assert small[:2] == (large[0] // factor, large[1] // factor)


def test_nerfstudio_finds_photos_masks_and_points(folder):
    document = json.loads((folder / "transforms.json").read_text("utf-8"))
    assert (folder / document["ply_file_path"]).is_file() and len(document["frames"]) == 6
    for frame in document["frames"]:
        photo, mask = (cv2.imread(str(folder / frame[key])) for key in ("file_path", "mask_path"))
        assert photo.shape == mask.shape and photo.shape[:2] == (frame["h"], frame["w"])
        assert mask[:, :100].min() == 255 and mask[:, -100:].max() == 0
        assert Path(frame["mask_path"]).stem == Path(frame["file_path"]).stem
    found = read_alignment(folder / "transforms.json", lambda name: None)
    model = read_model(folder / "sparse" / "0")
    images = {image.name: image for image in model.images.values()}
    for photo in found.photos:
        pose = images[Path(photo.name).name].cam_from_world().matrix()
        assert np.allclose(photo.cam_from_world, pose, atol=1e-9)


def test_the_folder_is_self_contained_and_says_how_to_use_it(folder, workspace):
    readme = (folder / "README.md").read_text("utf-8")
    assert "simple_trainer.py" in readme and "ns-train splatfacto" in readme and "Köpfe 3dgs" in readme
    for path in folder.rglob("*"):
        assert not path.is_symlink() and (path.is_dir() or path.stat().st_nlink == 1)
    texts = [folder / "transforms.json", folder / "README.md"]
    assert not any(str(workspace.root) in path.read_text("utf-8") for path in texts)


def test_a_second_export_keeps_what_was_trained(folder, workspace):
    (folder / "gsplat").mkdir()
    (folder / "gsplat" / "ckpt.pt").write_bytes(b"three days")
    write_training_folder(workspace, folder, TrainingOptions(factors=()), Progress())
    assert (folder / "gsplat" / "ckpt.pt").read_bytes() == b"three days"
    assert not (folder / "images_2").exists() and (folder / "images").is_dir()
    with pytest.raises(UserError, match="contains the other"):
        write_training_folder(workspace, workspace.root / "splats", TrainingOptions(), Progress())
