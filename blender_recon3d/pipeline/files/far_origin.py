"""Models and clouds in map coordinates (UTM and the like) brought near the origin: Blender, and the mesher, compute in
single precision, which at five million meters is half a meter. The offset is kept in double, and what is exported has
it again. numpy only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..text import Said

FAR = 300.0  # times the cameras' spread: nearer, single precision is good to a ten-thousandth of it


def offset_of(centers: np.ndarray) -> np.ndarray:
    """float64 [3], a round number near the middle of cameras or points [N, 3]; zeros where they are not far."""
    centers = centers[np.isfinite(centers).all(axis=1)]
    if len(centers) < 2:
        return np.zeros(3)
    middle = np.median(centers, axis=0)
    spread = float(np.median(np.linalg.norm(centers - middle, axis=1)))
    if not spread > 0 or np.linalg.norm(middle) < FAR * spread:
        return np.zeros(3)
    step = 10.0 ** np.floor(np.log10(spread))
    return np.round(middle / step) * step


def note(offset: Sequence[float] | np.ndarray, z_up: bool = False) -> Said:
    """What was done to a model, for the user. z_up: whether its z was taken as up too."""
    if z_up:
        return Said(
            "The model lies far from the origin, as map coordinates do: {offset} was taken off, so that nothing is "
            "lost to single precision. Exported cameras have it again. z is taken as up.",
            offset=_listed(offset),
        )
    return Said(
        "The model lies far from the origin, as map coordinates do: {offset} was taken off, so that nothing is lost "
        "to single precision. Exported cameras have it again.",
        offset=_listed(offset),
    )


def mesh_note(offset: Sequence[float] | np.ndarray) -> str:
    """What was done to a cloud that a mesh is made of."""
    return (
        f"The cloud lies far from the origin, as map coordinates do: {_listed(offset)} was taken off, so that nothing "
        "is lost to single precision. The mesh has it again."
    )


def shared_note(offset: Sequence[float] | np.ndarray) -> str:
    """What was done to a cloud in the map coordinates that the cameras came in."""
    return (
        f"The cloud is in the map coordinates of the cameras: {_listed(offset)} was taken off here too, so that photos "
        "and mesh fit."
    )


def alignment_note(offset: Sequence[float] | np.ndarray) -> str:
    """What was done to the cameras of another program."""
    return (
        f"The cameras lie far from the origin, as map coordinates do: {_listed(offset)} was taken off, so that nothing "
        "is lost to single precision. Exported cameras and LAS clouds have it again, meshes do not."
    )


def _listed(offset: Sequence[float] | np.ndarray) -> str:
    return ", ".join(f"{value:.12g}" for value in offset)


def moved(world_from_model: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """The placement [4, 4] of a model whose coordinates have lost the offset."""
    shift = np.eye(4)
    shift[:3, 3] = offset
    return np.asarray(world_from_model @ shift)
