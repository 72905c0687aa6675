"""Files of a workspace and of a user may contain anything: every reader gives a value, a default, or a message."""

import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_recon3d.pipeline.cli.console import Console
from blender_recon3d.pipeline.colmap.database import open_database, read_pairs
from blender_recon3d.pipeline.errors import FileFormatError, UserError
from blender_recon3d.pipeline.evaluation.truth import read_truth
from blender_recon3d.pipeline.events import Event, Progress, read_events
from blender_recon3d.pipeline.exporting.export_mesh import world_from_model
from blender_recon3d.pipeline.files import json_values
from blender_recon3d.pipeline.files.pictures import read_picture
from blender_recon3d.pipeline.meshing.region import read_box
from blender_recon3d.pipeline.models.feature_files import load_features
from blender_recon3d.pipeline.models.registry import read_card
from blender_recon3d.pipeline.mvs.depth_maps import read_map
from blender_recon3d.pipeline.mvs.fusion import read_visibility
from blender_recon3d.pipeline.report import write_report
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.settings_file import job_of
from blender_recon3d.pipeline.workspace import Workspace

HUGE = 10**400
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.just(HUGE) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=10,
)


@given(JSON)
def test_a_converter_never_raises_and_keeps_its_type(value):
    assert np.isfinite(json_values.number(value, -1.0))
    assert 3 <= json_values.whole(value, 5, 3, 9) <= 9
    assert isinstance(json_values.text(value), str) and isinstance(json_values.items(value), list)
    assert isinstance(json_values.mapping(value), dict)
    try:
        assert np.isfinite(json_values.numbers(value)).all()
    except ValueError:
        pass


def test_numbers_are_numbers():
    assert (json_values.number(2), json_values.number(HUGE, 7.0), json_values.number(True, 7.0)) == (2, 7, 7)
    assert json_values.whole(HUGE) == 2**53 and json_values.whole(2.9) == 2
    assert json_values.number(float("nan"), 3.0) == 3 and json_values.whole("4", 1) == 1
    with pytest.raises(ValueError, match="too deeply"):
        json_values.parse("[" * 200_000)


EYE = np.eye(4).tolist()


@pytest.mark.parametrize(
    "value",
    [
        HUGE,
        None,
        "x",
        [],
        [[HUGE] * 4] * 4,
        np.zeros((4, 4)).tolist(),
        (1e300 * np.eye(4)).tolist(),
        {"a": 1},
    ],
)
def test_a_placement_is_a_placement(tmp_path, value):
    workspace = Workspace(tmp_path)
    workspace.placement.write_text(json.dumps({"world_from_model": value}))
    with pytest.raises(UserError, match="world_from_model"):
        world_from_model(workspace)
    workspace.placement.write_text(json.dumps({"world_from_model": EYE}))
    assert (world_from_model(workspace) == np.eye(4)).all()


@pytest.mark.parametrize(
    "raw", [{"matrix": HUGE}, {"matrix": [HUGE] * 12}, HUGE, [1e300] * 12, {}, [[1], [2, 3]], "x", None]
)
def test_a_crop_box_is_a_box(tmp_path, raw):
    path = tmp_path / "box.json"
    path.write_text(json.dumps(raw))
    with pytest.raises(UserError, match="crop box"):
        read_box(str(path))
    with pytest.raises(UserError, match="crop box"):
        read_box("1e400 0 0 0 0 1 0 0 0 0 1 0\0")


@pytest.mark.parametrize(
    "facts",
    [
        {"centre": [HUGE, 0, 0], "radius_of_interest": 1},
        {"centre": [0, 0, 0], "radius_of_interest": HUGE},
        {"size": HUGE},
        {"size": "large"},
        {"size": float("nan")},
        [],
        HUGE,
    ],
)
def test_a_truth_is_true(tmp_path, facts):
    (tmp_path / "a.jpg.camera").write_text("1 0 5\n0 1 5\n0 0 1\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n1 2 3\n9 9\n")
    (tmp_path / "truth.json").write_text(json.dumps(facts))
    with pytest.raises(UserError, match=r"truth.json"):
        read_truth(tmp_path)


def test_events_with_invalid_numbers(tmp_path):
    path = tmp_path / "events.jsonl"
    lines = [
        {"time": 1, "stage": "sfm", "kind": "progress", "done": HUGE, "total": 3, "message": [1]},
        {"time": float("inf"), "stage": "sfm", "kind": "done", "done": {}, "data": {"seconds": [HUGE]}},
        {"stage": "sfm", "kind": "warning", "message": "a"},
        {"time": [], "stage": float("nan"), "kind": "info"},
        {"time": 1, "stage": "sfm", "kind": ["info"]},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    events, _ = read_events(path)
    assert [event.kind for event in events] == ["progress", "done", "warning"]
    assert events[0].done == 2**53 and events[0].message == "" and np.isfinite(events[1].time)
    said = io.StringIO()
    for event in events:
        Console(said)(event)
    assert "0 s" in said.getvalue()
    Console(said)(Event(0.0, "sfm", "done", data={"seconds": HUGE}))


def test_pairs_are_two_names_a_line(tmp_path):
    path = tmp_path / "pairs.txt"
    for content, match in (
        (b"a.jpg b.jpg\na.jpg\n", "line 2"),
        (b"a.jpg \xff.jpg\n", "not a list"),
        (None, "pairs.txt"),
    ):
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        with pytest.raises(FileFormatError, match=match):
            read_pairs(path)


def test_a_database_is_a_database(tmp_path):
    (tmp_path / "database.db").write_bytes(bytes(range(256)) * 40)
    with (
        pytest.raises(FileFormatError, match="not a COLMAP database"),
        open_database(tmp_path / "database.db"),
    ):
        pass


def features(compression: int, **changed: np.ndarray) -> bytes:
    arrays = {
        "keypoints": np.zeros((5, 2), np.float32),
        "scores": np.zeros(5, np.float32),
        "descriptors": np.zeros((5, 8), np.float16),
        "image_size": np.array([4, 3]),
        **changed,
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            part = io.BytesIO()
            np.save(part, array)
            archive.writestr(f"{name}.npy", part.getvalue())
    raw = bytearray(content.getvalue())
    for mark, place in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):  # the method, in every header
        at = raw.find(mark)
        while at >= 0:
            raw[at + place : at + place + 2] = compression.to_bytes(2, "little")
            at = raw.find(mark, at + 4)
    return bytes(raw)


@pytest.mark.parametrize(
    "content",
    [features(99), features(8), features(12), features(0, scores=np.zeros(4)), features(0, image_size=np.zeros(0)),
     features(0)[:200], b"", b"PK"],
)  # fmt: skip
def test_features_are_complete_or_refused(tmp_path, content):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.npz cannot be read"):
        load_features(path)
    path.write_bytes(features(0))
    assert load_features(path).image_size == (4, 3)


@pytest.mark.parametrize(
    ("count", "words"), [(3, [1, 0]), (2**60, [1, 0]), (1, [9, 0]), (1, [1, 0, 5]), (2, [1, 0, 1])]
)
def test_visibility_fits_its_length(tmp_path, count, words):
    path = tmp_path / "a.vis"
    path.write_bytes(count.to_bytes(8, "little") + np.array(words, "<u4").tobytes())
    with pytest.raises(FileFormatError):
        read_visibility(path)
    path.write_bytes((2).to_bytes(8, "little") + np.array([1, 0, 2, 0, 1], "<u4").tobytes())
    assert read_visibility(path)[0].tolist() == [1, 2]


@pytest.mark.parametrize("head", [b"2&2&1&", b"-1&2&1&", b"4&4&9&", b"x", b"0&0&0&", b"1&1&1&toolong"])
def test_a_map_is_as_large_as_it_says(tmp_path, head):
    (tmp_path / "a.bin").write_bytes(head + bytes(12))
    with pytest.raises(UserError, match="not a COLMAP depth"):
        read_map(tmp_path / "a.bin")


def test_a_picture_is_a_picture(tmp_path):
    for content in (b"", b"x", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n" + bytes(30)):
        (tmp_path / "texture.png").write_bytes(content)
        with pytest.raises(FileFormatError):
            read_picture(tmp_path / "texture.png", 1)


@pytest.mark.parametrize("card", ["[" * 100_000, '{"sha256": 1e400}', "[]", "{"])
def test_a_card_is_a_card(tmp_path, card):
    (tmp_path / "w.json").write_text(card)
    with pytest.raises(UserError, match=r"w\.json"):
        read_card(tmp_path / "w.safetensors")


def test_a_job_is_a_job(tmp_path):
    job = JobSettings.build(photos="p", features="sift").to_json()
    job["dense"]["memory"] = HUGE
    with pytest.raises(UserError, match="is not a job"):
        job_of(job, tmp_path / "job.json")


PHOTO = {"name": "a.jpg", "source": "/a.jpg", "state": "used", "reason": "", "camera": 1, "gps": None}
CAMERA = {"id": 1, "model": "SIMPLE_RADIAL", "width": 4, "height": 3, "params": [1, 2, 3, 0], "prior": "none"}


@pytest.mark.parametrize(
    ("photo", "camera", "named"),
    [
        ({"state": 1}, {}, r"photos\[0\].state is 1"), ({"state": None}, {}, r"photos\[0\].state is null"),
        ({"state": "lost"}, {}, 'one of "used", "set aside"'),
        ({"name": "../../x.jpg"}, {}, r"photos\[0\].name"), ({"name": ""}, {}, r"photos\[0\].name"),
        ({"name": 3}, {}, r"photos\[0\].name is 3, not a text"), ({"camera": 2}, {}, r"photos\[0\].camera is 2"),
        ({"camera": HUGE}, {}, r"photos\[0\].camera is an infinite number"),
        ({"gps": [1, 2]}, {}, r"photos\[0\].gps is a list, not a list of 3"),
        ({"gps": [1, 2, HUGE]}, {}, r"photos\[0\].gps\[2\]"), ({"gps": [1, 2, float("nan")]}, {}, r"gps\[2\] is nan"),
        ({"width": True}, {}, r"photos\[0\].width is True"), ({}, {"id": 2}, r"cameras\[0\].id is 2"),
        ({}, {"params": None}, r"cameras\[0\].params is null"), ({}, {"params": [HUGE]}, r"cameras\[0\].params\[0\]"),
        ({}, {"width": HUGE}, r"cameras\[0\].width"), ({}, {"width": 2**21}, r"cameras\[0\].width is 2097152"),
        ({}, {"model": []}, r"cameras\[0\].model is a list"), ({}, {"prior": 1}, r"cameras\[0\].prior is 1"),
    ],
)  # fmt: skip
def test_the_list_of_photos_is_complete_or_refused(tmp_path, photo, camera, named):
    workspace = Workspace(tmp_path)
    workspace.photos.write_text(
        json.dumps({"photos": [{**PHOTO, **photo}], "cameras": [{**CAMERA, **camera}]})
    )
    with pytest.raises(FileFormatError, match=rf"photos.json cannot be read: .*{named}"):
        workspace.used_photos()
    workspace.photos.write_text(json.dumps({"photos": [PHOTO], "cameras": [CAMERA]}))
    assert [photo.name for photo in workspace.used_photos()] == ["a.jpg"]


@settings(max_examples=50, deadline=None)
@given(state=JSON, photos=JSON, registration=JSON)
def test_a_report_is_written_whatever_the_files_contain(tmp_path_factory, state, photos, registration):
    workspace = Workspace(tmp_path_factory.mktemp("w"))
    stages = {"photos": state, "sfm": {"state": "done", "seconds": state, "summary": {"points": photos}}}
    for path, value in (
        (workspace.state_file, {"stages": stages}),
        (workspace.photos, {"photos": photos} if photos else registration),
        (workspace.registration, {"photos": registration, "models": [registration, {"points": state}]}),
        (workspace.placement, registration),
    ):
        path.write_text(json.dumps(value))
    write_report(workspace, JobSettings.build(photos="p", features="sift"), Progress())
    assert json.loads(workspace.report_json.read_text())["version"] == 1
    assert workspace.report_html.read_bytes().startswith(b"<!DOCTYPE html>")
