"""Documents go to JSON and back unchanged; what is not a document is refused by the name of its field, or left out."""

import json
import math
from dataclasses import dataclass
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_recon3d.pipeline.documents.codec import FieldError, decode, decoded_items, encode, key
from blender_recon3d.pipeline.documents.document_files import read_document, write_document
from blender_recon3d.pipeline.documents.registration_json import PhotoRegistration, RegistrationDocument
from blender_recon3d.pipeline.documents.report_json import ReportDocument
from blender_recon3d.pipeline.documents.state_json import StageState, StateDocument, read_state
from blender_recon3d.pipeline.errors import FileFormatError, UserError

HUGE = 10**400
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.just(HUGE) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=10,
)


class Fruit(StrEnum):
    APPLE = "apple"
    RED_PEAR = "red pear"


@dataclass(frozen=True, kw_only=True)
class Part:
    weight: float = key("kg", minimum=0)


@dataclass(frozen=True, kw_only=True)
class Basket:
    version: int = key("of this format", 1)
    name: str = key("what it is called")
    fruit: list[Fruit] = key("what is in it", list)
    parts: dict[str, Part] = key("by name", dict)
    place: tuple[float, float] | None = key("where it stands", None)
    note: str = key("", "", omit=True)
    others: dict[str, object] = key("later versions' keys", dict, unknown=True)


TEXT = st.text(max_size=5)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.builds(
        Basket,
        name=TEXT,
        fruit=st.lists(st.sampled_from(Fruit), max_size=3),
        parts=st.dictionaries(TEXT, st.builds(Part, weight=NUMBER.map(abs)), max_size=3),
        place=st.none() | st.tuples(NUMBER, NUMBER),
        note=TEXT,
    )
)
def test_what_is_written_is_read(basket):
    assert decode(Basket, json.loads(json.dumps(encode(basket)))) == basket


def test_keys_have_their_order_and_unknown_ones_are_kept_where_the_class_says_so():
    raw = {"later": [1], "fruit": ["red pear"], "name": "a", "parts": {"x": {"weight": 1, "colour": "red"}}}
    found = decode(Basket, raw)
    assert found.fruit == [Fruit.RED_PEAR] and found.parts["x"] == Part(weight=1.0)
    assert json.dumps(encode(found)) == (
        '{"version": 1, "name": "a", "fruit": ["red pear"], "parts": {"x": {"weight": 1.0}}, "place": null, '
        '"later": [1]}'
    )


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ([], "it is a list, not an object"),
        ({}, "name is missing"),
        ({"name": 3}, "name is 3, not a text"),
        ({"name": "a", "fruit": ["plum"]}, 'fruit[0] is \'plum\', not one of "apple", "red pear"'),
        ({"name": "a", "fruit": {}}, "fruit is an object, not a list"),
        ({"name": "a", "parts": {"x": {}}}, 'parts["x"].weight is missing'),
        ({"name": "a", "parts": {"x": {"weight": -1}}}, 'parts["x"].weight is -1.0, not from 0 to any size'),
        ({"name": "a", "parts": {"x": {"weight": HUGE}}}, 'parts["x"].weight is an infinite number'),
        (
            {"name": "a", "parts": {"x": {"weight": math.inf}}},
            'parts["x"].weight is inf, not a finite number',
        ),
        ({"name": "a", "parts": {"x": {"weight": True}}}, 'parts["x"].weight is True, not a finite number'),
        ({"name": "a", "place": [1]}, "place is a list, not a list of 2"),
        ({"name": "a", "version": 1.0}, "version is 1.0, not a whole number"),
        ({"name": "a", "version": HUGE}, "version is an infinite number, not a whole number"),
    ],
)
def test_a_wrong_value_is_named(raw, said):
    with pytest.raises(FieldError) as caught:
        decode(Basket, raw)
    assert str(caught.value).startswith(said)


@given(JSON)
def test_any_json_is_a_document_or_refused(value):
    for kind in (Basket, ReportDocument, RegistrationDocument, StateDocument, PhotoRegistration):
        for raw in (
            value,
            {"photos": value, "models": [value], "version": value, "name": value, "state": value},
        ):
            try:
                document = decode(kind, raw)
            except FieldError:
                continue
            assert decode(kind, encode(document)) == document
    parts = decoded_items(Part, {"x": value, "y": {"weight": 1.0}})
    assert "y" in parts and all(isinstance(part, Part) for part in parts.values())


def test_a_file_of_a_later_version_is_refused_with_a_message(tmp_path):
    path = tmp_path / "registration.json"
    write_document(path, RegistrationDocument())
    assert read_document(RegistrationDocument, path, "") == RegistrationDocument()
    path.write_text('{"version": 2}')
    with pytest.raises(FileFormatError, match=r"registration.json cannot be read: it is of version 2"):
        read_document(RegistrationDocument, path, "")
    path.unlink()
    with pytest.raises(UserError, match=r"registration.json is missing: run it first\."):
        read_document(RegistrationDocument, path, "run it first")


@given(JSON)
def test_any_state_is_read(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("w") / "state.json"
    good = {"state": "done", "fingerprint": "x", "seconds": 1.5}
    stages = {"a": good, "b": value, "c": {**good, "seconds": value}}
    path.write_text(json.dumps({"version": value, "stages": stages, "files": value, "arithmetic": value}))
    state = read_state(path)
    assert state.stage("a").done and state.stage("z").state == StageState.NOT_RUN
    assert all(record.seconds is None or math.isfinite(record.seconds) for record in state.stages.values())
    path.write_text(json.dumps(value))
    assert read_state(path).stage("z").state == StageState.NOT_RUN


def test_a_states_unknown_keys_are_kept(tmp_path):
    path = tmp_path / "state.json"
    raw = {"version": 1, "stages": {"sfm": {"fingerprint": "x", "state": "started"}}, "later": {"a": 1}}
    path.write_text(json.dumps(raw))
    assert encode(read_state(path)) == raw
