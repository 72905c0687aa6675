"""Gradient noise and cellular noise on arrays of points: what the demo's relief is made of. Numpy only."""

import numpy as np

_GRADIENTS = np.array(
    [
        *[(1, 1, 0), (-1, 1, 0), (1, -1, 0), (-1, -1, 0), (1, 0, 1), (-1, 0, 1), (1, 0, -1), (-1, 0, -1)],
        *[(0, 1, 1), (0, -1, 1), (0, 1, -1), (0, -1, -1), (1, 1, 0), (-1, 1, 0), (0, -1, 1), (0, -1, -1)],
    ],
    dtype=np.float32,
)


def _hash(cells: np.ndarray, seed: int) -> np.ndarray:
    """One well-mixed uint32 for each row of integers, (N, D) -> (N,)."""
    value = np.full(len(cells), (seed * 0x9E3779B9 + 0x7F4A7C15) & 0xFFFFFFFF, dtype=np.uint32)
    for axis in range(cells.shape[1]):
        value ^= cells[:, axis].astype(np.int32).view(np.uint32)
        value *= np.uint32(0x85EBCA6B)
        value ^= value >> np.uint32(13)
        value *= np.uint32(0xC2B2AE35)
        value ^= value >> np.uint32(16)
    return value


def noise(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """Perlin's improved gradient noise with features of size 1; (N, 3) -> (N,), about -1 to 1."""
    points = np.asarray(points, np.float32)
    corner = np.floor(points)
    f = points - corner
    corner = corner.astype(np.int32)
    fade = f * f * f * (f * (f * 6 - 15) + 10)
    total = np.zeros(len(points), np.float32)
    for offset in np.ndindex(2, 2, 2):
        gradient = _GRADIENTS[_hash(corner + np.array(offset, np.int32), seed) & 15]
        weight = np.prod(np.where(np.array(offset, bool), fade, 1 - fade), axis=1)
        total += weight * np.einsum("ij,ij->i", gradient, f - np.array(offset, np.float32))
    return total


def fbm(points: np.ndarray, size: float, octaves: int = 4, seed: int = 0, gain: float = 0.5) -> np.ndarray:
    """Fractal sum of noise, the largest features `size` meters wide; (N, 3) -> (N,), about -1 to 1."""
    total = np.zeros(len(points), np.float32)
    for octave in range(octaves):
        total += gain**octave * noise(points * (2.03**octave / size) + 17.3 * octave, seed + octave)
    return total


def cells(points: np.ndarray, size: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cellular (Worley) noise in two or three dimensions with one jittered seed a grid cell.

    points: (N, D) in meters. Returns (N,) arrays: distance to the nearest seed and to the second nearest, in
    units of `size`, and a random number in 0..1 that belongs to the nearest seed's cell.
    """
    scaled = np.asarray(points, np.float32) / size
    home = np.floor(scaled).astype(np.int32)
    first = np.full(len(scaled), 9.0, np.float32)
    second = first.copy()
    identity = np.zeros(len(scaled), np.float32)
    for offset in np.ndindex(*(3,) * scaled.shape[1]):
        cell = home + (np.array(offset, np.int32) - 1)
        seeds = cell + np.stack(
            [
                0.08 + 0.84 * _hash(cell, seed + 11 * axis) / np.float32(2**32)
                for axis in range(cell.shape[1])
            ],
            1,
        )
        distance = np.linalg.norm(scaled - seeds, axis=1).astype(np.float32)
        nearer = distance < first
        second = np.where(nearer, first, np.minimum(second, distance))
        identity = np.where(nearer, _hash(cell, seed + 101) / np.float32(2**32), identity)
        first = np.where(nearer, distance, first)
    return first, second, identity


def step(low: float, high: float, value: np.ndarray) -> np.ndarray:
    """Smooth step from 0 at `low` to 1 at `high`."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
