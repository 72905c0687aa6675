"""Results as lines of JSON, so that an interrupted run, or one with an additional method, measures only what is
missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Values = dict[str, Any]


class Records:
    """Results by (section, identity of the method, item, settings of the section), stored in one file.

    fresh: existing results are ignored (they remain, and new lines follow them).
    """

    def __init__(self, path: Path, fresh: bool = False) -> None:
        self._path = path
        self._values: dict[str, Values] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text("utf-8") if path.exists() else ""
        if text and not text.endswith("\n"):  # the last line is incomplete after a kill
            with open(path, "a", encoding="utf-8") as file:
                file.write("\n")
        if not fresh:
            for line in text.splitlines():
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                self._values[_key(record)] = record["values"]

    def get(self, section: str, identity: str, item: str, settings: Values) -> Values | None:
        return self._values.get(_key(_record(section, identity, item, settings)))

    def put(self, section: str, identity: str, item: str, settings: Values, values: Values) -> None:
        record = _record(section, identity, item, settings)
        self._values[_key(record)] = values
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps({**record, "values": values}, allow_nan=False) + "\n")


def _record(section: str, identity: str, item: str, settings: Values) -> Values:
    return {"section": section, "identity": identity, "item": item, "settings": settings}


def _key(record: Values) -> str:
    return json.dumps([record[name] for name in ("section", "identity", "item", "settings")], sort_keys=True)
