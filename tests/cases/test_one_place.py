"""Photos from a tripod are told from photos of a flat ground: both are related by homographies."""

import numpy as np
from scipy.spatial.transform import Rotation

from blender_recon3d.pipeline.sfm.pure_rotation import OFF, off_rotation

SIZE, FOCAL = (800, 600), 700.0
K = np.array([[FOCAL, 0, 400], [0, FOCAL, 300], [0, 0, 1.0]])


def homographies(step: float) -> list[np.ndarray]:
    """Of photos that turn, and move by `step` times the distance of a plane that they look straight at."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(9):
        turn = Rotation.from_rotvec(np.radians(random.normal(0, 10, 3))).as_matrix()
        move = np.outer(random.normal(0, step, 3), [0, 0, 1.0])
        found.append(random.uniform(0.5, 2) * K @ (turn + move) @ np.linalg.inv(K))
    return found


def test_a_turning_camera_is_told_from_one_that_moves_over_a_plane():
    assert off_rotation(homographies(0.0), SIZE) < 0.5 * OFF
    assert off_rotation(homographies(0.2), SIZE) > 3 * OFF
