"""COLMAP's meshing in a separate process: it cannot be cancelled, but a process can be killed.

python -m <package>.meshing.poisson poisson|simplify INPUT OUTPUT OPTIONS_JSON
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..events import Progress
from ..system.child import child_main, run_module
from ..wording import Sentence, option


def run_in_child(what: str, source: Path, target: Path, options: dict[str, Any], progress: Progress) -> None:
    """Run `poisson_meshing` or `simplify_mesh` with options that override COLMAP's, and wait for it.

    Raises Cancelled after killing it, or UserError when it fails or leaves no file.
    """
    arguments = [what, str(source), str(target), json.dumps(options)]
    # Threads that spin while waiting take seven times as long if other programs use the cores too.
    ended = run_module(__name__, arguments, progress, "COLMAP's meshing", OMP_WAIT_POLICY="PASSIVE")
    if ended.out_of_memory:
        raise UserError(
            Sentence(
                "Out of memory in COLMAP's meshing: use a smaller ",
                option("memory"),
                ", or crop the cloud with ",
                option("crop"),
                ".",
            ),
            remedy="preview",
        )
    if ended.code != 0 or not target.exists():
        raise UserError(
            Sentence(
                f"COLMAP's meshing ({what}) failed ({ended.how}): see log.txt, or use a smaller ",
                option("mesh_depth"),
                ".",
            )
        )


def _work(arguments: list[str]) -> None:
    from ..colmap.calls import pycolmap

    what, source, target, raw = arguments
    if what == "poisson":
        pycolmap.poisson_meshing(source, target, pycolmap.PoissonMeshingOptions(json.loads(raw)))
    else:
        pycolmap.simplify_mesh(source, target, pycolmap.MeshSimplificationOptions(json.loads(raw)))


if __name__ == "__main__":
    child_main(_work)
