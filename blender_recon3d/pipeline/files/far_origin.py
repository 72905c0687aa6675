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
    """float64 [3], a round number near the middle of cameras or points [N, 3]; zeros if they are not far away."""
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
    """A message on what was done to a model. z_up: whether its z was also used as up."""
    if z_up:
        return Said(
            "The model is far from the origin, as in map coordinates: {offset} was subtracted, so that no precision "
            "is lost. Exported cameras include it again. z is used as up.",
            offset=_listed(offset),
        )
    return Said(
        "The model is far from the origin, as in map coordinates: {offset} was subtracted, so that no precision is "
        "lost. Exported cameras include it again.",
        offset=_listed(offset),
    )


def mesh_note(offset: Sequence[float] | np.ndarray) -> str:
    """A message on what was done to a cloud for meshing."""
    return (
        f"The cloud is far from the origin, as in map coordinates: {_listed(offset)} was subtracted, so that no "
        "precision is lost. The mesh includes it again."
    )


def shared_note(offset: Sequence[float] | np.ndarray) -> str:
    """A message on what was done to a cloud in the cameras' map coordinates."""
    return (
        f"The cloud is in the cameras' map coordinates: {_listed(offset)} was subtracted here too, so that photos and "
        "mesh fit."
    )


def alignment_note(offset: Sequence[float] | np.ndarray) -> str:
    """A message on what was done to the cameras of another program."""
    return (
        f"The cameras are far from the origin, as in map coordinates: {_listed(offset)} was subtracted, so that no "
        "precision is lost. Exported cameras and LAS clouds include it again, meshes do not."
    )


def _listed(offset: Sequence[float] | np.ndarray) -> str:
    return ", ".join(f"{value:.12g}" for value in offset)


def moved(world_from_model: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """The placement [4, 4] of a model after the offset was subtracted from its coordinates."""
    shift = np.eye(4)
    shift[:3, 3] = offset
    return np.asarray(world_from_model @ shift)
