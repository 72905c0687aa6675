"""COLMAP's progress, counted by a separate process while COLMAP writes."""

import time

import pytest

from blender_recon3d.pipeline.colmap.row_counter import RowCounter, count_rows


def test_rows_are_counted_while_the_database_is_open(workspace):
    with RowCounter(workspace.database, "keypoints") as counter:
        end = time.monotonic() + 20
        while counter.rows == 0 and time.monotonic() < end:
            time.sleep(0.05)
        assert counter.rows == 8
    assert count_rows(workspace.database, "two_view_geometries") == 28


def test_a_missing_or_broken_database_counts_nothing(tmp_path):
    assert count_rows(tmp_path / "none.db", "keypoints") == 0
    (tmp_path / "broken.db").write_bytes(b"no database" * 100)
    assert count_rows(tmp_path / "broken.db", "keypoints") == 0


def test_only_known_tables_are_asked_for(tmp_path):
    with pytest.raises(ValueError, match="no table"):
        count_rows(tmp_path / "none.db", "images; DROP TABLE images")
