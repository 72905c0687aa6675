"""UV unwrapping: charts and their positions in the texture, by xatlas (Jonathan Young, MIT).

In a separate process, which can be killed: xatlas cannot be cancelled.

python -m <package>.texturing.unwrap INPUT OUTPUT
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import UserError
from ..events import Progress
from ..system.child import child_main, run_module
from ..wording import Sentence, option

# xatlas's time grows faster than the number of faces: 200,000 take a quarter of a minute of a core in pieces of this
# size, and minutes as a whole (benchmarks.measure.texture_uvs); stretch and fill are good (results/texture_uvs.md).
PIECE_FACES = 3000
PIECES_PER_TILE = 4  # so that tiles get about as much of the surface
# Charts are packed on a coarse grid, which is quick, and GAP cells apart: 4 texels of a texture of 4096.
GRID, GAP = 1024, 1


@dataclass(frozen=True)
class Unwrapped:
    """A mesh with UVs: vertices on the seams between charts are repeated for each chart.

    source [V'] the mesh's vertex of which each is a copy; faces [F, 3] of these vertices, in the mesh's order; uv [V',
    2] in 0..1, v upwards, as in OBJ and Blender (in glTF v points downwards). tiles: of the texture, as in UDIM: u is
    in 0..tiles, and no face in two of them.
    """

    source: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    tiles: int = 1


def unwrap(
    vertices: np.ndarray,
    faces: np.ndarray,
    fineness: np.ndarray,
    scratch: Path,
    progress: Progress,
    tiles: int = 1,
) -> Unwrapped:
    """UVs of triangles [F, 3] over vertices [V, 3]; scratch: an existing folder for two files.

    fineness [F], above 0: texels per length on each face, relative to other faces. tiles: at most so many are used.

    Raises Cancelled after killing the child, and UserError when xatlas fails.
    """
    source, target = scratch / "unwrap-in.npz", scratch / "unwrap-out.npz"
    np.savez(
        source,
        vertices=vertices.astype(np.float32),
        faces=faces.astype(np.uint32),
        fineness=fineness,
        tiles=np.array(tiles),
    )
    ended = run_module(__name__, [str(source), str(target)], progress, "Unwrapping the mesh")
    if ended.out_of_memory:
        raise UserError(
            Sentence(
                "Out of memory while unwrapping the mesh: use a smaller ",
                option("max_faces"),
                ", or close other programs.",
            ),
            remedy="preview",
        )
    if ended.code != 0 or not target.exists():
        raise UserError(
            Sentence(
                f"The mesh could not be unwrapped (xatlas ended with {ended.how}): see log.txt, or try another ",
                option("max_faces"),
                ".",
            )
        )
    with np.load(target) as arrays:
        result = Unwrapped(arrays["source"], arrays["faces"], arrays["uv"], int(arrays["tiles"]))
    source.unlink()
    target.unlink()
    return result


def pieces_of(centers: np.ndarray, max_faces: int) -> list[np.ndarray]:
    """Faces in pieces of at most `max_faces`: their centers [F, 3] repeatedly halved across the longest side."""
    done, open_ = [], [np.arange(len(centers))]
    while open_:
        piece = open_.pop()
        if len(piece) <= max_faces:
            done.append(piece)
            continue
        axis = int(np.argmax(np.ptp(centers[piece], axis=0)))
        half = len(piece) // 2
        piece = piece[np.argpartition(centers[piece, axis], half)]
        open_ += [piece[half:], piece[:half]]
    return done


def in_tiles(pieces: list[np.ndarray], needed: np.ndarray, tiles: int) -> list[list[np.ndarray]]:
    """Pieces for each tile, neighbors together, so that all tiles get about as much of `needed` [F], each face's share
    of the texture; tiles without a piece are left out."""
    amount = np.array([float(needed[piece].sum()) for piece in pieces])
    middle = (np.cumsum(amount) - amount / 2) / max(float(amount.sum()), 1e-30)
    own = np.minimum((middle * tiles).astype(int), tiles - 1)
    groups = [[piece for piece, tile in zip(pieces, own, strict=True) if tile == k] for k in range(tiles)]
    return [group for group in groups if group]


def _lay_out(vertices: np.ndarray, faces: np.ndarray, fineness: np.ndarray, tiles: int) -> Unwrapped:
    corners = vertices[faces]
    size = min(PIECE_FACES, max(1, len(faces) // (PIECES_PER_TILE * tiles))) if tiles > 1 else PIECE_FACES
    pieces = pieces_of(corners.mean(axis=1), size)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    groups = in_tiles(pieces, area * fineness**2, tiles)
    sources, uvs, count = [], [], 0
    laid = np.empty_like(faces, dtype=np.int32)
    for tile, group in enumerate(groups):
        for piece, source, local, uv in _packed(vertices, faces, fineness, group):
            laid[piece] = local.astype(np.int32) + count
            sources.append(source)
            uvs.append(uv + np.array([tile, 0], uv.dtype))
            count += len(uv)
    return Unwrapped(np.concatenate(sources).astype(np.int32), laid, np.concatenate(uvs), len(groups))


def _packed(
    vertices: np.ndarray, faces: np.ndarray, fineness: np.ndarray, pieces: list[np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Each piece with the sources [N] and UVs [N, 2] of its vertices, and its faces over these."""
    import xatlas

    atlas = xatlas.Atlas()
    used = []
    for piece in pieces:
        own, local = np.unique(faces[piece], return_inverse=True)
        # All charts get the same texels per unit of length: faces that deserve more are laid out larger.
        atlas.add_mesh(
            vertices[own] * np.float32(fineness[piece].mean()), local.reshape(-1, 3).astype(np.uint32)
        )
        used.append(own)
    packing = xatlas.PackOptions()
    packing.resolution, packing.padding = GRID, GAP
    atlas.generate(xatlas.ChartOptions(), packing, False)
    for number, (piece, own) in enumerate(zip(pieces, used, strict=True)):
        source, local, uv = atlas.get_mesh(number)
        yield piece, own[source], local, uv


def _work(arguments: list[str]) -> None:
    source, target = arguments
    with np.load(source) as arrays:
        result = _lay_out(arrays["vertices"], arrays["faces"], arrays["fineness"], int(arrays["tiles"]))
    np.savez(target, source=result.source, faces=result.faces, uv=result.uv, tiles=np.array(result.tiles))


if __name__ == "__main__":
    child_main(_work)
