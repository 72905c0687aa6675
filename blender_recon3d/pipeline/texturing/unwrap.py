"""UV unwrapping: charts and their positions in the texture, by xatlas (Jonathan Young, MIT).

In a separate process, which can be killed: xatlas cannot be cancelled.

python -m <package>.texturing.unwrap INPUT OUTPUT
"""

from __future__ import annotations

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
# Charts are packed on a coarse grid, which is quick, and GAP cells apart: 4 texels of a texture of 4096.
GRID, GAP = 1024, 1


@dataclass(frozen=True)
class Unwrapped:
    """A mesh with UVs: vertices on the seams between charts are repeated for each chart.

    source [V'] the mesh's vertex of which each is a copy; faces [F, 3] of these vertices, in the mesh's order; uv [V',
    2] in 0..1, v upwards, as in OBJ and Blender (in glTF v points downwards).
    """

    source: np.ndarray
    faces: np.ndarray
    uv: np.ndarray


def unwrap(
    vertices: np.ndarray, faces: np.ndarray, fineness: np.ndarray, scratch: Path, progress: Progress
) -> Unwrapped:
    """UVs of triangles [F, 3] over vertices [V, 3]; scratch: an existing folder for two files.

    fineness [F], above 0: texels per length on each face, relative to other faces.

    Raises Cancelled after killing the child, and UserError when xatlas fails.
    """
    source, target = scratch / "unwrap-in.npz", scratch / "unwrap-out.npz"
    np.savez(source, vertices=vertices.astype(np.float32), faces=faces.astype(np.uint32), fineness=fineness)
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
        result = Unwrapped(arrays["source"], arrays["faces"], arrays["uv"])
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


def _lay_out(vertices: np.ndarray, faces: np.ndarray, fineness: np.ndarray) -> Unwrapped:
    import xatlas

    pieces = pieces_of(vertices[faces].mean(axis=1), PIECE_FACES)
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
    sources, uvs, count = [], [], 0
    laid = np.empty_like(faces, dtype=np.int32)
    for number, (piece, own) in enumerate(zip(pieces, used, strict=True)):
        source, local, uv = atlas.get_mesh(number)
        laid[piece] = local.astype(np.int32) + count
        sources.append(own[source])
        uvs.append(uv)
        count += len(uv)
    return Unwrapped(np.concatenate(sources).astype(np.int32), laid, np.concatenate(uvs))


def _work(arguments: list[str]) -> None:
    source, target = arguments
    with np.load(source) as arrays:
        result = _lay_out(arrays["vertices"], arrays["faces"], arrays["fineness"])
    np.savez(target, source=result.source, faces=result.faces, uv=result.uv)


if __name__ == "__main__":
    child_main(_work)
