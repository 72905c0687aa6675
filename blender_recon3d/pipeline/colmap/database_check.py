"""Whether database.db is whole, looked at by a process of its own (see database.py). Standard library only.

COLMAP tells SQLite not to wait for the disk, so a power cut may leave pages of different moments, or of zeros.
SQLite's own check finds the first, for every page belongs to a row and every row has all its pages; a last page of
zeros it would take for data.

    python -m <package>.colmap.database_check DATABASE     prints what is wrong, or nothing
"""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

from ..system.child import child_environment, end_with_parent, module_command

CHUNK = 1024  # pages read at once
PENDING_BYTE = 2**30  # the page that it lies in is never used (sqlite.org/fileformat.html, 1.4)


def database_problem(database: Path) -> str:
    """What is wrong, as half a sentence ("is damaged (...)"); empty where nothing is, or no database is there."""
    if not database.exists():
        return ""
    with subprocess.Popen(
        module_command(__name__, str(database)),
        env=child_environment(),
        stdin=subprocess.PIPE,  # stays open: the child ends with it
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as child:
        assert child.stdout is not None
        said = child.stdout.read().strip()
        return said if child.wait() == 0 else "is damaged: reading it failed"


def examine(database: Path) -> str:
    """The same in this process, which must not have the database open otherwise."""
    try:
        with contextlib.closing(sqlite3.connect(database, timeout=5)) as connection:
            said = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            if said != "ok":
                return f"is damaged ({' '.join(said.split())[:100]})"
            tables = connection.execute("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'").fetchone()[
                0
            ]
            size = int(connection.execute("PRAGMA page_size").fetchone()[0])
            unused = int(connection.execute("PRAGMA freelist_count").fetchone()[0])
    except sqlite3.Error as error:
        return f"is damaged ({error})"
    if not tables:
        return "is empty"
    zeros = _zero_pages(database, size)
    return f"is damaged ({zeros} pages of zeros)" if zeros > unused else ""


def _zero_pages(database: Path, size: int) -> int:
    zeros, offset, empty = 0, 0, bytes(size)
    with open(database, "rb") as file:
        while content := file.read(size * CHUNK):
            for start in range(0, len(content), size):
                pending = offset + start <= PENDING_BYTE < offset + start + size
                zeros += content[start : start + size] == empty and not pending
            offset += len(content)
    return zeros


if __name__ == "__main__":
    end_with_parent()
    sys.stdout.write(examine(Path(sys.argv[1])) + "\n")
    sys.stdout.flush()
