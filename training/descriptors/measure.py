"""Measures trained descriptors: python -m training.descriptors.measure WEIGHTS --data DATA --cache CACHE

The same measures as the training's validation, for weights from elsewhere, such as a GPU that trains without the cache.
CACHE: written by training.descriptors.cache; only its list "held" is needed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from safetensors.torch import load_file

from blender_recon3d.pipeline.models.aliked_descriptors import AlikedDescriptors

from ..photos import load_held_out
from .cache import SUPERPOINT
from .network import load_superpoint
from .train import describer
from .validation import Validation


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, required=True)
    options = parser.parse_args()
    superpoint = load_superpoint(SUPERPOINT)
    held_out = load_held_out(options.data)
    validation = Validation(superpoint, options.cache, held_out, options.data / "captures")
    for path in options.weights:
        network = AlikedDescriptors()
        network.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
        values = validation.measure(describer(superpoint, network.eval()))
        print(json.dumps({"weights": str(path), **{key: round(value, 5) for key, value in values.items()}}))


if __name__ == "__main__":
    main()
