"""glTF 2.0 in one binary file (GLB): mesh, UVs, normals, and a material for each of the texture's tiles.

Khronos, "glTF 2.0 specification", 2021: chunks in chapter 4, accessors in 3.6, materials in 3.9. Extensions:
KHR_mesh_quantization, EXT_texture_webp, EXT_meshopt_compression.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..files.atomic_files import atomic_file
from ..text import printable
from ..texturing.tangents import tangents
from ..texturing.textured_mesh import TexturedMesh
from .mesh_compression import ATTRIBUTES, NAME, TRIANGLES, MeshCompression, fallback

UNSIGNED_INT = 5125
COMPONENTS = {"<f4": 5126, "<i1": 5120, "<u2": 5123}
VERTICES, INDICES = 34962, 34963  # targets of buffer views
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942


@dataclass(frozen=True)
class GlbImage:
    """kind: "jpeg", "png" or "webp"; data: the file."""

    kind: str
    data: bytes


@dataclass(frozen=True)
class GlbMaterial:
    """The maps of a tile. normal: of tangent space, green upward. occlusion: in the red channel."""

    color: GlbImage
    normal: GlbImage | None = None
    occlusion: GlbImage | None = None


def write_glb(
    path: Path, mesh: TexturedMesh, materials: Sequence[GlbMaterial], generator: str, rounded: bool = False,
    compression: MeshCompression | None = None,
) -> None:  # fmt: skip
    """Write a mesh in glTF's frame (y up, right-handed, meters) with a material for each tile of its texture.

    rounded: coordinates with 16 bits and normals with 8, half the size (KHR_mesh_quantization). compression: of
    vertices and triangles (EXT_meshopt_compression).
    """
    blocks = _Blocks(compression)
    node: dict[str, Any] = {"mesh": 0, "name": printable(path.stem)}
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": generator},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [node],
        "accessors": [],
        "bufferViews": [],
    }
    low = mesh.positions.min(axis=0)
    step = max(float((mesh.positions.max(axis=0) - low).max()), 1e-9) / 65535
    if rounded:
        node["translation"], node["scale"] = low.tolist(), [step] * 3
    primitives = []
    for tile, (part, material) in enumerate(zip(mesh.parts(), materials, strict=True)):
        ordered = compression.ordered(part) if compression else part
        grid = (low, step) if rounded else None
        attributes = _attributes(document, blocks, ordered, grid, material.normal is not None)
        indices = _indices(document, blocks, ordered.faces)
        primitives.append({"attributes": attributes, "indices": indices, "material": tile})
    document["meshes"] = [{"primitives": primitives}]
    document["samplers"] = [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}]
    document["images"], document["textures"] = [], []
    document["materials"] = [
        _material(document, blocks, material, f"photos{f'_{tile + 1}' if tile else ''}")
        for tile, material in enumerate(materials)
    ]
    document["buffers"] = [{"byteLength": len(blocks.data)}]
    if compression:
        document["buffers"].append(fallback(blocks.before))
    webp = any(image["mimeType"] == "image/webp" for image in document["images"])
    used = ["KHR_mesh_quantization"] * rounded + ["EXT_texture_webp"] * webp + [NAME] * bool(compression)
    if used:
        document["extensionsUsed"] = document["extensionsRequired"] = used
    with atomic_file(path) as part_file:
        part_file.write_bytes(_container(document, bytes(blocks.data)))


def _attributes(
    document: dict[str, Any],
    blocks: _Blocks,
    mesh: TexturedMesh,
    grid: tuple[np.ndarray, float] | None,
    with_tangents: bool,
) -> dict[str, int]:
    """Add a mesh's vertices; returns the accessors by name. grid: origin and step of rounded coordinates."""
    length = np.maximum(np.linalg.norm(mesh.normals, axis=1, keepdims=True), 1e-12)
    normals = mesh.normals / length
    uv = np.column_stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]])
    along = tangents(mesh.positions, normals, mesh.uv, mesh.faces) if with_tangents else None
    if grid is not None:
        low, step = grid
        accessors = {
            "POSITION": _accessor(
                document, blocks, (mesh.positions - low) / step, "VEC3", "<u2", limits=True
            ),
            "NORMAL": _accessor(document, blocks, normals * 127, "VEC3", "<i1", normalized=True),
            "TEXCOORD_0": _accessor(
                document, blocks, np.clip(uv, 0, 1) * 65535, "VEC2", "<u2", normalized=True
            ),
        }
        if along is not None:
            accessors["TANGENT"] = _accessor(document, blocks, along * 127, "VEC4", "<i1", normalized=True)
        return accessors
    accessors = {
        "POSITION": _accessor(document, blocks, mesh.positions, "VEC3", limits=True),
        "NORMAL": _accessor(document, blocks, normals, "VEC3"),
        "TEXCOORD_0": _accessor(document, blocks, uv, "VEC2"),
    }
    if along is not None:
        accessors["TANGENT"] = _accessor(document, blocks, along, "VEC4")
    return accessors


def _material(document: dict[str, Any], blocks: _Blocks, maps: GlbMaterial, name: str) -> dict[str, Any]:
    """Add a material's images; returns the material."""
    # The colors already contain the photos' lighting: no specular reflection.
    surface = {
        "baseColorTexture": {"index": _texture(document, blocks, maps.color)},
        "metallicFactor": 0.0,
        "roughnessFactor": 1.0,
    }
    material: dict[str, Any] = {"name": name, "pbrMetallicRoughness": surface}
    if maps.normal is not None:
        material["normalTexture"] = {"index": _texture(document, blocks, maps.normal)}
    if maps.occlusion is not None:
        material["occlusionTexture"] = {"index": _texture(document, blocks, maps.occlusion)}
    return material


def _texture(document: dict[str, Any], blocks: _Blocks, image: GlbImage) -> int:
    """Add an image as a texture; returns its index."""
    view = _view(document, blocks, image.data)
    number = len(document["images"])
    document["images"].append({"bufferView": view, "mimeType": f"image/{image.kind}"})
    webp = {"extensions": {"EXT_texture_webp": {"source": number}}}
    document["textures"].append({**(webp if image.kind == "webp" else {"source": number}), "sampler": 0})
    return number


class _Blocks:
    """The file's growing buffer. before: uncompressed size of its compressed parts."""

    def __init__(self, compression: MeshCompression | None) -> None:
        self.compression = compression
        self.data = bytearray()
        self.before = 0

    def add(self, data: bytes) -> int:
        """Append data; returns its offset."""
        offset = len(self.data)
        self.data += data + bytes(-len(data) % 4)
        return offset


def _view(document: dict[str, Any], blocks: _Blocks, data: bytes, target: int = 0) -> int:
    """Add data as a buffer view; returns its index."""
    view = {"buffer": 0, "byteOffset": blocks.add(data), "byteLength": len(data)}
    document["bufferViews"].append({**view, "target": target} if target else view)
    return len(document["bufferViews"]) - 1


def _mesh_view(document: dict[str, Any], blocks: _Blocks, rows: np.ndarray, target: int, mode: str) -> int:
    """Add vertices or corners, [N, C] or [N], as a buffer view, optionally compressed; returns its index."""
    if blocks.compression is None:
        return _view(document, blocks, rows.tobytes(), target)
    packed = blocks.compression.encoded(rows, mode)
    stride = rows.nbytes // len(rows)
    inside = {"buffer": 0, "byteOffset": blocks.add(packed), "byteLength": len(packed), "byteStride": stride,
              "count": len(rows), "mode": mode}  # fmt: skip
    view = {"buffer": 1, "byteOffset": blocks.before, "byteLength": rows.nbytes, "target": target}
    document["bufferViews"].append({**view, "extensions": {NAME: inside}})
    blocks.before += rows.nbytes + -rows.nbytes % 4
    return len(document["bufferViews"]) - 1


def _accessor(
    document: dict[str, Any],
    blocks: _Blocks,
    values: np.ndarray,
    kind: str,
    component: str = "<f4",
    limits: bool = False,
    normalized: bool = False,
) -> int:
    """Add values [N, C], rounded if the component type is an integer; returns the accessor's index. Rows are aligned to
    four bytes."""
    whole = component != "<f4"
    table = np.ascontiguousarray(np.round(values) if whole else values).astype(component)
    size = table.itemsize * table.shape[1]
    rows = np.zeros((len(table), size + -size % 4), np.uint8)
    rows[:, :size] = table.view(np.uint8).reshape(len(table), size)
    view = _mesh_view(document, blocks, rows, VERTICES, ATTRIBUTES)
    if whole:
        document["bufferViews"][view]["byteStride"] = rows.shape[1]
    entry: dict[str, Any] = {
        "bufferView": view,
        "componentType": COMPONENTS[component],
        "count": len(table),
        "type": kind,
    }
    if normalized:
        entry["normalized"] = True
    if limits:
        entry["min"], entry["max"] = table.min(axis=0).tolist(), table.max(axis=0).tolist()
    document["accessors"].append(entry)
    return len(document["accessors"]) - 1


def _indices(document: dict[str, Any], blocks: _Blocks, faces: np.ndarray) -> int:
    corners = np.ascontiguousarray(faces, "<u4").ravel()
    view = _mesh_view(document, blocks, corners, INDICES, TRIANGLES)
    entry = {"bufferView": view, "componentType": UNSIGNED_INT}
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
