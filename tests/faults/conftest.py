"""The short version of benchmarks/measure/faults.py: the same attacks, a few of each, on the same small capture."""

from __future__ import annotations

import pytest

pytest.importorskip("pycolmap", reason="the engine's environment has pycolmap; Blender's has not")

import torch

from benchmarks.faults.bench import Bench
from tests.support.made_once import made_once

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def bench(tmp_path_factory) -> Bench:
    """The capture and its undisturbed reconstruction, made once; tests attack copies."""
    shared = Bench(made_once(tmp_path_factory, "bench", lambda folder: Bench(folder).finished))
    own = Bench(tmp_path_factory.mktemp("faults"))
    own.photos, own.finished = shared.photos, shared.finished
    return own
