"""Checks database.db for damage in a separate process (see database.py). Standard library only.

COLMAP tells SQLite not to wait for the disk, so a power cut may leave pages of different versions, or of zeros.
SQLite's own check finds the former, since every page belongs to a row and every row has all its pages; but it would
take a last page of zeros for data.

    python -m <package>.colmap.database_check DATABASE     prints the problem, or nothing
"""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

from ..system.child import child_environment, end_with_parent, module_command

CHUNK = 1024  # pages read at once
PENDING_BYTE = 2**30  # the page that contains it is never used (sqlite.org/fileformat.html, 1.4)


def database_problem(database: Path) -> str:
    """The problem, as a clause ("is damaged (...)"); empty if there is none, or no database."""
    if not database.exists():
        return ""
    with subprocess.Popen(
        module_command(__name__, str(database)),
        env=child_environment(),
        stdin=subprocess.PIPE,  # stays open: the child exits when it closes
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as child:
        assert child.stdout is not None
        problem = child.stdout.read().strip()
        return problem if child.wait() == 0 else "is damaged: reading it failed"


def examine(database: Path) -> str:
    """The same in this process, which must not have opened the database elsewhere."""
    try:
        with contextlib.closing(sqlite3.connect(database, timeout=5)) as connection:
            result = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            if result != "ok":
                return f"is damaged ({' '.join(result.split())[:100]})"
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
