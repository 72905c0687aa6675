"""A full disk is reported as such, and the run continues once there is space."""

import pytest

from benchmarks.faults import mounts
from benchmarks.faults.full_disks import fill
from benchmarks.faults.records import Outcome

reason = mounts.why_not()


@pytest.mark.skipif(bool(reason), reason=reason or "a small disk can be mounted here")
@pytest.mark.parametrize("stage, room", [("sfm", 40), ("dense", 60), ("dense", 700)])
def test_a_full_disk_is_reported_and_the_run_resumes(stage, room, bench):
    run = fill(stage, room, 0, bench, until=stage)
    assert run.outcome is Outcome.TOLD, run


@pytest.mark.parametrize("stage, kilobytes", [("features", 200), ("dense", 64)])
def test_a_file_that_cannot_grow_is_reported_and_the_run_resumes(stage, kilobytes, bench):
    """A limit on the file size stops every writer in the middle, and does not need root."""
    pytest.importorskip("resource", reason="Windows has no such limit")
    folder = bench.copy("limited", bench.before(stage))
    words = ["sh", "-c", f'ulimit -f {kilobytes * 2}; exec "$@"', "sh", *bench.command(folder, stage)]
    ended = bench.call(words)
    assert ended.code == 1 and ended.sentence and "unexpected" not in ended.sentence, ended.output
    ended = bench.run(folder, stage)
    assert ended.code == 0, ended.output
    assert bench.differences(folder, stage) == []
