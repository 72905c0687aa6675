"""Shows a measurement's table on the terminal and writes its document."""

from __future__ import annotations

import sys
from pathlib import Path


def show_table(title: str, text: str, document: Path | None) -> None:
    sys.stdout.write(text)
    if document:
        document.parent.mkdir(parents=True, exist_ok=True)
        document.write_text(f"# {title}\n\n{text}", "utf-8")
