"""A run that is killed goes on where it stopped, and its result is the one it would have had."""

import pytest

from benchmarks.faults.kills import STARTING, kill_in
from benchmarks.faults.records import Outcome


@pytest.mark.parametrize(
    "stage, target, until",
    [
        (STARTING, "all", "features"),
        ("features", "all", "matches"),
        ("sfm", "worker", "sfm"),
        ("mesh", "parent", "texture"),
    ],
)
def test_a_killed_run_goes_on(stage, target, until, bench):
    run = kill_in(stage, 0.5, target, 0, bench, until)
    assert run.outcome is Outcome.SAME, run
