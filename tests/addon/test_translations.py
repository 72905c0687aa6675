"""Translations and displayed texts match."""

import ast
import re
import string
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.jobs.remedies import LABELS  # noqa: E402
from blender_recon3d.languages.german_settings import GERMAN  # noqa: E402
from blender_recon3d.operators.in_steps import RunsInSteps  # noqa: E402
from blender_recon3d.pipeline.setting_texts import translation_keys  # noqa: E402
from blender_recon3d.pipeline.stage import all_stages  # noqa: E402
from blender_recon3d.pipeline.text import Said  # noqa: E402
from blender_recon3d.scene.cleaning.clean_modifier import INPUTS  # noqa: E402
from blender_recon3d.translations import TRANSLATIONS  # noqa: E402
from blender_recon3d.ui import engine, review  # noqa: E402

SETTINGS = translation_keys()
PACKAGE = Path(__file__).resolve().parents[2] / "blender_recon3d"


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def of_struct(rna: Any, only: Iterable[str] = ()) -> Iterator[str]:
    """Labels and tooltips of properties and of their choices."""
    for item in rna.properties:
        if item.identifier in ("rna_type", "bl_idname") or (only and item.identifier not in only):
            continue
        yield from (item.name, item.description)
        for choice in item.enum_items if item.type == "ENUM" else ():
            yield from (choice.name, choice.description)


def registered() -> Iterator[str]:
    """What Blender itself shows of operators, panels, property groups and preferences."""
    for name in dir(bpy.ops.recon3d):
        rna = getattr(bpy.ops.recon3d, name).get_rna_type()
        yield from (rna.name, rna.description, *of_struct(rna))
    for base in (bpy.types.Panel, bpy.types.PropertyGroup, bpy.types.AddonPreferences, bpy.types.UIList):
        for kind in base.__subclasses__():
            if kind.__module__.startswith("blender_recon3d"):
                yield getattr(kind, "bl_label", "")
                yield from of_struct(kind.bl_rna, tuple(getattr(kind, "__annotations__", {})) or ("",))


def subclasses(cls: type) -> Iterator[type]:
    for kind in cls.__subclasses__():
        yield kind
        yield from subclasses(kind)


def drawn() -> Iterator[str]:
    """What panels and operators draw: text=..., tr(...), Said(...), why a button is gray; and tables."""
    for path in PACKAGE.rglob("*.py"):
        if path.name == "command_line.py":
            continue
        functions, words = {"Said"}, set()
        if "pipeline" not in path.parts:
            functions, words = {"Said", "tr", "poll_message_set"}, {"text", "confirm_text"}
        for call in (
            node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)
        ):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            given = call.args[:1] if name in functions else []
            given += [word.value for word in call.keywords if word.arg in words]
            parts = [part for text in given for part in (text, *ast.iter_child_nodes(text))]
            yield from (
                part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )
    yield from (cls.doing for cls in subclasses(RunsInSteps) if cls.doing)
    for table in (LABELS, engine._STATES, engine._BUTTONS, review._WORDS):
        yield from table.values()
    for stage in all_stages():
        yield from (stage.title, stage.makes, stage.makes_text)
    for item in INPUTS.values():
        yield from (item.label, item.description)


def needs_words(text: str) -> bool:
    """Not for names of file formats, of camera models or of properties that no panel shows."""
    return bool(re.search(r"[a-zA-Z]{2}", text)) and not re.fullmatch(r"[a-z_0-9]+|[A-Z_0-9]+|\d+ px", text)


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_everything_that_is_shown_is_translated(addon, language):
    known = {english for _, english in TRANSLATIONS[language]}
    shown = dict.fromkeys(text for text in (*registered(), *drawn()) if needs_words(text))
    assert len(shown) > 200
    assert [text for text in shown if text not in known] == []


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_translation_is_used_and_keeps_its_placeholders(addon, language):
    source = "\n".join(
        path.read_text("utf-8") for path in PACKAGE.rglob("*.py") if path.parent.name != "languages"
    )
    shown = {*registered(), *drawn(), *SETTINGS}
    for (_, english), translated in TRANSLATIONS[language].items():
        assert english in shown or f'"{english}"' in source, f"nothing says {english!r} any more"
        assert places(english) == places(translated), english


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_the_settings_table_translates_every_setting_and_nothing_else(language):
    known = {english for _, english in TRANSLATIONS[language]}
    assert [text for text in SETTINGS if text not in known] == []
    assert [text for text in GERMAN if text not in SETTINGS] == []


def test_text_without_a_translation_stays_unchanged(addon):
    """No build of bpy on PyPI has languages: a translated panel can only be seen in Blender itself."""
    from blender_recon3d.panel_text import tr

    assert tr("Resume") == "Resume" and tr("{time} left", time="4 s") == "4 s left"


def test_a_button_is_translated_as_blender_looks_it_up():
    """The words on an operator's button have their own context, without a fallback to the common one."""
    german = TRANSLATIONS["de_DE"]
    for name in dir(bpy.ops.recon3d):
        label = getattr(bpy.ops.recon3d, name).get_rna_type().name
        assert ("Operator", label) in german, label
    assert ("Operator", "Cameras") in german  # text=... of a button


def test_messages_of_the_importer_keep_their_pattern(addon):
    from blender_recon3d.panel_text import in_language

    said = Said("Imported {cameras} cameras and {points} points.", cameras=3, points="1,000")
    assert said == "Imported 3 cameras and 1,000 points." == in_language(said)
    assert (said.pattern, in_language("as it is")) == (
        "Imported {cameras} cameras and {points} points.",
        "as it is",
    )


def test_a_message_from_another_process_keeps_its_patterns():
    import json

    from blender_recon3d.panel_text import in_language
    from blender_recon3d.pipeline.text import said_from, said_json, sentences

    said = sentences(Said("With {cameras} cameras.", cameras=3), "", "as it is")
    again = said_from(json.loads(json.dumps(said_json(said))))
    assert again == "With 3 cameras. as it is" == in_language(again)
    assert again.values["part0"].pattern == "With {cameras} cameras."
    assert said_from({"pattern": "{0.__class__}", "values": {}}) == "" == said_from([1])
