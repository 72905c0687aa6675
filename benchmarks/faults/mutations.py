"""Damage for files and JSON documents: bits, lengths, numbers at the limits of types, and words that parsers know."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

EDGES = (
    0, 1, 2, 255, 256, 2**16 - 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1
)  # fmt: skip
FLOATS = (float("nan"), float("inf"), -1.0, 0.0, 1e308, -1e308, 1e-320)
WORDS = (
    b"nan", b"inf", b"-1", b"1e400", b"0x10", b"99999999999999999999", b"\0", b"../../x", b"/etc/passwd", b"-0", b"1_0",
    b"\xff\xfe", b"list", b"element", b"end_header\n", b"property", b"vertex 4294967295",
    b"vertex 18446744073709551616",
)  # fmt: skip
TEXTS = (
    "", "a", "../..", "/etc/passwd", "\0", "\ud800", "x" * 3000, "<b>", "1", "done", "used", "C:\\x", "\x1b[31m"
)  # fmt: skip
KEYS = ("a", "", "state", "stages", "name", "photos")


def damaged(content: bytes, chance: random.Random) -> bytes:
    """One to six changes, half of them near the beginning, where headers are."""
    found = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        if not found:
            found = bytearray(b"\0")
        place = chance.randrange(len(found))
        if chance.random() < 0.5:
            place = min(len(found) - 1, int(chance.expovariate(1 / 200)))
        _change(found, place, chance)
    return bytes(found)


def _change(content: bytearray, at: int, chance: random.Random) -> None:
    kind = chance.randrange(9)
    if kind == 0:
        content[at] ^= 1 << chance.randrange(8)
    elif kind == 1:
        content[at] = chance.randrange(256)
    elif kind == 2:
        del content[at:]
    elif kind == 3:
        del content[at : at + chance.choice((1, 2, 4, 8, 64))]
    elif kind == 4:
        content[at:at] = chance.randbytes(chance.choice((1, 4, 8, 100)))
    elif kind == 5:
        order, size = chance.choice("<>"), chance.choice((4, 8))
        number = chance.choice(EDGES) % 2 ** (8 * size)
        content[at : at + size] = struct.pack(order + {4: "I", 8: "Q"}[size], number)
    elif kind == 6:
        content[at : at + 8] = struct.pack("<d", chance.choice(FLOATS))
    elif kind == 7:
        content[at:at] = chance.choice(WORDS)
    else:
        other = chance.randrange(len(content))
        content[at:at] = content[other : other + chance.choice((8, 64, 512))]


def damaged_json(document: Any, chance: random.Random, rate: float = 0.08) -> bytes:
    """The document with some values replaced by others, as a file; one in ten is damaged as bytes too."""
    content = json.dumps(_changed(document, chance, rate)).encode("utf-8", "surrogatepass")
    return damaged(content, chance) if chance.random() < 0.1 else content


def _changed(value: Any, chance: random.Random, rate: float) -> Any:
    if chance.random() < rate:
        return _any_value(chance)
    if isinstance(value, dict):
        kept = {k: _changed(v, chance, rate) for k, v in value.items() if chance.random() > rate / 2}
        if chance.random() < rate:
            kept[chance.choice(KEYS)] = _any_value(chance)
        return kept
    if isinstance(value, list):
        return [_changed(item, chance, rate) for item in value if chance.random() > rate / 2]
    return value


def _any_value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(9 if depth < 3 else 6)
    if kind < 2:
        return chance.choice((None, True, False))
    if kind < 4:
        return chance.choice((*EDGES, -1, -5, 10**400))
    if kind < 5:
        return chance.choice((*FLOATS, 1.5, -0.0))
    if kind < 6:
        return chance.choice(TEXTS)
    if kind < 8:
        return [_any_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {chance.choice(KEYS): _any_value(chance, depth + 1) for _ in range(chance.randrange(3))}
