"""sources.json: a workspace's source files, so that it can continue if they were moved or deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .codec import key


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    path: str = key("where it was last found")
    name: str = key("its path below the photos' common folder")
    size: int = key("bytes; -1 for a broken link")
    mtime_ns: int = key("modification time, nanoseconds since 1970")
    sha256: str = key("of its content; empty if it could not be read")


@dataclass(frozen=True, kw_only=True)
class SourcesDocument:
    version: int = key("of this format", 1)
    given: list[str] = key("what the user named, and the masks")
    settings: dict[str, Any] = key("of the stage `photos`, without paths")
    files: list[SourceFile] = key("in the order taken")
