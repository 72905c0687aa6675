"""What the engine says, in the panel's words."""

import ast
import re
from pathlib import Path

import pytest

from blender_recon3d.languages.panel_wording import in_panel

PIPELINE = Path(__file__).resolve().parents[2] / "blender_recon3d" / "pipeline"
TERMINAL_ONLY = (
    "cli",
    "documents",
    "evaluation",
    "placing",
    "report",
)  # commands that no button starts, and the report's page
COMMANDS = "x|run|photos|pairs|features|matches|sfm|dense|mesh|texture|doctor|weights|place"
COMMAND = re.compile(rf"--[a-z]|(?<!\w)-o\b|\brecon3d (?:{COMMANDS})\b|same command")


def sentences() -> list[str]:
    found = []
    for path in sorted(PIPELINE.rglob("*.py")):
        if path.relative_to(PIPELINE).parts[0] in TERMINAL_ONLY:
            continue
        tree = ast.parse(path.read_text("utf-8"))
        silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                silent |= {id(part) for part in node.values}
                found.append(
                    "".join(
                        str(getattr(part, "value", "x")) if isinstance(part, ast.Constant) else "x"
                        for part in node.values
                    )
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
                found.append(node.value)
    return [text for text in found if COMMAND.search(text) and " " in text]


def test_no_message_of_the_engine_shows_an_option_or_a_command_in_the_panel():
    messages = sentences()
    assert len(messages) > 30
    assert [said for text in messages if COMMAND.search(said := in_panel(text))] == []


@pytest.mark.parametrize(
    ("terminal", "panel"),
    [
        (
            "No surface: use --region all or --clean off.",
            "No surface: set Region to All or Clean the Cloud to Off.",
        ),
        (
            "too sparse: use --min-views 2 or take more photos.",
            "too sparse: set Min Views to 2 or take more photos.",
        ),
        (
            "/w/mesh.ply has no faces: run recon3d mesh again.",
            "/w/mesh.ply has no faces: press Reconstruct again.",
        ),
        ("cannot be made: choose another with -o.", "cannot be made: choose another results folder."),
        (
            "use a smaller --memory, or crop the cloud with --crop.",
            "use a smaller Memory, or crop the cloud with Crop Box.",
        ),
        (
            "free some space and run the same command again; it is kept.",
            "free some space and press Resume; it is kept.",
        ),
        (
            "does not hold: place it again with recon3d place /a b.c.",
            "does not hold: orient and scale it again.",
        ),
        ("no mesh: run recon3d mesh /a b/c first.", "no mesh: press Reconstruct again."),
        ("use --features sift, or --quality preview", "set Features to SIFT, or Quality to Preview"),
        ("The disk is full.", "The disk is full."),
        ("/photos/--raw file/a.jpg cannot be read.", "/photos/--raw file/a.jpg cannot be read."),
    ],
)
def test_the_panels_words(terminal, panel):
    assert in_panel(terminal) == panel
