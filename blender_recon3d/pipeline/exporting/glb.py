"""glTF 2.0 in one binary file (GLB): mesh, UVs, normals and the texture.

Khronos, "glTF 2.0 specification", 2021: chunks in chapter 4, accessors in 3.6, materials in 3.9.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from ..files.atomic_files import atomic_file
from ..text import printable
from ..texturing.textured_mesh import TexturedMesh

FLOAT, UNSIGNED_INT = 5126, 5125
VERTICES, INDICES = 34962, 34963  # targets of buffer views
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942


def write_glb(path: Path, mesh: TexturedMesh, jpeg: bytes, generator: str) -> None:
    """Write a mesh that stands in glTF's frame (y up, right-handed, meters) with the texture as a JPEG."""
    blocks: list[bytes] = []
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": generator},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": printable(path.stem)}],
        "accessors": [],
        "bufferViews": [],
    }
    length = np.maximum(np.linalg.norm(mesh.normals, axis=1, keepdims=True), 1e-12)
    uv = np.column_stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]])
    attributes = {
        "POSITION": _accessor(document, blocks, mesh.positions, "VEC3", limits=True),
        "NORMAL": _accessor(document, blocks, mesh.normals / length, "VEC3"),
        "TEXCOORD_0": _accessor(document, blocks, uv, "VEC2"),
    }
    indices = _indices(document, blocks, mesh.faces)
    image = _view(document, blocks, jpeg)
    document["meshes"] = [{"primitives": [{"attributes": attributes, "indices": indices, "material": 0}]}]
    document["images"] = [{"bufferView": image, "mimeType": "image/jpeg"}]
    document["samplers"] = [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}]
    document["textures"] = [{"source": 0, "sampler": 0}]
    # The photos' light is in the colors already: nothing shines.
    surface = {"baseColorTexture": {"index": 0}, "metallicFactor": 0.0, "roughnessFactor": 1.0}
    document["materials"] = [{"name": "photos", "pbrMetallicRoughness": surface}]
    document["buffers"] = [{"byteLength": sum(len(block) for block in blocks)}]
    with atomic_file(path) as part:
        part.write_bytes(_container(document, b"".join(blocks)))


def _view(document: dict[str, Any], blocks: list[bytes], data: bytes, target: int = 0) -> int:
    """Add data as a buffer view; its number."""
    offset = sum(len(block) for block in blocks)
    view = {"buffer": 0, "byteOffset": offset, "byteLength": len(data)}
    document["bufferViews"].append({**view, "target": target} if target else view)
    blocks.append(data + bytes(-len(data) % 4))
    return len(document["bufferViews"]) - 1


def _accessor(
    document: dict[str, Any], blocks: list[bytes], values: np.ndarray, kind: str, limits: bool = False
) -> int:
    """Add float values [N, C]; the accessor's number."""
    table = np.ascontiguousarray(values, "<f4")
    entry: dict[str, Any] = {
        "bufferView": _view(document, blocks, table.tobytes(), VERTICES),
        "componentType": FLOAT,
        "count": len(table),
        "type": kind,
    }
    if limits:
        entry["min"], entry["max"] = table.min(axis=0).tolist(), table.max(axis=0).tolist()
    document["accessors"].append(entry)
    return len(document["accessors"]) - 1


def _indices(document: dict[str, Any], blocks: list[bytes], faces: np.ndarray) -> int:
    data = np.ascontiguousarray(faces, "<u4").tobytes()
    entry = {"bufferView": _view(document, blocks, data, INDICES), "componentType": UNSIGNED_INT}
    document["accessors"].append({**entry, "count": faces.size, "type": "SCALAR"})
    return len(document["accessors"]) - 1


def _container(document: dict[str, Any], binary: bytes) -> bytes:
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + len(binary)
    return b"".join(
        [
            struct.pack("<4sII", b"glTF", 2, total),
            struct.pack("<II", len(text), JSON_CHUNK), text,
            struct.pack("<II", len(binary), BINARY_CHUNK), binary,
        ]
    )  # fmt: skip
