"""What is written for another program is read back: cameras, lenses and points, by reprojection."""

import json

import numpy as np
import pytest

from blender_recon3d.pipeline.alignments.camera_alignment import Alignment, Lens
from blender_recon3d.pipeline.alignments.camera_writers import WRITERS
from blender_recon3d.pipeline.alignments.lenses import brown, fisheye, undistorting
from blender_recon3d.pipeline.alignments.project_files import has_tracks
from blender_recon3d.pipeline.alignments.read_alignment import read_alignment
from blender_recon3d.pipeline.alignments.readers.read_colmap import from_model
from blender_recon3d.pipeline.alignments.readers.read_realityscan import world_from_camera
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.errors import FileFormatError, UserError
from tests.support.made_models import made_model, visible
from tests.support.made_workspaces import look_at, rotation_matrix

SIZE = (640, 480)
LENSES = {
    "PINHOLE": (500.0, 500.0, 320.0, 240.0),
    "RADIAL": (500.0, 320.0, 240.0, -0.1, 0.02),
    "OPENCV": (500.0, 503.0, 311.0, 252.0, -0.1, 0.02, 0.001, -0.002),
    "FULL_OPENCV": (500.0, 503.0, 311.0, 252.0, -0.1, 0.02, 0.001, -0.002, 0.01, 0.0, 0.0, 0.0),
    "OPENCV_FISHEYE": (300.0, 302.0, 311.0, 252.0, 0.01, -0.02, 0.003, 0.001),
}
FORMATS = {
    "metashape": ("cameras.xml", "FULL_OPENCV"),
    "metashape, fisheye": ("cameras.xml", "OPENCV_FISHEYE"),
    "realityscan": ("xmp", "OPENCV"),
    "meshroom": ("scene.sfm", "OPENCV"),
    "meshroom, fisheye": ("scene.sfm", "OPENCV_FISHEYE"),
    "nerfstudio": ("transforms.json", "FULL_OPENCV"),
    "instant-ngp": ("transforms.json", "OPENCV"),
    "bundler": ("bundle.out", "RADIAL"),
    "nvm": ("scene.nvm", "PINHOLE"),
}
WITH_POINTS = ("meshroom", "bundler", "nvm")


def an_alignment(model: str) -> Alignment:
    """Six photos around a ball of points, of exact reprojection."""
    poses = []
    for angle in np.linspace(0, 1.2, 6):
        quaternion, translation = look_at(
            np.array([4 * np.sin(angle), -0.5, -4 * np.cos(angle)]), np.zeros(3)
        )
        poses.append(np.column_stack([rotation_matrix(np.array(quaternion)), translation]))
    xyz = np.random.default_rng(0).uniform(-0.8, 0.8, (60, 3))
    camera = pycolmap.Camera(
        model=model, width=SIZE[0], height=SIZE[1], params=list(LENSES[model]), camera_id=1
    )
    return from_model(made_model(poses, camera, xyz, visible(poses, camera, xyz)))


def projected(lens: Lens, local: np.ndarray) -> np.ndarray:
    camera = pycolmap.Camera(model=lens.model, width=lens.width, height=lens.height, params=list(lens.params))
    return np.asarray(camera.img_from_cam(local))


def errors(found: Alignment, truth: Alignment) -> np.ndarray:
    """Errors of the true points in the cameras read, pixels, by the photos' names without extensions."""
    by_name = {photo.name.rpartition(".")[0] or photo.name: photo for photo in found.photos}
    parts = []
    for number, photo in enumerate(truth.photos):
        same = by_name[photo.name.rpartition(".")[0]]
        rows = truth.photo == number
        local = truth.xyz[truth.point[rows]] @ same.cam_from_world[:, :3].T + same.cam_from_world[:, 3]
        parts.append(np.linalg.norm(projected(same.lens, local) - truth.pixel[rows], axis=1))
    return np.concatenate(parts)


@pytest.mark.parametrize("name", list(FORMATS))
def test_what_is_written_is_read_back(name, tmp_path):
    file, model = FORMATS[name]
    truth = an_alignment(model)
    kind = name.partition(",")[0]
    WRITERS[kind](tmp_path / file, truth)
    found = read_alignment(tmp_path / file, lambda name: SIZE)
    assert len(found.photos) == len(truth.photos)
    assert errors(found, truth).max() < 1e-6
    assert has_tracks(str(tmp_path / file)) == (kind in WITH_POINTS)
    if kind in WITH_POINTS:
        assert len(found.point) == len(truth.point)
        assert errors(found, found).max() < 1e-6


def test_what_a_format_cannot_express_is_refused(tmp_path):
    for kind in ("nvm", "bundler"):
        with pytest.raises(UserError, match="undistorted"):
            WRITERS[kind](tmp_path / "file", an_alignment("OPENCV"))


def test_openmvg_names_its_lens_models_once(tmp_path):
    truth = an_alignment("FULL_OPENCV")
    fx, _, cx, cy, k1, k2, p1, p2, k3, *_ = LENSES["FULL_OPENCV"]
    inner = {"width": 640, "height": 480, "focal_length": fx, "principal_point": [cx, cy]}
    pointer = {"data": {"value0": inner, "disto_t2": [k1, k2, k3, p1, p2]}}
    first = {"polymorphic_id": 2**31 + 1, "polymorphic_name": "pinhole_brown_t2", "ptr_wrapper": pointer}
    views = [
        {"local_path": "day 1/", "filename": photo.name, "id_view": n, "id_intrinsic": n % 2, "id_pose": n}
        for n, photo in enumerate(truth.photos)
    ]
    center = [
        (-photo.cam_from_world[:, :3].T @ photo.cam_from_world[:, 3]).tolist() for photo in truth.photos
    ]
    document = {
        "sfm_data_version": "0.3", "root_path": "/photos",
        "views": [{"key": n, "value": {"ptr_wrapper": {"data": view}}} for n, view in enumerate(views)],
        "intrinsics": [{"key": 0, "value": first}, {"key": 1, "value": {"polymorphic_id": 1, "ptr_wrapper": pointer}}],
        "extrinsics": [
            {"key": n, "value": {"rotation": photo.cam_from_world[:, :3].tolist(), "center": center[n]}}
            for n, photo in enumerate(truth.photos)
        ],
        "structure": [],
    }  # fmt: skip
    (tmp_path / "sfm_data.json").write_text(json.dumps(document))
    found = read_alignment(tmp_path / "sfm_data.json", lambda name: None)
    assert found.photos[0].name == f"day 1/{truth.photos[0].name}"
    local = np.random.default_rng(1).uniform(-0.4, 0.4, (50, 3)) + np.array([0, 0, 1])
    expected = projected(brown(SIZE, (fx, fx), (cx, cy), (k1, k2, k3), (p1, p2)), local)
    assert np.abs(projected(found.photos[1].lens, local) - expected).max() < 1e-9
    assert np.allclose(found.photos[1].cam_from_world, truth.photos[1].cam_from_world)


def test_realityscans_angles_look_down_and_then_to_the_horizon():
    assert np.allclose(world_from_camera(0, 0, 0) @ [0, 0, 1], [0, 0, -1])  # straight down
    assert np.allclose(world_from_camera(0, 0, 0) @ [0, -1, 0], [0, 1, 0])  # north at the top
    assert np.allclose(world_from_camera(0, 90, 0) @ [0, 0, 1], [0, 1, 0])  # north
    assert np.allclose(world_from_camera(90, 90, 0) @ [0, 0, 1], [1, 0, 0])  # east


def test_a_lens_that_colmap_lacks_is_fitted_and_its_error_is_reported():
    exact = brown(SIZE, (500, 500), (320, 240), (-0.1, 0.02, 0.01))
    assert exact.fit_error == 0
    eighth = brown(SIZE, (500, 500), (320, 240), (-0.1, 0.02, 0.01, 0.02), skew=0.0)
    assert 0 < eighth.fit_error < 0.05
    skewed = brown(SIZE, (500, 500), (320, 240), (-0.1,), skew=3.0)
    assert skewed.fit_error > 0.1  # no pinhole of COLMAP's is skewed
    inverse = undistorting(SIZE, (500, 500), (320, 240), lambda r2: 1 + 0.2 * r2)
    assert 0 < inverse.fit_error < 0.05
    measured = np.array([0.3, -0.2])
    ideal = measured * (1 + 0.2 * (measured**2).sum())
    assert np.abs(projected(inverse, np.array([[*ideal, 1.0]])) - (measured * 500 + [320, 240])).max() < 0.05
    assert fisheye(SIZE, (300, 300), (320, 240), (0.1,), (0.01, 0.0)).model == "THIN_PRISM_FISHEYE"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xml", "<html></html>"),
        ("a.xml", '<!DOCTYPE a [<!ENTITY b "c">]><document><chunk/></document>'),
        ("a.xml", "<document"),
        ("a.csv", "name,x,y\n"),
        ("a.nvm", "NVM_V2\n"),
        ("a.nvm", "NVM_V3\n\n2\nphoto.jpg 500 1 0 0 0 0 0 0 0 0\n"),
        ("a.out", "# Bundle file v0.3\n3 x\n"),
        ("a.json", "[]"),
        ("a.json", '{"frames": [{"file_path": "a", "transform_matrix": [[1]]}]}'),
        ("a.json", '[{"cameras": {}, "shots": {"a": {"camera": "b"}}}]'),
        ("a.sfm", '{"views": [1], "intrinsics": [{}]}'),
        ("a.json", '{"sfm_data_version": "9", "views": [], "intrinsics": [{}], "extrinsics": []}'),
        ("a.baf", "1\n2\n3\n500 320 240\n"),
        ("a.psx", "binary"),
    ],
)
def test_damaged_and_unknown_files_are_reported(name, content, tmp_path):
    (tmp_path / "list.txt").write_text("a.jpg\n")
    (tmp_path / name).write_text(content)
    with pytest.raises((FileFormatError, UserError), match=r"a\.") as caught:
        read_alignment(tmp_path / name, lambda name: SIZE)
    assert str(caught.value).count("\n") == 0
