"""The output of a command with `--json`: one document on standard output."""

from __future__ import annotations

import json
import sys
from typing import Any

from ..documents.codec import encode


def print_answer(document: Any) -> None:
    """document: one of documents/answers_json.py."""
    sys.stdout.write(json.dumps(encode(document), indent=1) + "\n")
