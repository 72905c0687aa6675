"""F1 finds a page for every button, and the pages are in the zip."""

import fnmatch
import re
from pathlib import Path

import pytest

import manual_pages

ROOT = Path(__file__).resolve().parents[2]
PAGES = dict(manual_pages.pages(ROOT / "docs" / "user"))


def test_every_operator_and_property_has_an_existing_page(addon):
    import bpy

    from blender_recon3d.ui.manual import manual_map

    prefix, pages = manual_map()
    assert prefix.startswith("file://") and prefix.endswith("/")
    names = [f"bpy.ops.recon3d.{name}" for name in dir(bpy.ops.recon3d)]
    for name in [*names, "bpy.types.recon3d_pg_settings.quality"]:
        page = next(page for pattern, page in pages if fnmatch.fnmatchcase(name, pattern))
        assert page.replace(".md", ".html") in PAGES, name


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_complete_html_without_broken_links(name):
    page = PAGES[name].decode()
    for tag in ("table", "ol", "ul", "p", "h1", "h2", "pre", "code", "a", "li"):
        assert len(re.findall(f"<{tag}[ >]", page)) == page.count(f"</{tag}>"), tag
    for target in re.findall(r'href="([^"#]+)', page):
        assert target.startswith("http") or target in PAGES, target
    outside_code = re.sub(r"<(code|pre)>.*?</\1>", "", page, flags=re.DOTALL)
    assert "](" not in outside_code and "**" not in outside_code


def test_markdown_becomes_html():
    text = "# A *b*\n\nOne `x*y*` and [two](other.md#c).\n\n1. first\n   goes on\n2. **second**\n\n"
    text += "| a | b |\n|---|---|\n| 1 | <2 |\n"
    assert manual_pages.body(text) == (
        '<h1 id="a-b-">A <i>b</i></h1>\n<p>One <code>x*y*</code> and <a href="other.html#c">two</a>.</p>\n'
        "<ol><li>first goes on</li>\n<li><b>second</b></li>\n</ol>\n"
        "<table><tr><th>a</th><th>b</th></tr>\n<tr><td>1</td><td>&lt;2</td></tr>\n</table>\n"
    )
