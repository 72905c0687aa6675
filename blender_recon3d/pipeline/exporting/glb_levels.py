"""Levels of detail in a GLB, by the extension MSFT_lod. Standard library only.

Programs that know it (Babylon.js and others) switch between the levels; all others show only the first, since the rest
are not in the scene. https://github.com/KhronosGroup/glTF/blob/main/extensions/2.0/Vendor/MSFT_lod/README.md
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

from ..errors import FileFormatError

NAME, COVERAGE = "MSFT_lod", "MSFT_screencoverage"
_JSON = 0x4E4F534A


def link_levels(path: Path, names: list[str], coverage: list[float]) -> None:
    """Make the nodes with these names levels of the first one, in a GLB that has all in its scene.

    coverage: the smallest share of the screen's height at which each level is shown. FileFormatError if one is missing.
    """
    data = path.read_bytes()
    length, kind = struct.unpack_from("<II", data, 12)
    if kind != _JSON:
        raise FileFormatError(path, "it does not begin with glTF's JSON")
    document = json.loads(data[20 : 20 + length])
    numbers = {node.get("name"): number for number, node in enumerate(document["nodes"])}
    if not set(names) <= set(numbers):
        raise FileFormatError(path, "a level of detail is missing")
    first, *others = (numbers[name] for name in names)
    node = document["nodes"][first]
    node.setdefault("extensions", {})[NAME] = {"ids": others}
    node.setdefault("extras", {})[COVERAGE] = coverage
    for scene in document["scenes"]:
        scene["nodes"] = [number for number in scene["nodes"] if number not in others]
    document["extensionsUsed"] = sorted({*document.get("extensionsUsed", []), NAME})
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    rest = data[20 + length :]
    head = struct.pack("<4sII", b"glTF", 2, 20 + len(text) + len(rest)) + struct.pack("<II", len(text), _JSON)
    path.write_bytes(head + text + rest)
