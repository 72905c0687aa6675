"""Structure from motion: what is placed, what is not and why, and which way is up."""

import itertools
import shutil

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.database import image_ids, open_database, pair_counts
from blender_recon3d.pipeline.events import read_events
from blender_recon3d.pipeline.files.atomic_files import read_json
from blender_recon3d.pipeline.files.ply import read_vertices
from blender_recon3d.pipeline.placing.ground import ground_plane
from blender_recon3d.pipeline.placing.up import find_up
from blender_recon3d.pipeline.placing.upright import world_from_model
from blender_recon3d.pipeline.sfm.live_model import LiveModel
from blender_recon3d.pipeline.sfm.registration import why_not
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.engine import recon3d
from tests.support.scenes import INTRINSICS, box_scene, look_at, noise_texture, render, ring, write_capture

OPTIONS = ("--features", "sift", "--until", "sfm")


def registered(workspace: Workspace) -> dict[str, dict]:
    return read_json(workspace.registration, "")["photos"]


def test_cameras_are_where_they_were(finished, poses):
    model = pycolmap.Reconstruction(finished.model)
    ours = {model.image(i).name: model.image(i).projection_center() for i in model.reg_image_ids()}
    truth = np.array([-pose[:, :3].T @ pose[:, 3] for pose in poses])
    found = np.array([ours[name] for name in sorted(ours)])
    transform = pycolmap.estimate_sim3d(found, truth)
    error = np.linalg.norm(np.array([transform * center for center in found]) - truth, axis=1)
    assert error.max() < 0.002  # meters, on a ring of 2 m
    camera = next(iter(model.cameras.values()))
    assert camera.mean_focal_length() == pytest.approx(INTRINSICS[0, 0], rel=0.003)


def test_exactly_the_listed_pairs_are_matched_and_verified(tmp_path, workspace, photos):
    listed = tmp_path / "pairs.txt"
    chosen = [("view_00.jpg", "view_01.jpg"), ("view_01.jpg", "view_02.jpg"), ("view_00.jpg", "view_07.jpg")]
    listed.write_text("".join(f"{a} {b}\n" for a, b in chosen))
    result = recon3d("pairs", workspace.root, "--pairs", listed)
    assert result.returncode == 0, result.stderr
    assert recon3d("matches", workspace.root).returncode == 0
    with open_database(workspace.database) as database:
        ids = image_ids(database)
        for a, b in itertools.combinations(sorted(ids), 2):
            # A pair without a match is in the database too, as looked at.
            assert database.exists_matches(ids[a], ids[b]) == ((a, b) in chosen)
            assert database.exists_two_view_geometry(ids[a], ids[b]) == ((a, b) in chosen)
        assert len(pair_counts(database)) >= 2


def test_colmap_continues_from_the_database(workspace, tmp_path):
    output = tmp_path / "model"
    output.mkdir()
    models = pycolmap.incremental_mapping(workspace.database, workspace.images, output)
    assert models[0].num_reg_images() == 8


def test_snapshots_are_published_once_they_are_whole(finished, tmp_path):
    workspace = Workspace(tmp_path / "w")
    workspace.create()
    live = LiveModel(workspace, tmp_path / "snapshots", 28)
    live.publish()
    shutil.copytree(finished.model, live.folder / "0001")
    live.publish()
    assert not workspace.live.exists()  # it may still be growing
    shutil.copytree(finished.model, live.folder / "0002")
    live.publish()
    shown = read_json(workspace.live / "cameras.json", "")
    model = pycolmap.Reconstruction(finished.model)
    assert {camera["name"] for camera in shown["cameras"]} == {
        model.image(i).name for i in model.reg_image_ids()
    }
    for camera in shown["cameras"]:
        pose = model.find_image_with_name(camera["name"]).cam_from_world()
        assert np.allclose(camera["tvec"], pose.translation)
        assert np.allclose(camera["qvec"], np.roll(pose.rotation.quat, 1))
    assert len(read_vertices(workspace.live / "points.ply")) == model.num_points3D()
    shutil.copytree(finished.model, live.folder / "0003")
    (live.folder / "0002" / "images.bin").write_bytes(b"torn")
    live.publish()  # is not published, and does no harm
    assert read_json(workspace.live / "cameras.json", "") == shown


def test_a_run_leaves_no_live_snapshots(finished):
    assert not finished.live.exists() and not list(finished.root.glob("*.part"))


def test_the_world_is_upright_with_the_ground_below(finished, poses):
    placement = read_json(finished.placement, "")
    transform = np.array(placement["world_from_model"])
    assert np.allclose(transform[:3, :3] @ transform[:3, :3].T, np.eye(3), atol=1e-9)
    assert np.linalg.det(transform[:3, :3]) == pytest.approx(1)
    model = pycolmap.Reconstruction(finished.model)
    points = np.array([point.xyz for point in model.points3D.values()])
    world = points @ transform[:3, :3].T + transform[:3, 3]
    centers = np.array([model.image(i).projection_center() for i in sorted(model.reg_image_ids())])
    heights = (centers @ transform[:3, :3].T + transform[:3, 3])[:, 2]
    truth = np.array([1.2 + 0.08 * (i % 3) for i in range(len(poses))])
    scale = np.polyfit(truth, heights, 1)[0]
    assert scale > 0 and np.abs(heights / truth - heights.mean() / truth.mean()).max() < 0.02 * heights.mean()
    assert (np.abs(world[:, 2]) < 0.02 * heights.mean()).mean() > 0.2, "many points lie on the ground"


def test_up_is_found_from_level_cameras_and_from_one_direction():
    def up_from_cameras(rotations):
        return find_up(rotations, np.zeros((len(rotations), 3)), np.zeros((0, 3))).direction

    ring_poses = np.stack(ring(8))[:, :, :3]
    assert np.allclose(up_from_cameras(ring_poses), [0, -1, 0], atol=1e-9)
    side_by_side = np.stack([look_at(np.array([x, -1.0, -3]), np.array([x, 0.0, 0])) for x in range(4)])
    up = up_from_cameras(side_by_side[:, :, :3])
    assert up @ np.array([0, -1, 0]) > 0.9 and abs(up[0]) < 1e-9


def test_a_slope_is_not_mistaken_for_level_ground_when_the_cameras_disagree():
    """A hillside at 15 degrees under a ring of level cameras."""
    poses = np.stack(ring(8))
    centers = np.stack([-pose[:, :3].T @ pose[:, 3] for pose in poses])
    generator = np.random.default_rng(0)
    xz = generator.uniform(-2, 2, (4000, 2))
    slope = np.stack([xz[:, 0], 0.1 + np.tan(np.radians(15)) * xz[:, 0], xz[:, 1]], axis=1)
    transform, _, _ = world_from_model(poses[:, :, :3], centers, slope)
    assert np.degrees(np.arccos(transform[2, :3] @ np.array([0, -1.0, 0]))) < 2.5


def test_level_ground_is_found_and_put_at_zero():
    poses = np.stack(ring(8))
    centers = np.stack([-pose[:, :3].T @ pose[:, 3] for pose in poses])
    generator = np.random.default_rng(0)
    ground = generator.uniform(-2, 2, (1000, 3)) * [1, 0.002, 1] + [0, 0.3, 0]
    object_ = generator.uniform(-0.4, 0.4, (3000, 3))
    transform, how, _ = world_from_model(poses[:, :, :3], centers, np.concatenate([ground, object_]))
    assert "ground" in how
    heights = ground @ transform[2, :3] + transform[2, 3]
    assert np.abs(heights).max() < 0.03  # meters; the plane is looked for within 1 % of the scene's size


def test_no_plane_is_invented():
    points = np.random.default_rng(0).normal(size=(2000, 3))
    centers = np.array([[0, -8.0, 0]])
    assert ground_plane(points, centers, np.array([0, -1.0, 0])) is None
    transform, how, _ = world_from_model(np.stack(ring(3))[:, :, :3], centers, points)
    assert how == "up from the cameras" and np.isfinite(transform).all()
    assert np.isfinite(world_from_model(np.stack(ring(3))[:, :, :3], centers, points[:0])[0]).all()


def test_every_photo_that_is_not_placed_says_why(tmp_path, photos):
    folder = tmp_path / "photos"
    shutil.copytree(photos, folder)
    other = cv2.cvtColor(noise_texture(99), cv2.COLOR_RGB2BGR)[:480, :640]
    cv2.imwrite(str(folder / "elsewhere.jpg"), other)
    cv2.imwrite(str(folder / "wall.jpg"), cv2.GaussianBlur(other, (0, 0), 40))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no")
    workspace = Workspace(tmp_path / "w")
    result = recon3d("run", folder, "-o", workspace.root, *OPTIONS, "--keep-blurred")
    assert result.returncode == 0, result.stderr
    found = registered(workspace)
    assert sum(entry["state"] == "registered" for entry in found.values()) == 8
    for name in ("elsewhere.jpg", "wall.jpg"):
        assert found[name]["state"] == "not registered"
        assert "too few matches" in found[name]["reason"] or "does not match" in found[name]["reason"]
        assert f"{name} is not registered" in result.stderr
    aside = [photo for photo in workspace.read_photos().photos if not photo.used]
    assert len(aside) == 1 and "broken.jpg is excluded" in result.stderr


@pytest.mark.parametrize(
    ("listed", "pairs", "words"),
    [
        (set(), [], "no similar photo"),
        ({"a"}, [], "too few matches"),
        ({"a"}, [(0, 9, "b")], "at best 9, with b"),
        ({"a"}, [(0, 99, "b"), (0, 5, "c")], "of 99 matches with b"),
        ({"a"}, [(40, 99, "b")], "not enough triangulated points, though 40"),
    ],
)
def test_reasons(listed, pairs, words):
    assert words in why_not("a", listed, pairs)


def test_two_unrelated_objects_give_two_models_and_are_reported(tmp_path):
    folder = tmp_path / "photos"
    write_capture(folder, ring(6, arc=1.5), box_scene(1), "one")
    write_capture(folder, ring(4, arc=1.0), box_scene(7), "two")
    workspace = Workspace(tmp_path / "w")
    result = recon3d("run", folder, "-o", workspace.root, *OPTIONS)
    assert result.returncode == 0, result.stderr
    assert "2 separate groups of 6 and 4 photos" in result.stderr
    assert pycolmap.Reconstruction(workspace.sparse / "1").num_reg_images() == 4
    for name, entry in registered(workspace).items():
        assert entry["state"] == ("registered" if name.startswith("one") else "other model")


def test_portrait_and_landscape_and_two_cameras_are_one_model(tmp_path):
    from PIL import Image

    from tests.support.pictures import save

    folder = tmp_path / "photos"
    for number, pose in enumerate(ring(9)):
        image = Image.fromarray(render(box_scene(), pose)[..., ::-1])
        exif = {0x010F: "Maker", 0x0110: "A"}
        if number % 3 == 1:  # upside down in the file, as EXIF says
            image, exif[0x0112] = image.transpose(Image.Transpose.ROTATE_180), 3
        elif number % 3 == 2:  # another camera with another size and focal length
            image, exif[0x0110] = (
                image.crop((80, 0, 560, 480)).resize((600, 600), Image.Resampling.LANCZOS),
                "B",
            )
        save(folder / f"p{number}.jpg", image, exif)
    workspace = Workspace(tmp_path / "w")
    result = recon3d("run", folder, "-o", workspace.root, *OPTIONS)
    assert result.returncode == 0, result.stderr
    model = pycolmap.Reconstruction(workspace.model)
    assert model.num_reg_images() == 9
    focal = sorted(camera.mean_focal_length() for camera in model.cameras.values())
    assert focal == pytest.approx([560, 560 * 600 / 480], rel=0.01)


def test_masked_pixels_carry_neither_features_nor_points(tmp_path, photos):
    masks = tmp_path / "masks"
    masks.mkdir()
    for path in photos.iterdir():
        mask = np.zeros((480, 640), np.uint8)
        mask[:, 160:480] = 255
        cv2.imwrite(str(masks / f"{path.stem}.png"), mask)
    workspace = Workspace(tmp_path / "w")
    arguments = ("--features", "sift", "--masks", masks, "--dense-size", 480)
    result = recon3d("run", photos, "-o", workspace.root, *arguments)
    assert result.returncode == 0, result.stderr
    with open_database(workspace.database) as database:
        assert len(image_ids(database)) == 8
        for image in image_ids(database).values():
            x = database.read_keypoints(image)[:, 0]
            assert x.min() > 159 and x.max() < 481
    from blender_recon3d.pipeline.mvs.depth_maps import map_paths, read_map

    depth = read_map(map_paths(workspace.dense, "view_03.jpg")[0])[..., 0]
    width = depth.shape[1]
    assert (depth[:, : int(width * 0.24)] == 0).all() and (
        depth[:, int(width * 0.3) : int(width * 0.7)] > 0
    ).any()


def test_photos_without_overlap_end_with_a_message(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"p{number}.jpg"), noise_texture(number)[:480, :640])
    result = recon3d("run", folder, "-o", tmp_path / "w", *OPTIONS)
    assert result.returncode == 1
    assert "No cameras could be placed" in result.stderr and "overlap" in result.stderr
    error = next(event for event in read_events(tmp_path / "w" / "events.jsonl")[0] if event.kind == "error")
    assert error.data["remedy"] == "photos", "the panel offers to choose others, not to resume"
