"""The user's documents as the pages that the zip holds, so that F1 on a button opens the manual without a network.

Of Markdown, what docs/user uses: headings, paragraphs, lists, tables, code, links, emphasis. Pictures stay outside.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

STYLE = (
    "body{max-width:46em;margin:2em auto;padding:0 1em;font:16px/1.5 sans-serif;color:#222;background:#fff}"
    "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.3em .6em;text-align:left;vertical-align:top}"
    "code{background:#eee;padding:0 .2em}pre{background:#eee;padding:.6em;overflow:auto}"
)
_NEW = re.compile(r"^(#|\||[-*] |\d+\. |```|$)")  # begins something else than a paragraph's next line


def pages(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of the page of each document in the folder."""
    for path in sorted(folder.glob("*.md")):
        text = path.read_text("utf-8")
        title = text.partition("\n")[0].lstrip("# ")
        page = (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f"<title>{html.escape(title)} - Recon3D</title><style>{STYLE}</style></head>\n"
            f"<body>\n{body(text)}</body></html>\n"
        )
        yield f"{path.stem}.html", page.encode()


def body(text: str) -> str:
    """The document as HTML."""
    lines = [line for line in text.splitlines() if not line.startswith("![")]
    found, place = [], 0
    while place < len(lines):
        line = lines[place]
        end = place + 1
        if line.startswith("```"):
            end = next((n for n in range(place + 1, len(lines)) if lines[n].startswith("```")), len(lines))
            found.append(f"<pre>{html.escape(chr(10).join(lines[place + 1 : end]))}</pre>")
            end += 1
        elif line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            name = re.sub(r"[^a-z0-9]+", "-", line.strip("# ").lower())
            found.append(f'<h{level} id="{name}">{inline(line.strip("# "))}</h{level}>')
        elif line.startswith("|"):
            end = next((n for n in range(place, len(lines)) if not lines[n].startswith("|")), len(lines))
            found.append(_table(lines[place:end]))
        elif match := re.match(r"[-*] |\d+\. ", line):
            end = next((n for n in range(place, len(lines)) if not _in_list(lines, n)), len(lines))
            found.append(_list(lines[place:end], "ol" if match[0][0].isdigit() else "ul"))
        elif line.strip():
            end = next((n for n in range(place + 1, len(lines)) if _NEW.match(lines[n])), len(lines))
            found.append(f"<p>{inline(' '.join(lines[place:end]))}</p>")
        place = end
    return "\n".join(found) + "\n"


def inline(text: str) -> str:
    """Code, links and emphasis of a line."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(f"<code>{html.escape(p[1:-1])}</code>" if p.startswith("`") else _words(p) for p in parts)


def _words(text: str) -> str:
    text = html.escape(text, quote=False)
    text = re.sub(r"\[([^\]]+)\]\(([^)]+)\)", lambda found: _link(found[1], found[2]), text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", text)
    return re.sub(r"(?<!\w)\*([^*\s][^*]*)\*", r"<i>\1</i>", text)


def _link(words: str, target: str) -> str:
    """To another page or another site; what lies elsewhere in the repository is not in the zip."""
    page, mark, place = target.partition("#")
    if re.match(r"https?://", target):
        return f'<a href="{target}">{words}</a>'
    if "/" in page:
        return words
    return f'<a href="{page.replace(".md", ".html")}{mark}{place}">{words}</a>'


def _table(rows: list[str]) -> str:
    cells = [[inline(cell.strip()) for cell in row.strip("|").split("|")] for row in rows]
    head = "".join(f"<th>{cell}</th>" for cell in cells[0])
    rest = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in cells[2:])
    return f"<table><tr>{head}</tr>\n{rest}</table>"


def _in_list(lines: list[str], number: int) -> bool:
    line = lines[number]
    return bool(re.match(r"[-*] |\d+\. |  +\S", line)) or (
        not line.strip()
        and number + 1 < len(lines)
        and bool(re.match(r"\d+\. |[-*] |   +\S", lines[number + 1]))
    )


def _list(lines: list[str], kind: str) -> str:
    items: list[str] = []
    for line in lines:
        if match := re.match(r"[-*] |\d+\. ", line):
            items.append(line[match.end() :])
        elif line.strip():
            items[-1] += " " + line.strip()
    return f"<{kind}>" + "".join(f"<li>{inline(item)}</li>\n" for item in items) + f"</{kind}>"
