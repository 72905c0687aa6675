"""What is translated is what is said."""

import string
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.languages.german_settings import GERMAN  # noqa: E402
from blender_recon3d.pipeline.setting_texts import translation_keys  # noqa: E402
from blender_recon3d.translations import TRANSLATIONS  # noqa: E402

SETTINGS = translation_keys()
PACKAGE = Path(__file__).resolve().parents[2] / "blender_recon3d"


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_translation_is_of_something_and_has_its_places(language):
    source = "\n".join(
        path.read_text("utf-8") for path in PACKAGE.rglob("*.py") if path.name != "translations.py"
    )
    for (_, english), translated in TRANSLATIONS[language].items():
        assert f'"{english}"' in source or english in SETTINGS, f"nothing says {english!r} any more"
        assert places(english) == places(translated), english


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_setting_is_translated_and_nothing_else_stands_among_them(language):
    known = {english for _, english in TRANSLATIONS[language]}
    assert [text for text in SETTINGS if text not in known] == []
    assert [text for text in GERMAN if text not in SETTINGS] == []


def test_text_that_has_no_translation_stays_as_it_is(addon):
    """No build of bpy on PyPI has languages: what a translated panel looks like is for Blender itself to show."""
    from blender_recon3d.panel_text import tr

    assert tr("Resume") == "Resume" and tr("{time} left", time="4 s") == "4 s left"
