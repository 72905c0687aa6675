"""Models of the two sides of an object are joined by the points that both show."""

import numpy as np
from scipy.spatial.transform import Rotation

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.sfm.joining import joined_model
from tests.support.made_databases import write_database
from tests.support.scenes import FOCAL, HEIGHT, WIDTH, ring

POINTS = np.random.default_rng(0).uniform(-0.5, 0.5, (400, 3))


def photos():
    """Where eight photos show each point; the last four are of the object turned over and show few of the same."""
    pixels, poses = {}, ring(8, arc=1.2)
    for number, pose in enumerate(poses):
        local = POINTS @ pose[:, :3].T + pose[:, 3]
        shown = FOCAL * local[:, :2] / local[:, 2:] + (WIDTH / 2, HEIGHT / 2)
        shown[260:] = np.where(number < 4, np.nan, shown[260:])
        shown[:200] = np.where(number < 4, shown[:200], np.nan)
        pixels[f"{number}.jpg"] = shown
    return pixels, poses


def model_of(members, pixels, poses, scale=1.0, turn=None):
    """The model of some photos, in a frame of its own; keypoints as in the database."""
    turn = np.eye(3) if turn is None else turn
    model = pycolmap.Reconstruction()
    camera = pycolmap.Camera.create_from_model_name(1, "SIMPLE_RADIAL", FOCAL, WIDTH, HEIGHT)
    model.add_camera_with_trivial_rig(camera)
    tracks = [pycolmap.Track() for _ in POINTS]
    for number in members:
        places = pixels[f"{number}.jpg"]
        inside = np.flatnonzero(((places > 0) & (places < (WIDTH, HEIGHT))).all(axis=1))
        image = pycolmap.Image(name=f"{number}.jpg", camera_id=1, image_id=number + 1)
        image.points2D = pycolmap.Point2DList([pycolmap.Point2D(place) for place in places[inside]])
        pose = poses[number]
        rotation = pose[:, :3] @ turn.T
        translation = scale * pose[:, 3]
        model.add_image_with_trivial_frame(image, pycolmap.Rigid3d(np.column_stack([rotation, translation])))
        for keypoint, point in enumerate(inside):
            tracks[point].add_element(number + 1, keypoint)
    for point, track in zip(POINTS, tracks, strict=True):
        if track.length() >= 2:
            model.add_point3D(scale * turn @ point, track)
    model.update_point_3d_errors()
    return model


def camera():
    return pycolmap.Camera.create_from_model_name(0, "SIMPLE_RADIAL", FOCAL, WIDTH, HEIGHT)


def test_two_models_become_one_in_the_frame_of_the_first(tmp_path):
    pixels, poses = photos()
    database = write_database(tmp_path, camera(), pixels)
    first = model_of(range(4), pixels, poses)
    turn = Rotation.from_rotvec([0.4, 2.0, -1.0]).as_matrix()
    second = model_of(range(4, 8), pixels, poses, scale=3.0, turn=turn)
    whole, shared = joined_model(first, second, database, seed=0)
    assert whole.num_reg_images() == 8
    assert 25 <= shared <= 60
    for number, pose in enumerate(poses):
        center = -pose[:, :3].T @ pose[:, 3]
        assert np.linalg.norm(whole.image(number + 1).projection_center() - center) < 1e-3
    assert whole.compute_mean_reprojection_error() < 0.01


def test_models_whose_matches_do_not_agree_stay_apart(tmp_path):
    """The second model's points are mirrored: no similarity joins them."""
    pixels, poses = photos()
    database = write_database(tmp_path, camera(), pixels)
    second = model_of(range(4, 8), pixels, poses)
    for point in second.points3D.values():
        point.xyz = point.xyz * (1, 1, -1)
    assert joined_model(model_of(range(4), pixels, poses), second, database, seed=0) is None
