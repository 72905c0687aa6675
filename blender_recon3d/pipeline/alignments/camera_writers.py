"""Camera formats and their writers, without the code that reads a workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .camera_alignment import Alignment
from .writers import (
    write_bundler,
    write_meshroom,
    write_metashape,
    write_nvm,
    write_realityscan,
    write_transforms,
)

WRITERS: dict[str, Callable[[Path, Alignment], None]] = {
    "metashape": write_metashape.write,
    "realityscan": write_realityscan.write,
    "meshroom": write_meshroom.write,
    "nerfstudio": write_transforms.write,
    "instant-ngp": write_transforms.write,
    "bundler": write_bundler.write,
    "nvm": write_nvm.write,
}
