"""A doubtful result is reported: in report.json, in report.html and at the end of the run."""

import json
from dataclasses import replace

from blender_recon3d.pipeline.documents.codec import encode
from blender_recon3d.pipeline.documents.state_json import StageRecord, StageState, StateDocument
from blender_recon3d.pipeline.doubts import folded, of_state
from blender_recon3d.pipeline.events import read_events
from tests.support.engine import recon3d
from tests.support.runs import state_json

DOUBT = folded(["IMG_1.jpg", "IMG_2.jpg"])


def test_only_what_is_done_is_in_doubt():
    record = StageRecord(state=StageState.DONE, summary={"doubts": [DOUBT.to_json(), {"text": 1}, 3]})
    assert encode(of_state(StateDocument(stages={"sfm": record}))) == [{"stage": "sfm", **DOUBT.to_json()}]
    assert of_state(StateDocument(stages={"sfm": replace(record, state=StageState.STARTED)})) == []
    assert of_state(StateDocument(stages={"sfm": replace(record, summary={"doubts": 3})})) == []


def test_a_doubt_is_shown_wherever_the_result_is(workspace):
    state = state_json(workspace)
    state["stages"]["sfm"]["summary"]["doubts"] = [DOUBT.to_json()]
    workspace.state_file.write_text(json.dumps(state))
    ended = recon3d("sfm", workspace.root)  # keeps existing results
    assert ended.returncode == 0
    assert DOUBT.text in ended.stderr and DOUBT.remedy in ended.stderr
    report = json.loads(workspace.report_json.read_text())
    assert report["doubts"] == [{"stage": "sfm", **DOUBT.to_json()}]
    assert report["arithmetic"] is None  # SIFT
    assert DOUBT.text in workspace.report_html.read_text()
    events, _ = read_events(workspace.events)
    assert f"{DOUBT.text} {DOUBT.remedy}" in [event.message for event in events if event.kind == "warning"]


def test_it_says_where_more_photos_help():
    assert folded(["a.jpg", "b.jpg", "c.jpg"], ["b.jpg", "c.jpg"]).remedy.endswith("between b.jpg and c.jpg.")
    assert "between" not in DOUBT.remedy
