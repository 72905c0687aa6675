"""A refined model has better cameras, keeps its frame, and reports photos that do not belong."""

import numpy as np
import pytest

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.errors import Cancelled
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.refining.refine_model import refine
from tests.support.made_models import center_errors
from tests.support.refining import box_model, photos_of

ASIDE = 3  # the photo whose observations are false


def leave(model):
    return model, []


@pytest.fixture(scope="module")
def capture():
    """A model as the mapper leaves it, of keypoints .6 px off."""
    model, pictures, truth = box_model(noise=0.6)
    options = pycolmap.BundleAdjustmentOptions()
    options.print_summary = False
    options.ceres.solver_options.num_threads = 1
    pycolmap.bundle_adjustment(model, options)
    return model, pictures, truth


@pytest.fixture(scope="module")
def refined(capture):
    model, pictures, _ = capture
    return refine(model, photos_of(pictures), True, leave, Progress())


def test_cameras_and_pixels_improve(capture, refined):
    model, _, truth = capture
    before, after = center_errors(model, truth.poses), center_errors(refined.model, truth.poses)
    assert refined.accepted and after.mean() < 0.4 * before.mean() and after.max() < before.max()
    assert refined.model.compute_mean_reprojection_error() < 0.25 * model.compute_mean_reprojection_error()
    assert refined.held_out[1] < refined.held_out[0]
    assert min(kept.after / kept.before for kept in refined.kept.values()) > 0.45


def test_the_model_keeps_its_frame_and_is_complete(capture, refined):
    model, _, _ = capture
    moved = [
        np.linalg.norm(refined.model.point3D(i).xyz - model.point3D(i).xyz)
        for i in refined.model.point3D_ids()
    ]
    assert np.median(moved) < 0.005  # meters, of a ring of 2 m
    assert refined.model.num_points3D() > 0.9 * model.num_points3D()  # those that were held out are there too
    for point in refined.model.points3D.values():
        assert point.track.length() >= 2
        for element in point.track.elements:
            image = refined.model.image(element.image_id)
            assert (
                np.linalg.norm(image.project_point(point.xyz) - image.point2D(element.point2D_idx).xy) < 4.5
            )


def test_the_result_is_the_same_to_the_bit(capture, refined):
    model, pictures, _ = capture
    again = refine(model, photos_of(pictures, 640), True, leave, Progress())
    for image_id in model.reg_image_ids():
        first, second = (m.image(image_id).cam_from_world().matrix() for m in (refined.model, again.model))
        assert (first == second).all()


def test_a_photo_with_false_observations_keeps_few(capture):
    model, pictures, _ = capture
    model = pycolmap.Reconstruction(model)
    image = next(image for image in model.images.values() if image.name == f"view_{ASIDE:02d}.png")
    ids = list(image.get_observation_point2D_idxs())
    # Like a photo of another, similar side: near each other's positions, but not at them.
    offsets = np.random.default_rng(0).uniform(6, 14, (len(ids), 2)) * [1, -1]
    for keypoint, offset in zip(ids, offsets, strict=True):
        image.point2D(keypoint).xy = image.point2D(keypoint).xy + offset
    found = refine(model, photos_of(pictures), True, leave, Progress())
    share = {name: kept.after / kept.before for name, kept in found.kept.items()}
    assert share.pop(image.name) < 0.1 and min(share.values()) > 0.4


def test_a_cancel_is_heeded(capture):
    model, pictures, _ = capture
    with pytest.raises(Cancelled):
        refine(model, photos_of(pictures), True, leave, Progress(cancelled=lambda: True))


def test_where_nothing_can_be_aligned_the_model_stays_unchanged(capture):
    model, pictures, _ = capture
    others = [np.roll(picture, 37 * (number + 1), axis=1) for number, picture in enumerate(pictures)]
    found = refine(model, photos_of(others), True, leave, Progress())
    assert not found.accepted and found.model is model
