"""The texels on the mesh: which face each belongs to, and linear functions over the faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .raster import pixels_of_triangles, planes, ranges


@dataclass(frozen=True)
class Texels:
    """Texels by face: those of face f are start[f]:start[f + 1] in column and row (uint16, row 0 at the top).

    corners [F, 3, 2]: the faces' corners in texels.
    """

    size: int
    corners: np.ndarray
    start: np.ndarray
    column: np.ndarray
    row: np.ndarray

    def __len__(self) -> int:
        return len(self.column)

    def of_faces(self, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The indices of these faces' texels, and for each the position (0, 1, ...) of its face in `faces`."""
        which, step = ranges(self.start[faces + 1] - self.start[faces])
        return self.start[faces][which] + step, which

    def interpolate(
        self, values: np.ndarray, faces: np.ndarray, texels: np.ndarray, which: np.ndarray
    ) -> np.ndarray:
        """Values [N, 3, C] at the corners of these faces, interpolated at their texels: float32 [P, C]. See
        `of_faces`."""
        plane = planes(self.corners[faces], values).astype(np.float32)
        x = self.column[texels] + np.float32(0.5)
        y = self.row[texels] + np.float32(0.5)
        result = np.empty((len(texels), values.shape[2]), np.float32)
        for channel in range(values.shape[2]):
            a, b, c = (plane[:, channel, k][which] for k in range(3))
            result[:, channel] = a * x + b * y + c
        return result


def texels_of(uv: np.ndarray, faces: np.ndarray, size: int, tile: int = 0) -> Texels:
    """The texels of a texture of size x size whose centers are on a face; each belongs to one face.

    uv [V, 2], v upward, of the vertices of faces [F, 3]. tile: the one with u from `tile` to `tile` + 1; faces in
    others have no texels.
    """
    corners = uv[faces].astype(np.float64) - [tile, 0]
    corners = np.stack([corners[..., 0], 1 - corners[..., 1]], axis=-1) * size
    counts = np.zeros(len(corners), np.int64)
    columns, rows = [], []
    taken = np.zeros(
        (size, size), bool
    )  # charts do not overlap, but rounding may assign a texel to two faces
    for face, column, row in pixels_of_triangles(corners, size, size):
        free = ~taken[row, column]
        face, column, row = face[free], column[free], row[free]
        taken[row, column] = True
        counts += np.bincount(face, minlength=len(counts))
        columns.append(column.astype(np.uint16))
        rows.append(row.astype(np.uint16))
    start = np.concatenate([[0], np.cumsum(counts)])
    empty = np.empty(0, np.uint16)
    return Texels(size, corners, start, np.concatenate([*columns, empty]), np.concatenate([*rows, empty]))
