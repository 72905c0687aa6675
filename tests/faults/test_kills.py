"""A killed run continues where it stopped, with the same result as an undisturbed run."""

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
def test_a_killed_run_continues(stage, target, until, bench):
    run = kill_in(stage, 0.5, target, 0, bench, until)
    assert run.outcome is Outcome.SAME, run
