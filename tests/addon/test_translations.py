"""What is translated is what is said."""

import string
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.translations import TRANSLATIONS  # noqa: E402

PACKAGE = Path(__file__).resolve().parents[2] / "blender_recon3d"


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_translation_is_of_something_and_has_its_places(language):
    source = "\n".join(
        path.read_text("utf-8") for path in PACKAGE.rglob("*.py") if path.name != "translations.py"
    )
    for (_, english), translated in TRANSLATIONS[language].items():
        assert f'"{english}"' in source, f"nothing says {english!r} any more"
        assert places(english) == places(translated), english


def test_a_panel_speaks_german(addon):
    from blender_recon3d.ui.text import tr

    view = bpy.context.preferences.view
    if "de_DE" not in {item.identifier for item in view.bl_rna.properties["language"].enum_items}:
        pytest.skip("this Blender has no languages")
    before = view.language
    try:
        view.language = "de_DE"
        view.use_translate_interface = True
        assert tr("Resume") == "Fortsetzen"
        assert tr("{time} left", time="4 s") == "noch 4 s"
    finally:
        view.language = before
