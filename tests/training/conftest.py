"""Tests of training run in the engine's environment."""

import pytest

pytest.importorskip("torch", reason="the engine's environment has torch; Blender's has not")
pytest.importorskip("cv2", reason="the engine's environment has OpenCV; Blender's has not")

import torch

# Many threads on a few busy cores spend more time waiting than working.
torch.set_num_threads(1)
