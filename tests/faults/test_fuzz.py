"""A damaged file of any kind is read or refused in a sentence."""

from fault_attacks.fuzz import read_block
from fault_attacks.fuzz_targets import TARGETS

INPUTS = 2000


def test_damaged_files_are_read_or_refused(bench):
    runs = read_block(0, INPUTS, bench)
    assert {run.case for run in runs} == set(TARGETS)
    assert [run for run in runs if not run.outcome.held] == []
