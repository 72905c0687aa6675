"""COLMAP's progress from the number of rows in its database, counted in a separate process. Standard library only.

COLMAP reports nothing while it finds and matches features. Its database may be read while it writes, but never by
Python's sqlite3 in the same process: see database.py.

    python -m <package>.colmap.row_counter DATABASE TABLE      prints the number of rows repeatedly
"""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

from ..system.child import child_environment, end_with_parent, module_command

TABLES = ("keypoints", "matches", "two_view_geometries")
SECONDS = 0.3  # between two counts


class RowCounter:
    """Context manager; `.rows` is the latest count of a table's rows, 0 until there is one."""

    def __init__(self, database: Path, table: str) -> None:
        self.rows = 0
        self._child = subprocess.Popen(
            module_command(__name__, str(database), table),
            env=child_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            if line.strip().isdigit():
                self.rows = int(line)

    def __enter__(self) -> RowCounter:
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.kill()
        self._child.wait()
        self._reader.join()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                stream.close()


def count_rows(database: Path, table: str) -> int:
    """Number of rows of one of TABLES; 0 while there is no database, or it is being written."""
    if table not in TABLES:
        raise ValueError(f"no table {table!r}: {', '.join(TABLES)}")
    address = database.absolute().as_uri() + "?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=1)) as connection:
            return int(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])
    except sqlite3.Error:
        return 0


def _main() -> None:
    end_with_parent()
    database, table = Path(sys.argv[1]), sys.argv[2]
    stop = threading.Event()
    with contextlib.suppress(BrokenPipeError):
        while not stop.wait(SECONDS):
            sys.stdout.write(f"{count_rows(database, table)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    _main()
