"""report.json as the review reads it: untrusted data."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from blender_recon3d.pipeline.doubts import folded
from blender_recon3d.pipeline.text import LONGEST_TEXT
from blender_recon3d.scene.reviewing.report_reader import (
    NOT_REGISTERED,
    OTHER_MODEL,
    REGISTERED,
    SET_ASIDE,
    read_review,
)

USED = {"name": "IMG_1.jpg", "source": "/photos/IMG 1.JPG", "state": "used"}


def write(folder, **content):
    path = folder / "report.json"
    path.write_text(json.dumps(content))
    return read_review(path)


def test_each_photo_has_its_state(tmp_path):
    photos = [
        {**USED, "registration": {"state": "registered", "error": 0.41, "points": 812, "reason": ""}},
        {**USED, "registration": {"state": "other model", "model": 1, "error": 0.5, "points": 3}},
        {**USED, "registration": {"state": "not registered", "reason": "too few matches"}},
        {"name": "", "source": "/photos/dark.jpg", "state": "set aside", "reason": "the file is empty"},
        USED,
    ]
    review = write(tmp_path, photos=photos, advice=[{"text": "Take more.", "photos": []}])
    assert [row.state for row in review.photos] == [
        REGISTERED, OTHER_MODEL, NOT_REGISTERED, SET_ASIDE, NOT_REGISTERED,
    ]  # fmt: skip
    first, _, third, aside, _ = review.photos
    assert (first.title, first.name, first.error, first.points) == ("IMG 1", "IMG_1.jpg", 0.41, 812)
    assert third.reason == "too few matches" and third.error == -1
    assert (aside.title, aside.name, aside.reason) == ("dark", "", "the file is empty")
    assert review.advice == ("Take more.",) and review.doubts == ()


def test_doubts_come_with_advice(tmp_path):
    doubt = folded(["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    wild = [3, {}, {"text": "x"}, {"text": "x", "remedy": 1}, None]
    review = write(tmp_path, photos=[], doubts=[*wild, {"stage": "sfm", **doubt.to_json()}])
    assert review.doubts == (f"{doubt.text} {doubt.remedy}",)
    assert "a.jpg, b.jpg, c.jpg and 1 more" in review.doubts[0]
    assert write(tmp_path, photos=[], doubts={"text": "x"}).doubts == ()


def test_texts_are_sanitized_for_a_panel(tmp_path):
    photos = [{**USED, "source": "/p/a\nb\x1b[31m.jpg", "registration": {"reason": "x" * 10_000}}]
    (row,) = write(tmp_path, photos=photos).photos
    assert row.title.isprintable() and len(row.reason) == LONGEST_TEXT


def test_a_missing_report_is_an_empty_review(tmp_path):
    assert read_review(tmp_path / "report.json").photos == ()
    (tmp_path / "report.json").write_bytes(b"\xff\xfe{")
    assert read_review(tmp_path / "report.json").photos == ()
    (tmp_path / "report.json").write_text("[" * 100_000)
    assert read_review(tmp_path / "report.json").photos == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "name": JSON,
        "source": JSON,
        "state": st.sampled_from(["used", "set aside"]) | JSON,
        "reason": JSON,
        "registration": JSON
        | st.fixed_dictionaries(
            {},
            optional={
                "state": st.sampled_from(["registered", "other model"]) | JSON,
                "error": JSON,
                "points": JSON,
            },
        ),
    },
)


@settings(max_examples=300, deadline=None)
@given(
    photos=st.lists(ENTRY, max_size=3) | JSON, advice=JSON | st.lists(st.fixed_dictionaries({"text": JSON}))
)
def test_malformed_reports_give_rows_that_blender_accepts(tmp_path_factory, photos, advice):
    review = write(tmp_path_factory.mktemp("w"), photos=photos, advice=advice)
    for row in review.photos:
        assert isinstance(row.title, str) and row.title.isprintable()
        assert -1 <= row.error <= 1e9 and 0 <= row.points < 2**31
    assert all(isinstance(sentence, str) for sentence in review.advice)
