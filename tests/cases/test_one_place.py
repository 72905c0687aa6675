"""Photos from a tripod are distinguished from photos of flat ground: both are related by homographies."""

import numpy as np
from scipy.spatial.transform import Rotation

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.sfm.pure_rotation import OFF, from_one_place, off_rotation
from blender_recon3d.pipeline.sfm.turning_spots import spot_sentence, spots_of
from tests.support.made_databases import write_database

SIZE, FOCAL = (800, 600), 700.0
K = np.array([[FOCAL, 0, 400], [0, FOCAL, 300], [0, 0, 1.0]])


def homographies(step: float) -> list[np.ndarray]:
    """Of photos that rotate, and move by `step` times the distance of a plane that they look straight at."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(9):
        turn = Rotation.from_rotvec(np.radians(random.normal(0, 10, 3))).as_matrix()
        move = np.outer(random.normal(0, step, 3), [0, 0, 1.0])
        found.append(random.uniform(0.5, 2) * K @ (turn + move) @ np.linalg.inv(K))
    return found


def test_a_turning_camera_is_distinguished_from_one_that_moves_over_a_plane():
    assert off_rotation(homographies(0.0), SIZE) < 0.5 * OFF
    assert off_rotation(homographies(0.2), SIZE) > 3 * OFF


def test_photos_from_a_tripod_among_others_are_named(tmp_path):
    """Five photos from one place, by turning the camera, and five of a walk along the subject."""
    turns = [Rotation.from_rotvec(np.radians([0, 6.0 * number - 12, 0])).as_matrix() for number in range(5)]
    centers = [np.full(3, 1.0)] * 5 + [np.array([3.0 * number, 0, 0]) for number in range(5)]
    model = pycolmap.Reconstruction()
    model.add_camera_with_trivial_rig(
        pycolmap.Camera(model="PINHOLE", width=800, height=600, params=[FOCAL, FOCAL, 400, 300], camera_id=1)
    )
    points = np.random.default_rng(0).uniform([-10, -10, 25], [20, 10, 35], (200, 3))
    for number, (turn, center) in enumerate(zip([*turns, *turns], centers, strict=True)):
        pose = pycolmap.Rigid3d(np.column_stack([turn, -turn @ center]))
        image = pycolmap.Image(name=f"{number}.jpg", camera_id=1, image_id=number + 1)
        image.points2D = pycolmap.Point2DList([pycolmap.Point2D(np.zeros(2)) for _ in points])
        model.add_image_with_trivial_frame(image, pose)
    for number, point in enumerate(points):
        track = pycolmap.Track([pycolmap.TrackElement(image, number) for image in range(1, 11)])
        model.add_point3D(point, track)
    assert spots_of(model) == [[f"{number}.jpg" for number in range(5)]]
    assert spot_sentence(spots_of(model)[0]).startswith("These 5 photos were taken from one place")


def test_the_views_of_a_panorama_are_not_named():
    """They are one photo: six views of one frame, and no others."""
    model, rig = pycolmap.Reconstruction(), pycolmap.Rig(rig_id=1)
    frame = pycolmap.Frame(frame_id=1, rig_id=1)
    images = []
    for number in range(6):
        camera = pycolmap.Camera(
            model="PINHOLE", width=800, height=600, params=[FOCAL, FOCAL, 400, 300], camera_id=number + 1
        )
        model.add_camera(camera)
        turn = Rotation.from_rotvec([0, np.radians(60.0 * number), 0]).as_matrix()
        if number:
            rig.add_sensor(camera.sensor_id, pycolmap.Rigid3d(np.column_stack([turn, np.zeros(3)])))
        else:
            rig.add_ref_sensor(camera.sensor_id)
        images.append(
            pycolmap.Image(name=f"{number}.jpg", camera_id=number + 1, image_id=number + 1, frame_id=1)
        )
        images[-1].points2D = pycolmap.Point2DList([pycolmap.Point2D(np.zeros(2))])
        frame.add_data_id(images[-1].data_id)
    frame.rig_from_world = pycolmap.Rigid3d()
    model.add_rig(rig)
    model.add_frame(frame)
    for image in images:
        model.add_image(image)
    model.register_frame(1)
    for number in range(6):
        model.add_point3D([0, 0, 9.0], pycolmap.Track([pycolmap.TrackElement(number + 1, 0)]))
    assert len([image for image in model.images.values() if image.has_pose]) == 6
    assert not spots_of(model)


def test_the_verified_pairs_distinguish_them(tmp_path):
    """Their keypoints are off by half a pixel."""
    points = np.random.default_rng(0).uniform([-40, -30, 20], [40, 30, 60], (3000, 3))
    pixels = {}
    for number in range(6):
        turn = Rotation.from_rotvec(np.radians([3.0 * np.sin(number), 4.0 * number - 10, number])).as_matrix()
        seen = points @ turn.T @ K.T
        pixels[f"{number}.jpg"] = seen[:, :2] / seen[:, 2:] + np.random.default_rng(number).normal(
            0, 0.5, (3000, 2)
        )
    camera = pycolmap.Camera.create_from_model_name(0, "SIMPLE_RADIAL", 1.2 * SIZE[0], *SIZE)
    assert from_one_place(write_database(tmp_path, camera, pixels))
