"""Standard output and error that survive their readers. Standard library only."""

from __future__ import annotations

import os
from typing import Any, TextIO


class Surviving:
    """A text stream that becomes silent instead of raising when its reader is gone or its disk is full.

    The work continues whoever is watching. error: why it became silent; None for a closed reader.
    """

    def __init__(self, stream: TextIO | None) -> None:
        """stream: None if Python found the descriptor closed."""
        self._stream = stream
        self.error: OSError | None = None

    def write(self, text: str) -> int:
        try:
            if self._stream is not None:
                self._stream.write(text)
        except UnicodeEncodeError:
            return self.write(text.encode("ascii", "backslashreplace").decode("ascii"))
        except (OSError, ValueError) as error:
            self._silence(error)
        return len(text)

    def flush(self) -> None:
        try:
            if self._stream is not None:
                self._stream.flush()
        except (OSError, ValueError) as error:
            self._silence(error)

    def isatty(self) -> bool:
        return self._stream is not None and not self._stream.closed and self._stream.isatty()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _silence(self, error: OSError | ValueError) -> None:
        stream, self._stream = self._stream, None
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            self.error = error
        # Python writes its buffer when it exits; that must not fail either.
        try:
            if stream is not None:
                sink = os.open(os.devnull, os.O_WRONLY)
                os.dup2(sink, stream.fileno())
                os.close(sink)
        except (OSError, ValueError):
            return
