"""The engine's messages, in the panel's words."""

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

from blender_recon3d.languages.panel_wording import in_panel
from blender_recon3d.pipeline import wording
from blender_recon3d.pipeline.documents.event import Event, EventKind
from blender_recon3d.pipeline.doubts import Doubt
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import append_event, read_events
from blender_recon3d.pipeline.settings import by_option
from blender_recon3d.pipeline.stage import STAGES
from blender_recon3d.pipeline.wording import (
    OTHER_FOLDER,
    RESUME,
    Part,
    Sentence,
    leave_out,
    option,
    place_again,
    run_stage,
    terminal_only,
    use,
    with_option,
)
from blender_recon3d.scene.reviewing.report_reader import read_review

PIPELINE = Path(wording.__file__).parent
# Commands that no button starts, the report's page, and the terminal's words themselves.
TERMINAL_ONLY = ("cli", "documents", "evaluation", "placing", "report", "wording.py")
COMMANDS = "x|run|photos|pairs|features|matches|sfm|refine|dense|mesh|texture|doctor|weights|place"
COMMAND = re.compile(rf"--[a-z]|(?<!\w)-o\b|\brecon3d (?:{COMMANDS})\b|same command")
NAMES_A_SETTING = ("option", "use", "with_option", "leave_out")


@cache
def trees() -> dict[Path, ast.Module]:
    return {
        path: ast.parse(path.read_text("utf-8"))
        for path in sorted(PIPELINE.rglob("*.py"))
        if path.relative_to(PIPELINE).parts[0] not in TERMINAL_ONLY
    }


def texts(tree: ast.Module) -> list[str]:
    """All texts except docstrings and what only a terminal shows."""
    silent = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            silent.add(id(node.value))
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "terminal_only":
            silent |= {id(part) for part in ast.walk(node)}
    found = []
    for node in ast.walk(tree):
        if id(node) in silent:
            continue
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
            found.append(
                "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return found


def test_no_text_of_the_engine_names_an_option_or_a_command_but_as_a_part():
    found = {
        str(path): [text for text in texts(tree) if COMMAND.search(text) and " " in text]
        for path, tree in trees().items()
    }
    assert {path: said for path, said in found.items() if said} == {}


def calls() -> list[tuple[str, list[object]]]:
    """Every part that the engine creates: the function's name and its constant arguments, None for others."""
    return [
        (
            node.func.id,
            [argument.value if isinstance(argument, ast.Constant) else None for argument in node.args],
        )
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]


def test_parts_name_existing_settings_values_and_stages():
    parts = [(name, arguments) for name, arguments in calls() if name in (*NAMES_A_SETTING, "run_stage")]
    assert len(parts) > 40
    for name, arguments in parts:
        if name == "run_stage":
            assert arguments[0] in (*STAGES, None)
            continue
        declared = by_option()[arguments[0]][0]
        if len(arguments) > 1 and arguments[1] is not None:
            value = int(arguments[1]) if isinstance(declared.default, int) else arguments[1]
            assert declared.problem(value) == ""


@pytest.mark.parametrize("kind", wording.KINDS)
def test_the_panel_has_words_for_every_kind(kind):
    part = Part(kind, "dense" if kind == "run stage" else "region", "all")
    assert not COMMAND.search(in_panel(Sentence("Advice: ", part)))


@pytest.mark.parametrize(
    ("sentence", "terminal", "panel"),
    [
        (
            Sentence("No surface: ", use("region", "all"), " or ", use("clean", "off"), "."),
            "No surface: use --region all or use --clean off.",
            "No surface: set Region to All or set Clean the Cloud to Off.",
        ),
        (
            Sentence("thin: ", use("min_views", "2"), "."),
            "thin: use --min-views 2.",
            "thin: set Min Views to 2.",
        ),
        (
            Sentence("Blurred: ", use("keep_blurred")),
            "Blurred: use --keep-blurred",
            "Blurred: switch Keep Blurred Photos on",
        ),
        (
            Sentence("No faces: ", run_stage("mesh"), "."),
            "No faces: run recon3d mesh again.",
            "No faces: press Reconstruct again.",
        ),
        (
            Sentence("No mesh: ", run_stage("mesh", "/a b/c"), "."),
            "No mesh: run recon3d mesh /a b/c first.",
            "No mesh: press Reconstruct again.",
        ),
        (
            Sentence("use a smaller ", option("dense_size")),
            "use a smaller --dense-size",
            "use a smaller Depth Image Size",
        ),
        (
            Sentence("Run again ", with_option("grouping", "each"), "."),
            "Run again with --grouping each.",
            "Run again with Camera Grouping set to Each.",
        ),
        (
            Sentence(leave_out("dense_method"), " to use ours."),
            "leave --dense-method out to use ours.",
            "leave Method at its default to use ours.",
        ),
        (
            Sentence("cannot be made: ", OTHER_FOLDER, "."),
            "cannot be made: choose another folder with -o.",
            "cannot be made: choose another results folder.",
        ),
        (
            Sentence("Placed before: ", place_again("/a b.c"), "."),
            "Placed before: place it again with recon3d place /a b.c.",
            "Placed before: orient and scale it again.",
        ),
        (Sentence("none", terminal_only(", fetch them"), "."), "none, fetch them.", "none."),
        ("/photos/--raw file/a.jpg cannot be read.",) * 3,
    ],
)
def test_both_words(sentence, terminal, panel):
    assert sentence == terminal
    assert in_panel(sentence) == panel


def test_sentences_keep_their_parts_when_they_are_joined():
    joined = "First. " + Sentence("free some space and ", RESUME) + "; it is kept."
    assert joined == "First. free some space and run the same command again; it is kept."
    assert (
        in_panel(Sentence("Stopped: ", joined))
        == "Stopped: First. free some space and press Resume; it is kept."
    )


def test_an_error_and_an_event_keep_their_parts_on_the_way_to_the_panel(tmp_path):
    error = UserError(Sentence("The cloud is gone: check ", option("cloud"), "."))
    append_event(tmp_path / "events.jsonl", Event(1.0, "mesh", EventKind.ERROR, message=error.sentence))
    (event,) = read_events(tmp_path / "events.jsonl")[0]
    assert event.message == str(error) == "The cloud is gone: check --cloud."
    assert in_panel(event.message) == "The cloud is gone: check Cloud."


def test_a_doubt_keeps_its_parts_on_the_way_to_the_review(tmp_path):
    doubt = Doubt(
        "lens", "The lens bends.", Sentence("Run again ", with_option("camera_model", "OPENCV_FISHEYE"), ".")
    )
    (tmp_path / "report.json").write_text(json.dumps({"doubts": [{**doubt.to_json(), "stage": "sfm"}]}))
    (said,) = read_review(tmp_path / "report.json").doubts
    assert said == "The lens bends. Run again with --camera-model OPENCV_FISHEYE."
    assert in_panel(said) == "The lens bends. Run again with Camera Model set to OPENCV_FISHEYE."


@pytest.mark.parametrize(
    "raw",
    [
        None,
        3,
        "use",
        {"a": 1},
        [["use", "region"]],
        [["use", 1, 2]],
        [["no such", "a", "b"]],
        [["use", "x", ""], "y"],
    ],
)
def test_parts_that_are_not_the_sentences_leave_its_text(raw):
    assert in_panel(wording.from_json("Do nothing.", raw)) == "Do nothing."


def test_a_setting_of_another_version_is_shown_as_the_engine_names_it():
    assert in_panel(wording.from_json("use --later on", [["use", "later", "on"]])) == "use --later on"
