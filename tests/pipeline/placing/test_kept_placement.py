"""A model's scale and placement also apply to the model computed from the same photos again."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from blender_recon3d.pipeline.placing.kept_placement import old_from_new

TURN = Rotation.from_rotvec([0.3, -1.2, 0.7]).as_matrix()
SCALE, SHIFT = 3.5, np.array([4.0, -5, 6])
EXPECTED = np.vstack([np.column_stack([SCALE * TURN, SHIFT]), [0, 0, 0, 1]])


def poses(centers: np.ndarray, seed: int = 0) -> dict[str, np.ndarray]:
    turns = Rotation.random(len(centers), random_state=seed).as_matrix()
    return {
        f"{number}.jpg": np.column_stack([turns[number], centers[number]]) for number in range(len(centers))
    }


def seen_from_old(new: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        name: np.column_stack([TURN @ p[:, :3], SCALE * TURN @ p[:, 3] + SHIFT]) for name, p in new.items()
    }


SPACE = np.random.default_rng(1).normal(size=(8, 3))
LINE = np.arange(5)[:, None] * np.array([[1.0, 2, 3]])


@pytest.mark.parametrize("centers", [SPACE, LINE, LINE[:2]], ids=["space", "line", "two"])
def test_the_frames_are_found_again(centers):
    new = poses(centers)
    assert old_from_new(seen_from_old(new), new) == pytest.approx(EXPECTED, abs=1e-9)


def test_photos_added_removed_or_misplaced_do_not_matter():
    new = poses(SPACE)
    old = seen_from_old(new)
    old["gone.jpg"] = old.pop("0.jpg")
    old["1.jpg"] = old["1.jpg"] + 50
    assert old_from_new(old, new) == pytest.approx(EXPECTED, abs=1e-6)


def test_other_photos_under_the_same_names_are_not_mistaken_for_the_old_ones():
    old = poses(np.random.default_rng(9).normal(size=(8, 3)), seed=5)
    assert old_from_new(old, poses(SPACE)) is None
    assert old_from_new({}, poses(SPACE)) is None
