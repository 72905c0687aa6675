"""Windows are aligned to a few hundredths of a pixel; failures are detected."""

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.refining.normals import search_normals
from blender_recon3d.pipeline.refining.observations import read_observations, read_views
from blender_recon3d.pipeline.refining.patches import SIDE, PhotoCache, pyramid, sample, window
from blender_recon3d.pipeline.refining.tracks import LEVELS, align_tracks, references
from blender_recon3d.pipeline.refining.triangulation import reproject, triangulate
from blender_recon3d.pipeline.refining.warps import facing_normals, plane_warps
from blender_recon3d.pipeline.refining.window_alignment import align, templates
from tests.support.refining import box_model, photos_of
from tests.support.scenes import noise_texture

EYE = np.eye(2)[None]


@pytest.fixture(scope="module")
def box():
    """The box scene with exact cameras and observations that are up to 1.5 px off: views, observations, photos."""
    model, pictures, truth = box_model(noise=0.5)
    views = read_views(model)
    return views, read_observations(model, views), pictures, truth


def places(count=60, seed=2):
    return np.random.default_rng(seed).uniform(60, 340, (count, 2))


def wide_templates(photo, pixel):
    return templates(sample(photo, pixel, np.tile(EYE, (len(pixel), 1, 1)), window(SIDE + 2)[0]))


def test_a_turned_scaled_and_darker_photo_is_aligned_to_hundredths():
    photo = cv2.cvtColor(noise_texture(3, 400), cv2.COLOR_BGR2GRAY)
    a = np.radians(8)
    turn = 1.1 * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    shift = np.array([10.3, -21.7])
    # Pixel centers lie at .5 in COLMAP's sense, at whole numbers in OpenCV's.
    seen = cv2.warpAffine(
        photo, np.column_stack([turn, turn @ [0.5, 0.5] + shift - 0.5]), (520, 520), flags=cv2.INTER_CUBIC
    )
    seen = (0.7 * seen + 20).astype(np.uint8)
    pixel = places()
    truth = pixel @ turn.T + shift
    inside = ((truth > 20) & (truth < 500)).all(axis=1)
    pixel, truth = pixel[inside], truth[inside]
    start = truth + np.random.default_rng(0).normal(0, 0.8, truth.shape)
    found = align(
        pyramid(seen, 1)[0],
        start,
        np.tile(turn, (len(pixel), 1, 1)),
        wide_templates(pyramid(photo, 1)[0], pixel),
    )
    error = np.linalg.norm(found.pixel - truth, axis=1)
    assert len(pixel) > 40 and found.settled.mean() > 0.95
    assert np.median(error) < 0.03 and np.percentile(error[found.settled], 95) < 0.1
    assert np.median(found.zncc) > 0.98


def test_what_cannot_be_aligned_is_reported():
    photo = pyramid(cv2.cvtColor(noise_texture(3, 400), cv2.COLOR_BGR2GRAY), 1)[0]
    pixel = places(4)
    wanted = wide_templates(photo, pixel)
    other = pyramid(cv2.cvtColor(noise_texture(4, 400), cv2.COLOR_BGR2GRAY), 1)[0]
    warp = np.tile(EYE, (4, 1, 1))
    assert not (align(other, pixel, warp, wanted).zncc > 0.8).any()
    outside = align(photo, np.tile([[2.0, 2.0]], (4, 1)), warp, wanted)
    assert not outside.settled.any() and np.isnan(outside.zncc).all()
    flat = np.full((400, 400), 128, np.float32)
    assert not align(flat, pixel, warp, wide_templates(flat, pixel)).settled.any()
    edge = np.tile(np.where(np.arange(400) < 200, 50, 200).astype(np.float32), (400, 1))
    on_edge = np.column_stack([np.full(4, 200.0), pixel[:, 1]])
    along = align(edge, on_edge, warp, wide_templates(edge, on_edge))
    assert not (along.settled & (along.spread < 0.5)).any()  # not determined along the edge


def test_a_warp_is_the_derivative_of_the_plane_between_two_photos(box):
    views, found, _, truth = box
    reference = references(views, found)[found.point]
    other = np.flatnonzero(reference != np.arange(len(found)))[::37]
    own = reference[other]
    xyz, normal = truth.xyz[found.point[other]], truth.normal[found.point[other]]
    pixel = views.project(found.view[own], views.to_camera(found.view[own], xyz))
    warp = plane_warps(views, xyz, normal, found.view[own], pixel, found.view[other])
    along = np.cross(normal, [0.3, 0.5, 0.8])
    step = 1e-4 * along / np.linalg.norm(along, axis=1, keepdims=True)
    here, there = (
        views.project(v, views.to_camera(v, xyz + step)) - views.project(v, views.to_camera(v, xyz))
        for v in (found.view[own], found.view[other])
    )
    seen = np.isfinite(warp).all(axis=(1, 2))
    assert seen.mean() > 0.9
    predicted = np.einsum("nij,nj->ni", warp, here)[seen]
    assert np.abs(predicted - there[seen]).max() < 0.02 * np.abs(there[seen]).max()


def residual(views, found, pixel, use):
    xyz = triangulate(views, found.xyz, found.point, found.view, pixel, use.astype(float))
    error = np.linalg.norm(reproject(views, xyz, found.point, found.view) - pixel, axis=1)
    return float(np.median(error[use]))


@pytest.mark.parametrize("longest", [640, 400])
def test_tracks_agree_at_the_true_cameras(box, longest):
    views, found, pictures, truth = box
    photos = photos_of(pictures, longest)
    every = np.ones(len(found), bool)
    aligned = align_tracks(views, found, photos, references(views, found), truth.normal)
    good = aligned.settled & (aligned.zncc > 0.8)
    assert good.mean() > 0.8
    before, after = residual(views, found, found.pixel, every), residual(views, found, aligned.pixel, good)
    assert before > 0.35 and after < 0.08 * 640 / longest


def test_normals_are_those_of_the_faces(box):
    views, found, pictures, truth = box
    reference = references(views, found)
    facing = facing_normals(views, found.xyz, found.point, found.view)
    photos = photos_of(pictures, 640)
    aligned = align_tracks(views, found, photos, reference, facing)
    found = type(found)(found.xyz, found.point_ids, found.point, found.view, found.keypoint, aligned.pixel)
    normal = search_normals(views, found, photos, reference, facing)

    def off(normals):
        return float(np.median(np.degrees(np.arccos(np.clip((normals * truth.normal).sum(axis=1), -1, 1)))))

    assert off(facing) > 20 and off(normal) < 12


def test_a_pyramid_keeps_positions():
    photo = np.zeros((200, 200), np.uint8)
    cv2.circle(photo, (99, 59), 12, 255, -1)  # its center at (99.5, 59.5) in COLMAP's sense
    for level, values in enumerate(pyramid(photo, LEVELS)):
        y, x = np.mgrid[: values.shape[0], : values.shape[1]] + 0.5
        middle = np.array([(x * values).sum(), (y * values).sum()]) / values.sum() * 2**level
        assert np.abs(middle - (99.5, 59.5)).max() < 0.05
    cache = PhotoCache(lambda number: photo, 1, 130, 10**6)
    values, scale = cache[0][0], float(cache.scale(np.array([[200, 200]]))[0])
    y, x = np.mgrid[: values.shape[0], : values.shape[1]] + 0.5
    middle = np.array([(x * values).sum(), (y * values).sum()]) / values.sum() / scale
    assert np.abs(middle - (99.5, 59.5)).max() < 0.05


def test_the_number_of_photos_kept_depends_on_memory():
    read = []
    photo = np.zeros((100, 100), np.uint8)
    cache = PhotoCache(lambda number: read.append(number) or photo, 1, 1000, 2 * 100 * 100 * 4)
    for number in (0, 1, 0, 2, 0, 1):
        assert cache[number][0].shape == (100, 100)
    assert read == [0, 1, 2, 1]
