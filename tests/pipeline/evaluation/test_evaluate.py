"""Errors against ground truth: alignment, cloud metrics, the formats of truth, and the command."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from blender_recon3d.pipeline.cli.recon3d import main
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.evaluation.alignment import (
    Similarity,
    Undetermined,
    angles,
    robust_similarity,
    umeyama,
    with_rotation,
)
from blender_recon3d.pipeline.evaluation.cloud_metrics import Surface, cloud_metrics, icp, subsample
from blender_recon3d.pipeline.evaluation.evaluate import TURNS, evaluate, match_names
from blender_recon3d.pipeline.evaluation.evaluation_table import evaluation_table
from blender_recon3d.pipeline.evaluation.truth import read_truth
from blender_recon3d.pipeline.files.atomic_files import write_json
from blender_recon3d.pipeline.files.ply import write_vertices
from blender_recon3d.pipeline.files.ply_mesh import write_mesh
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.engine import CAPTURES, NO_CAPTURES

KNOWN = Similarity(2.7, Rotation.from_rotvec([0.3, -1.2, 0.7]).as_matrix(), np.array([4.0, -5.0, 6.0]))


# -- alignment ----------------------------------------------------------------------------------------


def test_a_known_similarity_is_recovered_exactly():
    source = np.random.default_rng(1).normal(size=(12, 3))
    found = umeyama(source, KNOWN.apply(source))
    assert found.scale == pytest.approx(KNOWN.scale, abs=1e-9)
    assert np.allclose(found.rotation, KNOWN.rotation, atol=1e-9)
    assert np.allclose(found.translation, KNOWN.translation, atol=1e-9)


def test_mirrored_points_give_a_rotation_and_not_a_mirror():
    source = np.random.default_rng(2).normal(size=(12, 3))
    assert np.linalg.det(umeyama(source, source * [1, 1, -1]).rotation) == pytest.approx(1)


def test_a_third_of_gross_outliers_changes_nothing():
    generator = np.random.default_rng(3)
    source = generator.normal(size=(30, 3))
    target = KNOWN.apply(source)
    target[:10] += generator.normal(size=(10, 3)) * 50
    found, kept = robust_similarity(source, target)
    assert np.allclose(found.apply(source[10:]), target[10:], atol=1e-6)
    assert not kept[:10].any() and kept[10:].all()


def test_with_small_noise_alone_the_robust_fit_is_umeyamas():
    generator = np.random.default_rng(4)
    source = generator.normal(size=(25, 3))
    target = KNOWN.apply(source) + generator.normal(size=(25, 3)) * 0.01
    found, kept = robust_similarity(source, target)
    assert kept.all()
    assert np.allclose(found.rotation, umeyama(source, target).rotation)


def test_points_on_a_line_need_a_rotation_from_elsewhere():
    source = np.outer(np.arange(6.0), [1, 2, 3])
    with pytest.raises(Undetermined):
        robust_similarity(source, KNOWN.apply(source))
    found = with_rotation(source, KNOWN.apply(source), KNOWN.rotation)
    assert np.allclose(found.translation, KNOWN.translation) and found.scale == pytest.approx(2.7)
    with pytest.raises(Undetermined):
        with_rotation(np.ones((4, 3)), np.ones((4, 3)), np.eye(3))


def test_angles_are_exact_also_when_tiny():
    for degrees in (1e-7, 0.5, 90, 180):
        turned = Rotation.from_euler("y", degrees, degrees=True).as_matrix()[None]
        assert angles(np.eye(3)[None], turned)[0] == pytest.approx(degrees, rel=1e-6)


# -- clouds -------------------------------------------------------------------------------------------


def plane(count: int, seed: int) -> np.ndarray:
    points = np.random.default_rng(seed).uniform(-1, 1, (count, 3))
    points[:, 2] = 0
    return points


def test_scores_of_a_noisy_plane_with_a_hole_match_the_analytic_ones():
    """Precision is the share of a normal distribution within the distance, recall the share outside the hole.

    The truth has 100 times fewer points than would be needed to measure precision point to point.
    """
    sigma, hole, distances = 0.004, 0.5, [0.004, 0.008]
    surface = Surface.build(plane(20_000, 0))
    cloud = plane(400_000, 1)
    cloud = cloud[~((np.abs(cloud[:, :2]) < hole).all(axis=1))]
    cloud[:, 2] += np.random.default_rng(2).normal(size=len(cloud)) * sigma
    found = cloud_metrics(cloud, surface, distances)
    for score, distance in zip(found["scores"], distances, strict=True):
        precision = math.erf(distance / sigma / math.sqrt(2))
        assert score["precision"] == pytest.approx(precision, abs=0.005)  # 2 % of the discs leave gaps
    # At twice the noise, hardly any sample outside the hole lacks a nearby point; the hole's rim has some points too.
    covered = 1 - (hole - distances[1]) ** 2
    assert score["recall"] == pytest.approx(covered, abs=0.01)
    assert score["f_score"] == pytest.approx(2 * precision * covered / (precision + covered), abs=0.01)
    mean = sigma * math.sqrt(2 / math.pi)
    assert found["accuracy"]["mean"] == pytest.approx(mean, rel=0.02)


def test_the_truth_against_itself_is_perfect_and_points_off_it_are_not():
    surface = Surface.build(plane(5000, 0))
    itself = cloud_metrics(surface.points, surface, [0.001])
    assert itself["scores"][0]["f_score"] == 1.0
    beyond = surface.points + np.array([4.0, 0, 0])  # in the same plane, but where there is no surface
    assert cloud_metrics(beyond, surface, [0.001])["scores"][0]["precision"] == 0.0


def test_given_normals_are_used_whatever_their_length_and_missing_ones_fitted():
    points = plane(3000, 0)
    for normals in (np.tile([0, 0, 127.0], (3000, 1)), np.zeros((3000, 3)), None):
        found = Surface.build(points, normals).normals
        assert np.allclose(np.abs(found), [0, 0, 1], atol=1e-9)


def test_only_the_region_of_interest_is_evaluated():
    surface = Surface.build(plane(20_000, 0))
    cloud = np.concatenate([plane(100_000, 1), plane(1000, 2) + np.array([0, 0, 3.0])])
    far = cloud_metrics(cloud, surface, [0.02])["scores"][0]
    near = cloud_metrics(cloud, surface, [0.02], np.zeros(3), 0.5)["scores"][0]
    assert far["precision"] < 0.995 < near["precision"]


def test_a_cloud_without_points_has_no_score():
    surface = Surface.build(plane(1000, 0))
    found = cloud_metrics(np.empty((0, 3)), surface, [0.1])
    assert found["scores"][0]["f_score"] == 0.0 and found["accuracy"]["mean"] is None
    assert found["completeness"]["mean"] is None


def test_icp_undoes_a_small_similarity_despite_clutter():
    generator = np.random.default_rng(5)
    points = generator.normal(size=(20_000, 3))
    points *= np.array([1.0, 0.8, 0.6]) / np.linalg.norm(points, axis=1, keepdims=True)
    points[:, 2] += 0.05 * np.sin(6 * points[:, 0])  # so that it cannot slide along itself
    surface = Surface.build(points[:10_000])
    wrong = Similarity(1.004, Rotation.from_rotvec([0.004, 0.003, -0.005]).as_matrix(), np.full(3, 0.006))
    cloud = np.concatenate([wrong.apply(points[10_000:]), generator.uniform(-1, 1, (1000, 3)) * 0.3])
    step = icp(cloud, surface, 0.05, 20)
    left = np.linalg.norm(step.apply(cloud[:10_000]) - points[10_000:], axis=1)
    assert left.mean() < 0.001  # a tenth of the initial value; the samples are 0.03 apart


def test_a_subsample_is_the_same_every_time():
    points = np.arange(3000.0).reshape(-1, 3)
    assert np.array_equal(subsample(points, 100), subsample(points, 100))
    assert len(np.unique(subsample(points, 100), axis=0)) == 100
    assert subsample(points, 1000) is points


# -- names and formats --------------------------------------------------------------------------------


def test_names_match_in_any_case_by_stem_and_by_folder():
    names = ["IMG_1.JPG", "b.png", "left/0.jpg", "right/0.jpg", "x.jpg", "deep/x.jpg"]
    sources = ["/p/img_1.jpg", "/p/B.jpg", "/p/right/0.jpg", "/p/0.jpg", "/p/x.tif", "C:\\p\\Left\\0.JPG"]
    assert match_names(sources, names) == {
        "/p/img_1.jpg": "IMG_1.JPG",
        "/p/B.jpg": "b.png",
        "/p/right/0.jpg": "right/0.jpg",
        "C:\\p\\Left\\0.JPG": "left/0.jpg",
    }


@pytest.fixture
def made(tmp_path):
    """A workspace of 8 synthetic cameras, moved from the ground truth by a known similarity; and the ground truth."""
    pycolmap.set_random_seed(0)
    options = pycolmap.SyntheticDatasetOptions()
    options.num_rigs, options.num_cameras_per_rig, options.num_frames_per_rig, options.num_points3D = (
        1,
        1,
        8,
        60,
    )
    truth = pycolmap.synthesize_dataset(options)
    (tmp_path / "truth").mkdir()
    truth.write_text(tmp_path / "truth")
    workspace = Workspace(tmp_path / "out")
    workspace.model.mkdir(parents=True)
    ours = pycolmap.Reconstruction(tmp_path / "truth")
    ours.transform(pycolmap.Sim3d(0.2, pycolmap.Rotation3d(KNOWN.rotation), KNOWN.translation))
    ours.write(workspace.model)
    write_photos(workspace, [image.name for image in truth.images.values()])
    return workspace, tmp_path / "truth", truth


def write_photos(workspace: Workspace, names: list[str], orientation: int = 1) -> None:
    photos = [
        {"name": name, "source": f"/photos/{name}", "state": "used", "reason": "", "orientation": orientation}
        for name in names
    ]
    write_json(workspace.photos, {"version": 1, "source": "/photos", "cameras": [], "photos": photos})


def test_cameras_of_a_moved_model_have_no_error(made):
    workspace, folder, _ = made
    found = evaluate(workspace, folder)
    assert found["photos"] == {"used": 8, "with_truth": 8, "registered_with_truth": 8}
    assert found["cameras"]["centre"]["max"] < 1e-9
    assert found["cameras"]["rotation_degrees"]["max"] < 1e-6
    assert found["cloud"] is None


def test_a_known_error_of_one_camera_is_what_is_reported(made):
    workspace, folder, _ = made
    model = pycolmap.Reconstruction(workspace.model)
    image = model.image(sorted(model.reg_image_ids())[0])
    shift = np.array([0.05, 0, 0])
    frame = model.frame(image.frame_id)
    pose = frame.rig_from_world
    frame.rig_from_world = pycolmap.Rigid3d(pose.rotation, pose.translation - pose.rotation.matrix() @ shift)
    model.write(workspace.model)
    cameras = evaluate(workspace, folder)["cameras"]
    assert cameras["outliers"] == [image.name]
    assert cameras["per_photo"][image.name]["centre"] == pytest.approx(0.05 / 0.2, rel=1e-6)
    assert cameras["centre"]["median"] < 1e-9


def strecha(folder: Path, truth) -> None:
    folder.mkdir()
    for image in truth.images.values():
        pose = image.cam_from_world()
        rows = [*np.eye(3), np.zeros(3), *pose.rotation.matrix().T, image.projection_center(), [640, 480]]
        text = "\n".join(" ".join(repr(float(value)) for value in row) for row in rows)
        (folder / f"{image.name}.camera").write_text(text)


def bundler(folder: Path, truth, turn: np.ndarray) -> None:
    """Photos stored rotated: the raw camera is the upright one rotated back."""
    folder.mkdir()
    lines = ["# Bundle file v0.3", f"{len(truth.images)} 0"]
    for image in truth.images.values():
        pose = image.cam_from_world()
        rotation = np.diag([1, -1, -1]) @ turn.T @ pose.rotation.matrix()
        translation = np.diag([1, -1, -1]) @ turn.T @ pose.translation
        rows = [[500.0, 0.0, 0.0], *rotation, translation]
        lines += [" ".join(repr(float(value)) for value in row) for row in rows]
    (folder / "bundler.out").write_text("\n".join(lines))
    names = [image.name.upper() for image in truth.images.values()]
    (folder / "list.txt").write_text("\n".join([str(len(names)), *names]))


def test_strechas_and_bundlers_formats_agree(made, tmp_path):
    workspace, _, truth = made
    strecha(tmp_path / "strecha", truth)
    bundler(tmp_path / "bundler", truth, np.eye(3))
    for name in ("strecha", "bundler"):
        cameras = evaluate(workspace, tmp_path / name)["cameras"]
        assert cameras["centre"]["max"] < 1e-9 and cameras["rotation_degrees"]["max"] < 1e-6
        assert not cameras["turned_as_exif_says"]


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_truth_of_the_photos_before_exif_rotation_is_recognized(made, tmp_path, orientation):
    workspace, _, truth = made
    write_photos(workspace, [image.name for image in truth.images.values()], orientation)
    bundler(tmp_path / "bundler", truth, TURNS[orientation])
    cameras = evaluate(workspace, tmp_path / "bundler")["cameras"]
    assert cameras["turned_as_exif_says"] and cameras["rotation_degrees"]["max"] < 1e-6


def test_exif_rotations_are_what_pillow_does():
    """A pixel right of the raw photo's center, where Pillow puts it."""
    from PIL import Image, ImageOps

    for orientation in (3, 6, 8):
        raw = Image.new("L", (31, 21))
        raw.putpixel((25, 10), 255)
        exif = raw.getexif()
        exif[274] = orientation
        raw.info["exif"] = exif.tobytes()
        upright = np.asarray(ImageOps.exif_transpose(raw))
        row, column = np.argwhere(upright == 255)[0]
        middle = (np.array(upright.shape) - 1) / 2
        assert np.allclose(TURNS[orientation] @ [10, 0, 0], [column - middle[1], row - middle[0], 0])


def test_a_cloud_is_evaluated_in_the_aligned_frame_and_refined(made):
    workspace, folder, _ = made
    generator = np.random.default_rng(0)
    points = generator.normal(size=(20_000, 3))
    points *= np.array([1.0, 0.7, 0.5]) / np.linalg.norm(points, axis=1, keepdims=True)
    points[:, 2] += 0.05 * np.sin(5 * points[:, 0])
    save(folder / "surface.ply", points)
    (folder / "truth.json").write_text(
        json.dumps({"size": 2.0, "units": "m", "centre": [0, 0, 0], "radius_of_interest": 3.0})
    )
    ours = Similarity(0.2, KNOWN.rotation, KNOWN.translation)
    dense = points[generator.integers(0, len(points), 80_000)] + generator.normal(size=(80_000, 3)) * 0.001
    save(
        workspace.fusion, ours.apply(dense + np.array([0.008, 0, 0]))
    )  # fused 8 mm off, as with wrong cameras
    result = evaluate(workspace, folder)
    found = result["cloud"]
    before, after = found["aligned_by_cameras"]["scores"], found["aligned_by_icp"]["scores"]
    assert [score["distance"] for score in before] == pytest.approx([0.004, 0.01])
    assert before[0]["precision"] < 0.7 < 0.99 < after[0]["precision"]
    assert found["icp"]["shift"] == pytest.approx(0.008, abs=0.001)
    text = evaluation_table(result)
    assert "camera centers, mm" in text and "0.2 % of the size (4 mm)" in text


def test_a_mesh_is_evaluated_in_addition_to_the_cloud(made):
    workspace, folder, _ = made
    flat = np.random.default_rng(0).uniform(-1, 1, (20_000, 2))
    save(folder / "surface.ply", np.column_stack([flat, np.zeros(len(flat))]))
    ours = Similarity(0.2, KNOWN.rotation, KNOWN.translation)
    save(workspace.fusion, ours.apply(np.column_stack([flat[:5000], np.zeros(5000)])))
    corners = np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    rows = np.zeros(4, [(name, "<f4") for name in "xyz"])
    for axis, name in enumerate("xyz"):
        rows[name] = ours.apply(corners)[:, axis]
    write_mesh(workspace.mesh_file, rows, np.array([[0, 1, 2], [0, 2, 3]]))
    result = evaluate(workspace, folder)
    score = result["mesh"]["aligned_by_cameras"]["scores"][0]
    assert score["f_score"] > 0.99 > result["cloud"]["aligned_by_cameras"]["scores"][0]["f_score"]
    text = evaluation_table(result)
    assert "mesh, aligned by ICP" in text and "faces of the mesh" in text


def save(path: Path, points: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.zeros(len(points), [("x", "<f4"), ("y", "<f4"), ("z", "<f4")])
    for i, name in enumerate("xyz"):
        rows[name] = points[:, i]
    write_vertices(path, rows)


# -- what can go wrong --------------------------------------------------------------------------------


def test_the_command_prints_json_and_exits_with_2_and_a_message(made, tmp_path, capsys):
    workspace, folder, _ = made
    assert main(["evaluate", str(workspace.root), "--truth", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["truth"]["kind"] == "COLMAP"
    write_photos(workspace, [f"other{number}.jpg" for number in range(8)])
    assert main(["evaluate", str(workspace.root), "--truth", str(folder)]) == 2
    assert "at least 3 are needed" in capsys.readouterr().err
    assert main(["evaluate", str(workspace.root), "--truth", str(tmp_path / "no")]) == 2
    assert main(["evaluate", str(workspace.root), "--truth", str(tmp_path)]) == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jpg.camera", "1 2 3"),
        ("a.jpg.camera", "one two"),
        ("bundler.out", "# v\n5 0\n1 2 3\n"),
        ("images.txt", "1 nonsense\n"),
        ("truth.json", '{"size": -1}'),
        ("truth.json", "[]"),
        ("surface.ply", "ply\n"),
    ],
)
def test_damaged_truth_is_refused(made, tmp_path, name, content):
    if name in ("truth.json", "surface.ply"):
        folder = made[1]
    else:
        folder = tmp_path / "broken"
        folder.mkdir()
    (folder / name).write_text(content)
    with pytest.raises(UserError):
        read_truth(folder)


@pytest.mark.skipif(not CAPTURES.is_dir(), reason=NO_CAPTURES)
@pytest.mark.parametrize(("capture", "count"), [("fountain-p11", 11), ("herz-jesu-p25", 25), ("saharov", 32)])
def test_the_captures_ground_truth_is_read_and_fits_their_photos(capture, count):
    truth = read_truth(CAPTURES / capture / "truth")
    sources = [str(path) for path in (CAPTURES / capture / "photos").iterdir()]
    assert len(truth.centers) == len(match_names(sources, list(truth.centers))) == count
    for rotation in truth.rotations.values():
        assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-4)
