"""A small capture with known ground truth, and one reconstruction of it that many tests read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine import recon3d
from tests.support.runs import SMALL

pytest.importorskip("pycolmap", reason="the engine's environment has pycolmap; Blender's has not")

import torch

from blender_recon3d.pipeline.workspace import Workspace
from tests.support.made_once import made_once
from tests.support.scenes import box_scene, ring, write_capture

# Many threads on a few busy cores spend more time waiting than working.
torch.set_num_threads(1)

VIEWS = 8


@pytest.fixture
def inference_mode() -> Iterator[None]:
    """No gradients during the test."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def poses():
    return ring(VIEWS)


@pytest.fixture(scope="session")
def photos(tmp_path_factory, poses) -> Path:
    """A folder of VIEWS photos; read-only by convention."""
    return made_once(tmp_path_factory, "photos", lambda folder: write_capture(folder, poses, box_scene()))


@pytest.fixture(scope="session")
def finished(tmp_path_factory, photos) -> Workspace:
    """The whole chain, run once from the command line; read-only by convention."""

    def make(folder: Path) -> None:
        ran = recon3d("run", photos, "-o", folder / "workspace", *SMALL)
        assert ran.returncode == 0, ran.stderr

    return Workspace(made_once(tmp_path_factory, "finished", make) / "workspace")


@pytest.fixture
def workspace(tmp_path, finished) -> Workspace:
    """A copy of the finished reconstruction that a test may change."""
    shutil.copytree(finished.root, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")
