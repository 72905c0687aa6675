"""COLMAP's fusion of depth maps into one cloud, and the number of views of each of its points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..colmap.calls import pycolmap, run_cancellable
from ..errors import FileFormatError, UserError
from ..events import Progress
from ..files.atomic_files import remove, scratch_folder
from ..files.durable import sync_file, sync_folder
from ..files.ply import read_vertices, with_column, write_vertices
from ..files.regular import open_regular
from ..wording import Sentence, use
from .fusion_cells import Cell, cells, one_cell

BLOCK = 4 << 20  # bytes of the visibility file at once
OF_MEMORY = 0.3  # that may be maps: the points made of them take the rest (benchmarks/results/scale.md)
BYTES_PER_PIXEL = 4 + 12 + 3 + 1  # depth, normal, color, whether it is fused


def fuse(
    dense: Path, names: list[str], min_views: int, spacing: float, memory_gb: float, progress: Progress
) -> np.ndarray:
    """Fuse the maps of `names` into dense/fusion.ply (and .vis); returns its vertices, a structured array.

    spacing: pixels of the maps within which points are merged. memory_gb: limit; where all maps and points do not fit,
    the cloud is fused in cells. UserError if no point survives.
    """
    options = pycolmap.StereoFusionOptions()
    options.min_num_pixels = min_views
    # COLMAP merges what lies within so many pixels of a point; its own 2 pixels thin the cloud to a quarter.
    options.max_reproj_error = spacing
    # Threads compete for pixels: which points result then differs from run to run, and there are fewer of them.
    options.num_threads = 1
    if (dense / "masks").is_dir():
        options.mask_path = dense / "masks"
    limit = OF_MEMORY * memory_gb * 2**30
    sizes = {name: _map_bytes(dense, name) for name in names}
    boxes = [one_cell(names)] if sum(sizes.values()) <= limit else cells(dense, sizes, limit)
    progress.emit("progress", "fusing depth maps")
    with scratch_folder(dense / "fusing") as part:
        vertices = np.concatenate(
            list(_fused_boxes(dense, part, boxes, sizes, min_views, memory_gb, options, progress))
        )
        if not len(vertices):
            raise UserError(
                Sentence(
                    "The photos do not agree on any dense point: take photos closer together, or ",
                    use("min_views", "2"),
                    ".",
                )
            )
        write_vertices(part / "whole.ply", vertices)
        with open(part / "whole.vis", "r+b") as file:
            file.write(len(vertices).to_bytes(8, "little"))
        for name, target in (("whole.vis", "fusion.ply.vis"), ("whole.ply", "fusion.ply")):
            sync_file(part / name)
            (part / name).replace(dense / target)
        sync_folder(dense)
    remove(dense / "stereo" / "consistency_graphs")
    return vertices


def _fused_boxes(
    dense: Path,
    part: Path,
    boxes: list[Cell],
    sizes: Mapping[str, int],
    min_views: int,
    memory_gb: float,
    options: Any,
    progress: Progress,
) -> Iterator[np.ndarray]:
    """The vertices of each box; the views of all of them are in the file whole.vis in the folder `part`."""
    listed = dense / "stereo" / "fusion.cfg"
    with open(part / "whole.vis", "wb") as visibility:
        visibility.write(bytes(8))  # the number of points, once it is known
        for number, box in enumerate(boxes):
            listed.write_text("".join(f"{name}\n" for name in box.names), "utf-8")
            options.bounding_box = (box.low, box.high)
            if sum(sizes[name] for name in box.names) > memory_gb * 2**30:
                options.use_cache = True
                options.cache_size = OF_MEMORY * memory_gb
            run_cancellable(
                lambda token: pycolmap.stereo_fusion(
                    part / "fusion.ply",
                    dense,
                    "COLMAP",
                    "",
                    "geometric",
                    options,
                    output_type="PLY",
                    cancellation_token=token,
                ),
                progress,
            )
            yield _with_views(part / "fusion.ply", part / "fusion.ply.vis", min_views, box, visibility)
            if len(boxes) > 1:
                progress.update(number + 1, len(boxes), "fusing depth maps")
    listed.write_text("".join(f"{name}\n" for name in sizes), "utf-8")


def _map_bytes(dense: Path, name: str) -> int:
    """Bytes of memory that COLMAP takes for a photo's maps."""
    size = (dense / "stereo" / "depth_maps" / f"{name}.geometric.bin").stat().st_size
    return size // 4 * BYTES_PER_PIXEL


def _with_views(ply: Path, visibility: Path, min_views: int, box: Cell, target: IO[bytes]) -> np.ndarray:
    """The vertices in the box that at least `min_views` photos see; their views are appended to `target`.

    COLMAP's own limit counts pixels, several of which may be in one photo.
    """
    vertices = read_vertices(ply)
    counts = np.zeros(len(vertices), np.uint8)
    inside = box.contains(np.stack([vertices[name] for name in "xyz"], axis=1))
    done = 0
    for block, words in visibility_blocks(visibility):
        part = slice(done, done + len(block))
        if part.stop > len(vertices):
            break
        inside[part] &= block >= min_views
        target.write(words[np.repeat(inside[part], block + 1)].tobytes())
        counts[part] = np.minimum(block, 255)
        done = part.stop
    if done != len(vertices):
        raise UserError(f"{ply} and {visibility} do not match: run the dense stage again.")
    return with_column(vertices[inside], "views", counts[inside])


def read_visibility(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """COLMAP's .vis file: the number of views of each point, and all words (for each point n, then n ids).

    FileFormatError if the file is damaged.
    """
    none = np.zeros(0, np.int64), np.zeros(0, np.uint32)
    counts, words = zip(none, *visibility_blocks(path), strict=True)
    return np.concatenate(counts), np.concatenate(words)


def visibility_blocks(path: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The same, some points at a time: the whole takes as much memory as the cloud."""
    wrong = FileFormatError(path, "its number of points does not match its length")
    try:
        with open_regular(path) as file:
            remaining = int.from_bytes(file.read(8), "little")
            words = np.zeros(0, "<u4")
            while part := file.read(BLOCK):
                words = np.concatenate([words, np.frombuffer(part, "<u4", len(part) // 4)])
                counts = _whole_entries(words)
                used = sum(counts) + len(counts)
                if len(part) % 4 or not 0 < len(counts) <= remaining:
                    raise wrong
                remaining -= len(counts)
                yield np.array(counts, np.int64), words[:used]
                words = words[used:]
            if remaining or len(words):
                raise wrong
    except OSError as error:
        raise FileFormatError(path, error.strerror or "it does not exist") from error


def _whole_entries(words: np.ndarray) -> list[int]:
    """The number of views of each point whose entry is complete."""
    plain, place, counts = words.tolist(), 0, []
    # Each entry says where the next one begins, which numpy cannot vectorize.
    while place < len(plain) and place + plain[place] < len(plain):
        counts.append(plain[place])
        place += plain[place] + 1
    return counts
