"""COLMAP's global mapper in a separate process: it cannot be cancelled, but a process can be killed.

python -m <package>.colmap.global_mapper DATABASE IMAGES OUTPUT OPTIONS_JSON
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..events import Progress
from ..system.child import child_main, run_module
from ..wording import Sentence, use

# Of a photo, with which cameras are placed at first; the other tracks come back when points are triangulated again.
# With all of them from the start, 100 rendered photos took twice as long, and cameras were no nearer to the truth.
# 1,000 photos were not compared.
TRACKS = 200


def run_in_child(
    database: Path, images: Path, output: Path, options: dict[str, Any], progress: Progress
) -> None:
    """Run `global_mapping` and wait for it; raises Cancelled after killing it, or UserError when it fails."""
    arguments = [str(database), str(images), str(output), json.dumps(options)]
    ended = run_module(__name__, arguments, progress, "COLMAP's global mapper")
    if ended.out_of_memory:
        raise UserError(
            Sentence(
                "Out of memory in COLMAP's global mapper: ",
                use("mapper", "incremental"),
                ", ",
                use("quality", "preview"),
                " or take fewer photos.",
            ),
            remedy="preview",
        )
    if ended.code != 0:
        raise UserError(
            Sentence(
                f"COLMAP's global mapper failed ({ended.how}): see log.txt, or ",
                use("mapper", "incremental"),
                ".",
            )
        )


def _work(arguments: list[str]) -> None:
    from .calls import pycolmap

    database, images, output, raw = arguments
    chosen = json.loads(raw)
    options = pycolmap.GlobalPipelineOptions()
    options.random_seed = chosen["seed"]
    options.num_threads = 1  # with several, the order of summation and so the rounding varies
    options.min_model_size = chosen["min_model_size"]
    options.mapper.track_required_tracks_per_view = TRACKS
    options.mapper.bundle_adjustment.refine_focal_length = chosen["refine_intrinsics"]
    options.mapper.bundle_adjustment.refine_extra_params = chosen["refine_intrinsics"]
    pycolmap.global_mapping(database, images, output, options)


if __name__ == "__main__":
    child_main(_work)
