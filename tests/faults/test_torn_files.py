"""A finished stage with a truncated file runs again; truncated files are never used and never block a run."""

import pytest

from benchmarks.faults.records import Outcome
from benchmarks.faults.torn_files import EXPORT, tear


@pytest.mark.parametrize(
    "name, way, until",
    [
        ("photos.json", "half", "pairs"),
        ("images/demo_22.jpg", "empty", "features"),
        ("pairs.txt", "empty", "matches"),
        ("database.db", "half", "matches"),
        ("sparse/0/points3D.bin", "empty", "sfm"),
        ("dense/stereo/depth_maps/demo_22.jpg.geometric.bin", "half", "dense"),
        ("dense/fusion.ply", "half", "mesh"),
        ("texture/texture.png", "empty", "texture"),
    ],
)
def test_a_truncated_file_is_computed_again(name, way, until, bench):
    run = tear(name, way, 0, bench, until)
    assert run.outcome is Outcome.SAME, run


@pytest.mark.parametrize("name", ["texture/mesh.ply", "texture/texture.png"])
def test_a_truncated_mesh_is_not_exported(name, bench):
    run = tear(EXPORT + name, "half", 0, bench)
    assert run.outcome is Outcome.REFUSED, run


def test_fresh_starts_again_whatever_is_there(bench):
    """--fresh does not open the files that it removes."""
    folder = bench.copy("fresh")
    (folder / "database.db").write_bytes(b"no database")
    ended = bench.call([*bench.command(folder, "pairs"), "--fresh"])
    assert ended.code == 0, ended.output
    assert not (folder / "sparse").exists()
