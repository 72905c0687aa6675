"""The same photos and settings give the same result, byte for byte, on one core and on two."""

import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.measure.determinism import compare
from blender_recon3d.pipeline.colmap.database import write_pairs
from blender_recon3d.pipeline.colmap.pair_blocks import blocks
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.planted import planted_weights
from tests.support.scenes import box_scene, ring, spot_texture, write_capture

needs_taskset = pytest.mark.skipif(shutil.which("taskset") is None, reason="needs taskset to leave cores out")


@needs_taskset
def test_the_whole_chain_on_one_core_and_on_two(tmp_path):
    photos, weights = tmp_path / "photos", planted_weights(tmp_path / "weights")
    photos.mkdir()
    write_capture(photos, ring(5, arc=0.5), box_scene(texture=spot_texture))
    further = ("--dense-size", 200, "--min-views", 2, "--faces", 800, "--texture", 256, "--mesh-depth", 6)
    learned = ("--features", "learned", "--weights", weights, "--precision", "fp32", "--max-keypoints", 500)

    def command(root: Path) -> list[str]:
        words = ["run", photos, "-o", root, "--until", "texture", "--device", "cpu", *learned, *further]
        return [sys.executable, "-m", "blender_recon3d.pipeline", *map(str, words)]

    rows, _ = compare(tmp_path / "work", ["two cores", "one core"], command)
    different = [row for row in rows if set(row[1:]) != {"equal"}]
    assert len(rows) == 12 and not different


def test_a_resumed_run_has_the_same_blocks(tmp_path):
    """A GPU's results for a pair depend slightly on the other pairs of its batch."""
    pairs = [(f"{a:02}", f"{b:02}") for a in range(9) for b in range(a + 1, 9)]
    workspace = Workspace(tmp_path)
    write_pairs(workspace.pairs, pairs)

    def cut(left: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
        return blocks(workspace.pairs, left, 8)

    whole = cut(pairs)
    assert sum(map(len, whole)) == len(pairs) and max(map(len, whole)) == 8
    done = whole[0] + whole[1][:3]  # verification of the second block was killed halfway
    assert cut([pair for pair in pairs if pair not in done]) == [whole[1][3:], *whole[2:]]
