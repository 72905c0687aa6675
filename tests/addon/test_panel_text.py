"""Text in panels is measured and wrapped."""

import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")
import blf  # noqa: E402

from blender_recon3d.panel_text import lines_of  # noqa: E402

SENTENCE = "About 5 min, 2.1 GB of memory: illimitable WWW or iiiiiiiii, /a/very/long/path/without/any/space/in/it.jpg"


@pytest.mark.parametrize("pixels", [40, 160, 250, 800])
@pytest.mark.parametrize("points", [11.0, 16.5])
def test_no_line_is_wider_than_its_place_and_no_letter_is_lost(pixels, points):
    lines = lines_of(SENTENCE, pixels, points)
    blf.size(0, points)
    widths = [blf.dimensions(0, line)[0] for line in lines]
    assert max(widths) <= max(pixels, 4 * points)
    assert "".join(lines).replace(" ", "") == SENTENCE.replace(" ", "")


def test_nothing_is_one_empty_line():
    assert lines_of("", 100, 11.0) == ("",)
