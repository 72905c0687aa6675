"""An interrupted benchmark continues where it stopped, and its table shows the worst result."""

from benchmarks.faults.records import Outcome, Records, Run, markdown, row


def test_only_missing_runs_are_run_again(tmp_path):
    records = Records(tmp_path, "torn files")
    assert records.missing(3) == [0, 1, 2]
    records.add(Run("torn files", 1, Outcome.SAME, "pairs.txt empty"))
    with open(records.path, "a") as file:
        file.write('{"attack": "torn fi')  # killed while writing
    assert records.missing(3) == [0, 2]


def test_the_table_counts_what_held_and_shows_the_worst():
    runs = [
        Run("kills", 0, Outcome.SAME, "killed in sfm"),
        Run("kills", 1, Outcome.STUCK, "killed in dense", "no | depth"),
        Run("kills", 2, Outcome.SAME, "killed in mesh"),
    ]
    line = markdown([row("kills", runs)]).splitlines()[2]
    stuck = "stuck: fails again and again"
    assert line == f"| kills | 3 | 2 | 2 finished, same result; 1 {stuck} | killed in dense: no / depth |"
