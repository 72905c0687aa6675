"""The learned front-end from photos to cameras, through the command line, with weights planted for the purpose."""

from __future__ import annotations

import json
import signal
from functools import lru_cache

import numpy as np
import pytest

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.database import image_ids, open_database, read_descriptors, read_pairs
from blender_recon3d.pipeline.colmap.pair_blocks import by_tiles
from blender_recon3d.pipeline.models.encoded_photos import MAX_CACHED_PHOTOS
from blender_recon3d.pipeline.models.feature_files import feature_path, load_features
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.engine import recon3d
from tests.support.planted import planted_weights
from tests.support.runs import centers, stages, start, state_json, wait_for
from tests.support.scenes import box_scene, ring, spot_texture, write_capture


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return planted_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def poses():
    """Six views, 7 degrees apart: the planted descriptors are not invariant to rotation or scale."""
    return ring(6, arc=0.6)


@pytest.fixture(scope="module")
def photos(tmp_path_factory, poses):
    folder = tmp_path_factory.mktemp("spots")
    write_capture(folder, poses, box_scene(texture=spot_texture))
    return folder


@pytest.fixture(scope="module")
def arguments(weights):
    return ("--features", "learned", "--weights", weights, "--max-keypoints", 800, "--device", "cpu")


@pytest.fixture(scope="module")
def learned(tmp_path_factory, photos, arguments):
    """A reconstruction by the learned front-end, killed once in features and once in matches."""
    workspace = Workspace(tmp_path_factory.mktemp("learned") / "w")
    command = ("run", photos, "-o", workspace.root, *arguments, "--pairs", "retrieval", "--neighbors", 3)
    command = (*command, "--until", "sfm")
    process = start(*command)
    wait_for(workspace, process, lambda events: len(list(workspace.features.glob("*.npz"))) >= 4)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in workspace.features.glob("*.npz")}
    assert 4 <= len(kept) <= 6
    process = start(*command)
    wait_for(workspace, process, lambda events: any(event.stage == "matches" for event in events))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert stages(workspace)["features"]["state"] == "done"
    assert {path: path.stat().st_mtime_ns for path in kept} == kept  # not found again
    result = recon3d(*command)
    assert result.returncode == 0, result.stderr
    return workspace


def test_the_job_records_its_arithmetic(learned):
    kept = state_json(learned)["arithmetic"]
    assert kept["precision"] in ("fp32", "bf16") and kept["why"]
    assert json.loads(learned.report_json.read_text())["arithmetic"] == kept
    assert f"{kept['precision']} (" in learned.report_html.read_text()
    job = json.loads(learned.job.read_text())
    assert job["features"]["precision"] == job["matches"]["precision"] == "auto"  # as requested


def test_all_cameras_are_placed(learned, poses):
    ours = centers(learned)
    assert len(ours) == 6
    truth = np.array([-pose[:, :3].T @ pose[:, 3] for pose in poses])
    found = np.array([ours[name] for name in sorted(ours)])
    transform = pycolmap.estimate_sim3d(found, truth)
    error = np.linalg.norm(np.array([transform * center for center in found]) - truth, axis=1)
    assert np.median(error) < 0.02  # meters; the planted detector is precise to whole pixels only


def test_each_photo_has_its_best_pairs_and_all_are_connected(learned):
    pairs = read_pairs(learned.pairs)
    assert 6 <= len(pairs) < 15
    for photo in learned.used_photos():
        assert sum(photo.name in pair for pair in pairs) >= 3


def test_the_database_holds_what_the_files_hold(learned):
    with open_database(learned.database) as database:
        assert len(image_ids(database)) == 6
        for name, image in image_ids(database).items():
            features = load_features(feature_path(learned, name))
            assert len(features.keypoints) <= 800
            assert np.array_equal(database.read_keypoints(image)[:, :2], features.keypoints)
            descriptors = read_descriptors(database, image)
            assert descriptors.shape == (len(features.keypoints), 256)
            assert np.allclose(np.linalg.norm(descriptors, axis=1), 1, atol=2e-3)


def test_only_the_listed_pairs_have_matches(learned):
    listed = {frozenset(pair) for pair in read_pairs(learned.pairs)}
    with open_database(learned.database) as database:
        names = {image: name for name, image in image_ids(database).items()}
        matched = [pycolmap.pair_id_to_image_pair(pair) for pair in database.read_num_matches()[0]]
    assert len(matched) >= 6 and {frozenset(names[image] for image in pair) for pair in matched} <= listed


def test_photos_are_reused_while_they_are_in_memory():
    """All pairs of 100 photos: each photo is loaded a few times, not once per pair."""
    pairs = [(f"{a:03}", f"{b:03}") for a in range(100) for b in range(a + 1, 100)]
    ordered = by_tiles(pairs)
    assert sorted(ordered) == pairs

    @lru_cache(maxsize=MAX_CACHED_PHOTOS)
    def load(name: str) -> str:
        return name

    for pair in ordered:
        for name in pair:
            load(name)
    assert load.cache_info().misses < 7 * 100


def test_without_weights_there_is_a_message(tmp_path, photos):
    result = recon3d("run", photos, "-o", tmp_path / "w", "--features", "learned", "--weights", tmp_path)
    assert result.returncode == 2
    assert "no weights for" in result.stderr and "Traceback" not in result.stderr
