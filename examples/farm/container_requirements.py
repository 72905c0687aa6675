"""Prints what a container's Python gets, as pip's requirements with checksums: the engine's lock and the farm's.

python examples/farm/container_requirements.py cpu|cuda
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from blender_recon3d.engine_setup import locks

VARIANTS = {
    "cpu": "cpu",
    "cuda": "",
}  # the label of its torch: pytorch.org's small build, or PyPI's with CUDA


def lines(variant: str) -> list[str]:
    label = VARIANTS[variant]
    chosen = []
    for entry in (*locks.read("engine"), *locks.read("farm")):
        other = entry.name in locks.BUILT_APART and entry.label != label
        without_card = variant == "cpu" and locks.needs_card(entry.name)
        if entry.is_for("linux") and not other and not without_card:
            chosen.append(entry.line)
    return chosen


if __name__ == "__main__":
    if sys.argv[1:2] not in [[variant] for variant in VARIANTS]:
        sys.exit(__doc__)
    print("\n".join(lines(sys.argv[1])))
