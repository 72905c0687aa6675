"""Memory that is freed returns to the system."""

import sys

import numpy as np
import pytest

from blender_recon3d.pipeline.system.memory import resident_bytes, return_freed_memory


@pytest.mark.skipif(sys.platform != "linux", reason="other systems return it by themselves")
def test_freed_memory_returns_to_the_system():
    blocks = [np.ones(12_000) for _ in range(1500)]  # 144 MB, in blocks that are not mapped one by one
    last = np.ones(12_000)
    full = resident_bytes()
    del blocks
    return_freed_memory()
    assert full - resident_bytes() > 100e6
    assert last.all()
