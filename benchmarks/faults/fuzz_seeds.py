"""Small valid files of every format that is read from a workspace or from a user, to be damaged."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save as save_safetensors

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.files.ply import read_vertices, write_vertices
from blender_recon3d.pipeline.files.ply_mesh import write_mesh
from blender_recon3d.pipeline.models.feature_files import save_features
from blender_recon3d.pipeline.models.frontend import Features

MODEL = ("cameras", "images", "points3D")
FEW_POINTS = 25


class Seeds:
    """Made from a finished workspace; the colmap models are in `folder`/binary and `folder`/text."""

    def __init__(self, workspace: Path, folder: Path) -> None:
        self.folder = folder
        self.workspace = workspace
        folder.mkdir(parents=True, exist_ok=True)
        self.cloud = [
            self._ply(False),
            _as_ascii(self._ply(False)),
            self._fused(),
        ]
        self.mesh = [self._ply(True)]
        self.model = self._model()
        names = (
            "state.json",
            "job.json",
            "photos.json",
            "report.json",
            "placement.json",
            "registration.json",
        )
        self.documents: dict[str, Any] = {name: json.loads((workspace / name).read_bytes()) for name in names}
        lines = (workspace / "events.jsonl").read_text("utf-8").splitlines()[:40]
        self.events = [json.loads(line) for line in lines]
        self.features = [self._features()]
        self.map = [b"4&3&1&" + np.arange(12, dtype="<f4").tobytes()]
        self.visibility = [struct.pack("<Q9I", 3, 2, 0, 1, 2, 1, 2, 2, 0, 2)]
        self.photos = _photos()
        self.safetensors = [save_safetensors({"a": torch.zeros(2, 3), "b.weight": torch.ones(4)})]
        self.pickled = [_pickled()]
        self.box = [b"1 0 0 0 0 1 0 0 0 0 1 0", b"1,0,0,0,0,1,0,0,0,0,1,0"]
        self.strecha = [b"100 0 50\n0 100 50\n0 0 1\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n1 2 3\n100 100\n"]
        self.bundler = [
            b"# Bundle file v0.3\n2 0\n" + b"500 0 0\n1 0 0\n0 1 0\n0 0 1\n1 2 3\n" * 2,
        ]

    def _ply(self, mesh: bool) -> bytes:
        types = [(name, "<f4") for name in ("x", "y", "z", "nx", "ny", "nz")]
        types += [(name, "u1") for name in ("red", "green", "blue")]
        types += [("s", "<f4"), ("t", "<f4"), ("source", "<i4")]
        vertices = np.zeros(5, types)
        vertices["x"] = vertices["source"] = range(5)
        path = self.folder / "seed.ply"
        if mesh:
            write_mesh(path, vertices, np.array([[0, 1, 2], [1, 2, 3]]))
        else:
            write_vertices(path, vertices)
        return path.read_bytes()

    def _fused(self) -> bytes:
        """A few points of the workspace's cloud."""
        path = self.folder / "fused.ply"
        write_vertices(path, read_vertices(self.workspace / "dense" / "fusion.ply")[:20])
        return path.read_bytes()

    def _features(self) -> bytes:
        """Five keypoints."""
        path = self.folder / "seed.npz"
        keypoints, scores = np.zeros((5, 2), np.float32), np.zeros(5, np.float32)
        save_features(path, Features(keypoints, scores, np.zeros((5, 256), np.float32), (640, 480)))
        return path.read_bytes()

    def _model(self) -> dict[str, bytes]:
        """cameras, images and points3D as .bin and .txt, by file name; few points."""
        model = pycolmap.Reconstruction(self.workspace / "sparse" / "0")
        for number in sorted(model.points3D.keys())[FEW_POINTS:]:
            model.delete_point3D(number)
        found = {}
        for kind, ending in (("binary", ".bin"), ("text", ".txt")):
            folder = self.folder / kind
            folder.mkdir(exist_ok=True)
            (model.write_binary if kind == "binary" else model.write_text)(folder)
            for name in MODEL:
                found[name + ending] = (folder / (name + ending)).read_bytes()
        return found


def _as_ascii(content: bytes) -> bytes:
    """The same header for five lines of numbers."""
    head = content[: content.index(b"end_header\n") + 11].replace(b"binary_little_endian", b"ascii")
    return head + b"0 0 0 0 0 0 1 2 3 0 0 0\n" * 5


def _photos() -> list[bytes]:
    """One photo of each format, with EXIF."""
    pixels = np.random.default_rng(1).integers(0, 8, (220, 300, 3), dtype=np.uint8) * 32
    exif = Image.Exif()
    exif[0x10F], exif[0x110], exif[0x112] = "Make<b>", "Model", 6
    exif.get_ifd(0x8769).update({0x920A: (50, 1), 0xA405: 35})
    exif.get_ifd(0x8825).update({1: "N", 2: (10.0, 20.0, 30.0), 3: "E", 4: (10.0, 20.0, 30.0)})
    import pillow_heif

    pillow_heif.register_heif_opener()
    formats: list[tuple[str, dict[str, Any]]] = [
        ("JPEG", {"quality": 30}), ("PNG", {}), ("TIFF", {"compression": "tiff_lzw"}), ("WEBP", {"quality": 20}),
        ("HEIF", {"quality": 20}),
    ]  # fmt: skip
    found = []
    for kind, options in formats:
        file = io.BytesIO()
        given = exif.tobytes() if kind == "HEIF" else exif
        Image.fromarray(pixels).save(file, kind, exif=given, **options)
        found.append(file.getvalue())
    return found


def _pickled() -> bytes:
    file = io.BytesIO()
    torch.save({"a": torch.zeros(2)}, file)
    return file.getvalue()
