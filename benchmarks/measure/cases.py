"""Inputs as users send them: each case, its error against the truth, and the engine's messages, in one table.

    python -m benchmarks.measure.cases --scratch DIR [--only NAME ...] [--markdown benchmarks/results/cases.md]

DIR keeps photos and workspaces, so the same command continues after an interruption.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.cases import cameras, inputs
from benchmarks.cases.case import PHOTOS, Case, markdown, run_case

HEAD = """# Inputs as people send them

Each case is made from half of the demo's photos (14) and runs to the cameras at preview quality with SIFT at 600
pixels, but for the one with photos upside down, which has the learned front-end. The error is that of the camera
centers, in percent of the demo's subject. Made by
`python -m benchmarks.measure.cases --scratch DIR --markdown benchmarks/results/cases.md`.

"""
CASES: tuple[Case, ...] = (*inputs.CASES, *cameras.CASES)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scratch", type=Path, required=True, help="a folder for photos and workspaces")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some cases, by their names in the table")
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    options = parser.parse_args()
    unknown = set(options.only or ()) - {case.name for case in CASES}
    if unknown:
        parser.error(f"no case is called {', '.join(sorted(unknown))}")
    if not any(PHOTOS.glob("*.jpg")):
        parser.error(f"{PHOTOS} holds no photos: run make demo first")
    rows = []
    for case in CASES:
        if not options.only or case.name in options.only:
            rows.append((case, run_case(case, options.scratch.absolute())))
            sys.stdout.write(f"{case.name}: exit code {rows[-1][1].exit_code}\n")
            sys.stdout.flush()
    text = markdown(rows)
    if left := [case.name for case in CASES if options.only and case.name not in options.only]:
        text += f"\nNot in this run: {', '.join(left)}.\n"
    sys.stdout.write("\n" + text)
    if options.markdown:
        options.markdown.write_text(HEAD + text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
