"""Tangents of a textured mesh, as MikkTSpace defines them (Mikkelsen 2008): what tangent-space normal maps refer to."""

from __future__ import annotations

import numpy as np


def tangents(positions: np.ndarray, normals: np.ndarray, uv: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit tangents along u and the sign of the bitangent, float32 [V, 4], as in glTF: the bitangent, toward greater v
    (upward), is sign * cross(normal, tangent).

    positions, unit normals [V, 3]; uv [V, 2], v upward; faces [F, 3]. The means of a vertex's faces, by their angles.
    """
    corners = positions[faces].astype(np.float64)
    chart = uv[faces].astype(np.float64)
    edge_1, edge_2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    (u_1, v_1), (u_2, v_2) = ((chart[:, k] - chart[:, 0]).T for k in (1, 2))
    turn = np.sign(u_1 * v_2 - u_2 * v_1)
    along = (edge_1 * v_2[:, None] - edge_2 * v_1[:, None]) * turn[:, None]
    total, sign = np.zeros((len(positions), 3)), np.zeros(len(positions))
    for corner in range(3):
        own = faces[:, corner]
        normal = normals[own].astype(np.float64)
        before, after = (
            _unit(_flattened(corners[:, (corner + step) % 3] - corners[:, corner], normal)) for step in (1, 2)
        )
        angle = np.arccos(np.clip((before * after).sum(axis=1), -1, 1))
        share = _unit(_flattened(along, normal)) * angle[:, None]
        for axis in range(3):
            total[:, axis] += np.bincount(own, share[:, axis], len(positions))
        sign += np.bincount(own, angle * turn, len(positions))
    lost = np.linalg.norm(total, axis=1) < 1e-12
    if lost.any():  # no face with an area in the texture
        helper = np.eye(3)[np.abs(normals[lost]).argmin(axis=1)]
        total[lost] = np.cross(normals[lost], helper)
    return np.concatenate([_unit(total), np.where(sign < 0, -1.0, 1.0)[:, None]], axis=1).astype(np.float32)


def _flattened(vectors: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Vectors [N, 3] without their part along the normals [N, 3]."""
    return vectors - (vectors * normals).sum(axis=1, keepdims=True) * normals


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
