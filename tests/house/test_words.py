"""The words to avoid of docs/dev/glossary.md: none is used in a document or in a text of the program."""

import ast
import re
import subprocess
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = ROOT / "docs" / "dev" / "glossary.md"
NOT_YET = {"translations.py"}
NAMES = {"set aside", "Recon3D Colour"}  # of a state and a node, in files
CODE = re.compile(r"^```.*?^```|`[^`\n]+`|\]\([^)]*\)", re.MULTILINE | re.DOTALL)


def avoided() -> re.Pattern[str]:
    """The first column of the glossary's second table: `word`, or `stem*`."""
    table = GLOSSARY.read_text("utf-8").split("## Words to avoid")[1].split("\n## ")[0]
    words = [
        word
        for row in table.splitlines()
        for word in re.findall(r"`([^`]+)`", row.split("|")[1] if "|" in row else "")
    ]
    assert len(words) > 20
    forms = [re.escape(word).replace(r"\*", r"\w*").replace(r"\ ", r"\s+") for word in words]
    # "There is no mesh" is English, "it is no mesh" is not; "set aside" is the name of a state in files.
    nots = r"(?<!there )(?:is|are) no (?!longer\b|more\b|faster\b)"
    return re.compile(rf"\b(?:{'|'.join(forms)})\b|\b{nots}", re.IGNORECASE)


def texts(path: Path) -> list[tuple[int, str]]:
    """The program's messages: its strings with more than one word, except docstrings. (line, text)"""
    tree = ast.parse(path.read_text("utf-8"))
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
            parts = [part.value if isinstance(part, ast.Constant) else "X" for part in node.values]
            found.append((node.lineno, "".join(map(str, parts))))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            found.append((node.lineno, node.value))
    return [(line, text) for line, text in found if " " in text.strip()]


def documents() -> list[Path]:
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "*.md"], capture_output=True, text=True)
    found = [ROOT / name for name in listed.stdout.split()] or list((ROOT / "docs").rglob("*.md"))
    return [path for path in found if path != GLOSSARY and path.exists() and "results" not in path.parts]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_documents(path):
    text = CODE.sub("", path.read_text("utf-8"))
    assert not sorted({found.group(0) for found in avoided().finditer(text)})


@pytest.mark.parametrize("folder", ["blender_recon3d", "examples"])
def test_what_the_program_says(folder):
    pattern = avoided()
    found = [
        f"{path.relative_to(ROOT)}:{line}: {hit.group(0)!r} in {text[:70]!r}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.name not in NOT_YET
        for line, text in texts(path)
        if (hit := pattern.search(text)) and text not in NAMES
    ]
    assert not found, "\n".join(found)


# Not only messages: also comments and docstrings.
TRANSLATED = re.compile(
    r"(?<!there )\b(?:is|are) no (?!longer\b|more\b|faster\b)|\bfilms?\b(?! back| has)|\bhangs? together\b"
    r"|\bat work\b|\banew\b|\bwhat became of\b|\bwhat there is to\b|\bin sight\b|\bwith care\b|\bfor want of\b"
    r"|\bfor ever\b|\bappears? whole\b|\bsomebody else|\bcomes? from anywhere\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    "folder", ["blender_recon3d", "benchmarks", "training", "tests", "tools", "examples", "demo"]
)
def test_code_reads_like_english(folder):
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path != Path(__file__)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if TRANSLATED.search(line)
    ]
    assert not found, "\n".join(found)


NAME_TO_AVOID = re.compile(
    r"(?i:colour|neighbour|centre|grey|normalis|initialis|optimis|rasteris|licence)|^_?(?:LEAST|MOST|FEWEST)_"
)


@pytest.mark.parametrize("folder", ["blender_recon3d", "benchmarks", "training", "tools", "examples", "demo"])
def test_names_are_spelled_as_in_blender(folder):
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        with path.open("rb") as file:
            names = {
                token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.NAME
            }
        found |= {
            f"{path.relative_to(ROOT)}: {name}" for name in {path.stem, *names} if NAME_TO_AVOID.search(name)
        }
    assert not found, "\n".join(sorted(found))


def test_a_word_is_found():
    assert (
        avoided().search("the Colours")
        and avoided().search("it is no mesh")
        and avoided().search("It goes on.")
    )
    assert not avoided().search("there is no mesh, and the color stays")
