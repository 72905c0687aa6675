"""Links in the documents are not broken: files, headings, scripts and pictures."""

import re
import subprocess
import unicodedata
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def tracked(*patterns: str) -> list[Path]:
    """Files of the checkout that git tracks or would add."""
    command = [
        "git",
        "-C",
        str(ROOT),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        *patterns,
    ]
    listed = subprocess.run(command, capture_output=True, text=True)
    names = listed.stdout.split("\0") if listed.returncode == 0 else []
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


DOCUMENTS = tracked("*.md") or [ROOT / "README.md"]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def anchors(document: Path) -> set[str]:
    """The headings of a document, spelled like GitHub's anchors."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", document.read_text("utf-8")), re.MULTILINE):
        text = LINK.sub(lambda link: link.group(0).split("]")[0][1:], heading).lower().replace(" ", "-")
        kept = [c for c in text if c in "-_" or unicodedata.category(c)[0] in "LNM"]
        anchor, number = "".join(kept), 0
        while anchor + (f"-{number}" if number else "") in found:
            number += 1
        found.add(anchor + (f"-{number}" if number else ""))
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_are_not_broken(document):
    broken = []
    for link in LINK.findall(FENCE.sub("", document.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken, f"{named(document)} links to nothing: {broken}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_scripts_that_are_named_exist(document):
    """`benchmarks/measure/dense.py` and `python -m benchmarks.measure.dense`, from the repository's root."""
    text = document.read_text("utf-8")
    paths = re.findall(
        r"`((?:benchmarks|docs|tests|tools|training|examples|blender_recon3d)/[\w./-]+)`", text
    )
    modules = re.findall(r"python -m ((?:benchmarks|training)[\w.]+)", text)
    wanted = [*paths, *(module.replace(".", "/") for module in modules)]
    lost = [
        name
        for name in wanted
        if not any((ROOT / f"{name}{end}").exists() for end in ("", ".py", "/__main__.py"))
    ]
    assert not lost, f"{named(document)} names what is not there: {lost}"


def test_every_document_is_reached_from_the_readme():
    reached, queue = set(), [ROOT / "README.md"]
    while queue:
        document = queue.pop()
        if document in reached or document.suffix != ".md" or not document.exists():
            continue
        reached.add(document)
        text = FENCE.sub("", document.read_text("utf-8"))
        queue += [(document.parent / link.split("#")[0]).resolve() for link in LINK.findall(text)]
    alone = {named(path) for path in (ROOT / "docs").rglob("*.md") if path not in reached}
    assert not alone, f"no way leads from README.md to {sorted(alone)}"


def test_documents_named_in_the_sources_exist():
    for path in tracked("*.py", "*.toml", "Makefile"):
        if "tests" in path.relative_to(ROOT).parts:
            continue
        for name in re.findall(r"\bdocs/[\w/-]+\.(?:md|jpg|png)", path.read_text("utf-8")):
            assert (ROOT / name).exists(), f"{named(path)} names {name}"
