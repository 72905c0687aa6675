"""The event stream: what is written is read, and invalid data never breaks a reader."""

import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_recon3d.pipeline.errors import Cancelled, Paused
from blender_recon3d.pipeline.events import Event, Progress, append_event, read_events


def test_written_events_are_read_back(tmp_path):
    path = tmp_path / "events.jsonl"
    written = [Event(1.5, "sfm", "progress", 3, 10, "Kölner Dom 🏛", {"a": [1]}), Event(2.0, "sfm", "done")]
    for event in written:
        append_event(path, event)
    events, offset = read_events(path)
    assert events == written
    assert read_events(path, offset) == ([], offset)


def test_an_incomplete_line_is_left_for_the_next_read(tmp_path):
    path = tmp_path / "events.jsonl"
    append_event(path, Event(1.0, "sfm", "done"))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:20])
    events, offset = read_events(path)
    assert len(events) == 1
    path.write_bytes(whole + whole)
    assert len(read_events(path, offset)[0]) == 1


def test_a_replaced_shorter_file_is_read_from_its_start(tmp_path):
    path = tmp_path / "events.jsonl"
    for _ in range(5):
        append_event(path, Event(1.0, "sfm", "done"))
    _, offset = read_events(path)
    path.unlink()
    append_event(path, Event(2.0, "dense", "done"))
    assert [event.stage for event in read_events(path, offset)[0]] == ["dense"]


def test_writers_in_many_threads_do_not_mix_lines(tmp_path):
    path = tmp_path / "events.jsonl"
    progress = Progress(lambda event: append_event(path, event), stage="features")
    threads = [
        threading.Thread(target=lambda: [progress.info("x" * 500) for _ in range(50)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_events(path)[0]) == 200


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "events.jsonl"
    path.write_bytes(content + b"\n")
    append_event(path, Event(1.0, "sfm", "done"))
    events, offset = read_events(path)
    assert offset == path.stat().st_size
    assert events == [Event(1.0, "sfm", "done")]  # nothing after the invalid bytes is lost


@pytest.mark.parametrize(
    "raw", ['{"time": 1e999}', "[1]", '{"time":1,"stage":"a","kind":"nonsense"}', "[" * 5000]
)
def test_hostile_lines_are_skipped(tmp_path, raw):
    path = tmp_path / "events.jsonl"
    path.write_text(raw + "\n" + json.dumps({"time": 1, "stage": "sfm", "kind": "done"}) + "\n")
    assert [event.stage for event in read_events(path)[0]] == ["sfm"]


def test_an_update_after_cancelling_raises():
    with pytest.raises(Cancelled):
        Progress(cancelled=lambda: True).update(1, 2)


def test_a_pause_waits_for_the_item_and_a_cancel_does_not():
    asked = set()
    progress = Progress(cancelled=lambda: "cancel" in asked, paused=lambda: "pause" in asked).for_stage(
        "dense"
    )
    asked.add("pause")
    progress.within_item().check()
    assert progress.is_cancelled()
    with pytest.raises(Paused):
        progress.check()
    asked.add("cancel")
    with pytest.raises(Cancelled):
        progress.within_item().check()
