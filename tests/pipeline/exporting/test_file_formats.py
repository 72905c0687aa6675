"""One table of formats: the manual agrees with it, and each writer is where it says."""

from pathlib import Path

from blender_recon3d.pipeline.exporting.file_formats import FORMATS, PRESETS, engine_endings, table

ROOT = Path(__file__).resolve().parents[3]


def test_the_manual_has_the_table():
    assert table() in (ROOT / "docs" / "user" / "clean-and-export.md").read_text("utf-8")


def test_presets_are_of_formats_that_are_written():
    for preset in PRESETS.values():
        assert preset.endings[0] in FORMATS[preset.format].endings
        assert not preset.engine or set(preset.endings) <= set(engine_endings())
