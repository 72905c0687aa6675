"""How well the photos determine the intrinsics: their covariance in the bundle adjustment, points and poses eliminated.

COLMAP's own estimate fails on models whose parameters differ much in scale; here everything is scaled first.
Hartley and Zisserman 2004, appendix 6; Triggs et al. 2000, section 6.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array
from scipy.sparse.linalg import splu

from ..colmap.calls import pycolmap
from .observations import Observations, Views
from .triangulation import project_derivatives

# Observations used; a larger model is subsampled evenly by points, and the result scaled accordingly.
MAX_OBSERVATIONS = 150_000
DAMPING = (
    1e-9  # of each parameter's own information: fixes the model's position, which is otherwise undetermined
)
STEP = 1e-4  # of a parameter, for its derivative


def intrinsics_deviations(
    views: Views, observations: Observations, cameras: list[int]
) -> dict[int, np.ndarray]:
    """Standard deviations of all parameters of these cameras (indices into views.cameras), when they are adjusted
    together with all poses and points, estimated from the residuals; infinite for undetermined ones."""
    share = max(1, -(-len(observations) // MAX_OBSERVATIONS))
    chosen = np.flatnonzero(observations.point % share == 0)
    point = np.unique(observations.point[chosen], return_inverse=True)[1]
    count = int(point.max(initial=-1)) + 1
    view, pixel = observations.view[chosen], observations.pixel[chosen]
    xyz = observations.xyz[observations.point[chosen]]
    local = views.to_camera(view, xyz)
    there, by_local = project_derivatives(views, view, local)
    residual = pixel - there
    valid = np.isfinite(residual).all(axis=1) & np.isfinite(by_local).all(axis=(1, 2))
    by_local[~valid], residual[~valid] = 0, 0
    by_pose = np.concatenate([by_local @ _cross(-(local - views.translation[view])), by_local], axis=2)
    by_point = by_local @ views.rotation[view]
    by_camera, places = _by_intrinsics(views, view, local, cameras, valid)

    whiten = _whitening(by_point, point, count)
    pose = _sparse(by_pose, 6 * view, 6 * len(views.names))
    scaled_points = _sparse(np.einsum("oij,ojk->oik", by_point, whiten[point]), 3 * point, 3 * count)
    cross_pose = csr_array(scaled_points.T @ pose)
    cross_camera = scaled_points.T @ by_camera
    pose_pose = pose.T @ pose - cross_pose.T @ cross_pose
    pose_camera = pose.T @ by_camera - cross_pose.T @ cross_camera
    camera_camera = by_camera.T @ by_camera - cross_camera.T @ cross_camera

    scale = 1 / np.sqrt(np.maximum((pose.T @ pose).diagonal(), 1e-30))
    system = diags_array(scale) @ pose_pose @ diags_array(scale) + DAMPING * diags_array(np.ones(len(scale)))
    right = scale[:, None] * pose_camera
    information = camera_camera - right.T @ splu(csc_array(system)).solve(right)
    freedom = max(2 * int(valid.sum()) - 3 * count - 6 * len(views.names) - len(information), 1)
    variance = float(np.square(residual).sum()) / freedom
    deviation = np.sqrt(variance / share * _inverse_diagonal(information, np.diag(by_camera.T @ by_camera)))
    return {number: deviation[own] for number, own in places.items()}


def _by_intrinsics(
    views: Views, view: np.ndarray, local: np.ndarray, cameras: list[int], valid: np.ndarray
) -> tuple[np.ndarray, dict[int, slice]]:
    """Derivatives [2 O, K] of the pixels by all cameras' parameters, and each camera's columns."""
    places, columns = {}, 0
    for number in cameras:
        places[number] = slice(columns, columns + len(views.cameras[number].params))
        columns += len(views.cameras[number].params)
    table = np.zeros((len(view), 2, columns))
    for number, own in places.items():
        seen = np.flatnonzero((views.camera[view] == number) & valid)
        for parameter in range(own.stop - own.start):
            ends = []
            size = STEP * max(1.0, abs(views.cameras[number].params[parameter]))
            for sign in (1, -1):
                params = views.cameras[number].params.copy()
                params[parameter] += sign * size
                ends.append(_with(views.cameras[number], params).img_from_cam(local[seen]))
            table[seen, :, own.start + parameter] = (ends[0] - ends[1]) / (2 * size)
    return np.nan_to_num(table).reshape(-1, columns), places


def _with(camera: Any, params: np.ndarray) -> Any:
    return pycolmap.Camera(model=camera.model, width=camera.width, height=camera.height, params=params)


def _whitening(by_point: np.ndarray, point: np.ndarray, count: int) -> np.ndarray:
    """A [P, 3, 3] with A A^T the inverse of each point's own information."""
    information = np.zeros((count, 3, 3))
    np.add.at(information, point, by_point.transpose(0, 2, 1) @ by_point)
    values, vectors = np.linalg.eigh(information)
    values = np.maximum(values, 1e-12 * values[:, -1:])
    with np.errstate(divide="ignore"):
        scale = np.where(values > 0, 1 / np.sqrt(values), 0)
    return vectors * scale[:, None, :]


def _inverse_diagonal(information: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Diagonal of the inverse of the remaining information; infinite along directions that have almost none."""
    scale = 1 / np.sqrt(np.maximum(own, 1e-30))
    values, vectors = np.linalg.eigh(scale[:, None] * information * scale)
    inverse = np.where(values > 1e-12, 1 / np.maximum(values, 1e-12), 1e30)
    return np.square(vectors) @ inverse * np.square(scale)


def _sparse(blocks: np.ndarray, column: np.ndarray, width: int) -> csr_array:
    """[2 O, width] from one block [O, 2, N] per observation that begins at its column [O]."""
    count, _, n = blocks.shape
    indices = np.repeat(column[:, None] + np.arange(n), 2, axis=0)
    return csr_array(
        (blocks.reshape(-1), indices.reshape(-1), np.arange(0, 2 * count * n + 1, n)),
        shape=(2 * count, width),
    )


def _cross(vectors: np.ndarray) -> np.ndarray:
    """Matrices [N, 3, 3] of the cross product with vectors [N, 3] from the left."""
    x, y, z = vectors.T
    zero = np.zeros_like(x)
    return np.stack(
        [np.stack([zero, -z, y], 1), np.stack([z, zero, -x], 1), np.stack([-y, x, zero], 1)], axis=1
    )
