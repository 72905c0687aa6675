"""The accuracy of LightGlue's first look at a pair: which pairs it skips, and which of those would have been verified.

    recon3d run PHOTOS -o OUT --until matches --features superpoint-lightglue --first-keypoints 0
    python -m benchmarks.measure.first_look OUT [OUT ...] [--keypoints 512] [--agree 6 8 10 12 15]
                                  [--output benchmarks/results/first_look.md]

OUT: workspaces whose pairs were all matched with all keypoints. True pairs: verified by at least --true matches, since
those with fewer are wrong as often as right. Second looks, for photos with few other pairs, are not counted. Time: CPU
seconds of a look.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.common.show_table import show_table
from benchmarks.matching.sections import table
from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.database import image_ids, open_database, pair_counts, read_pairs
from blender_recon3d.pipeline.colmap.pair_blocks import by_tiles
from blender_recon3d.pipeline.models.first_look import FirstLook
from blender_recon3d.pipeline.models.matcher import LightGlueMatcher
from blender_recon3d.pipeline.workspace import Workspace

BLOCK = 8  # pairs at once


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workspaces", type=Path, nargs="+", metavar="OUT")
    parser.add_argument("--weights", default="bundled")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--keypoints", type=int, default=512)
    parser.add_argument("--agree", type=int, nargs="+", default=[6, 8, 10, 12, 15])
    parser.add_argument("--true", type=int, default=30, help="fewest verified matches of a true pair")
    parser.add_argument("--output", type=Path, help="write the table here too")
    options = parser.parse_args()
    rows = [row for root in options.workspaces for row in rows_of(Workspace(root), options)]
    header = [
        "capture",
        "pairs",
        "true",
        "CPU s a look",
        "must agree",
        "passed over",
        "true ones among them: matches",
    ]
    text = (
        f"LightGlue, {options.keypoints} keypoints of each photo; true pairs: at least {options.true} verified "
        "matches with all keypoints.\n\n" + table(header, rows)
    )
    show_table("LightGlue's first look", text, options.output)
    return 0


def rows_of(workspace: Workspace, options: argparse.Namespace) -> list[list[str]]:
    matcher = LightGlueMatcher(options.weights, options.device)
    verification = pycolmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = 0
    look = FirstLook(matcher, workspace, options.keypoints, min(options.agree), verification)
    pairs = by_tiles(read_pairs(workspace.pairs))
    start = time.process_time()
    for first in range(0, len(pairs), BLOCK):
        look.promising(pairs[first : first + BLOCK])
    seconds = (time.process_time() - start) / max(len(pairs), 1)
    with open_database(workspace.database) as database:
        ids = image_ids(database)
        counts = pair_counts(database)
    verified = {(a, b): counts.get((min(ids[a], ids[b]), max(ids[a], ids[b])), (0, 0))[1] for a, b in pairs}
    true = [pair for pair in pairs if verified[pair] >= options.true]
    rows = []
    for least in options.agree:
        over = [pair for pair in pairs if look.agreeing.get(pair, least) < least]
        lost = sorted((verified[pair] for pair in over if pair in true), reverse=True)
        first = least == options.agree[0]
        name = workspace.root.name.split(" ")[0] if first else ""
        facts = [f"{len(pairs)}", f"{len(true)}", f"{seconds:.2f}"] if first else ["", "", ""]
        rows.append(
            [
                name,
                *facts,
                f"{least}",
                f"{len(over)}",
                f"{len(lost)}: {', '.join(map(str, lost))}".rstrip(": "),
            ]
        )
    return rows


if __name__ == "__main__":
    sys.exit(main())
