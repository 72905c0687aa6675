"""Output that others read stays the same until it is changed on purpose: help, events and documents.

After such a change: make golden, and check the difference.
"""

import json

import pytest

from blender_recon3d.pipeline.documents.codec import decode, encode
from blender_recon3d.pipeline.documents.tables import DOCUMENTS
from blender_recon3d.pipeline.events import read_events
from tests.support import golden


@pytest.mark.parametrize("name", golden.contents())
def test_it_is_as_in_its_golden_file(name):
    assert golden.contents()[name]() == (golden.FOLDER / name).read_text("utf-8")


def test_there_are_no_other_golden_files():
    found = {
        path.relative_to(golden.FOLDER).as_posix() for path in golden.FOLDER.rglob("*") if path.is_file()
    }
    assert found == set(golden.contents())


def test_golden_documents_are_read_as_they_were_written():
    for title, kind, _ in DOCUMENTS:
        if title == "events.jsonl":
            continue
        raw = json.loads((golden.FOLDER / golden.document_file(title)).read_text("utf-8"))
        assert encode(decode(kind, raw)) == raw


def test_golden_events_are_read_as_they_were_written():
    file = golden.FOLDER / "events.jsonl"
    events, end = read_events(file)
    assert [encode(event) for event in events] == list(map(json.loads, file.read_text("utf-8").splitlines()))
    assert end == file.stat().st_size
