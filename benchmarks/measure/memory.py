"""How peak memory grows with the number of photos, and an extrapolation to 1,000 photos.

    python -m benchmarks.measure.memory [--photos DIR] [--counts 8 16] [--features sift] [--weights DIR] [--until sfm]
                                [--markdown benchmarks/results/memory.md]

Runs `recon3d run` on the first 8, 16 and 32 photos of DIR, each in a separate process, with as many pairs per photo as
retrieval gives for a large capture (`--window` neighbors on either side), and fits a line through each stage's peak
memory. If DIR has fewer photos, they are repeated, slightly cropped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.common.places import ROOT
from benchmarks.common.show_table import show_table
from blender_recon3d.pipeline.documents.codec import encode
from blender_recon3d.pipeline.photos.extensions import EXTENSIONS
from blender_recon3d.pipeline.photos.image_files import open_photo, upright_rgb
from blender_recon3d.pipeline.stage import STAGES
from blender_recon3d.pipeline.workspace import Workspace

RECKONED_PHOTOS = 1000  # photos of the extrapolation
SIZE = 1600  # their longest side, pixels


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--photos", type=Path, default=ROOT.parent / "shared" / "data" / "captures" / "buddha" / "photos"
    )
    parser.add_argument("--counts", type=int, nargs="+", default=[8, 16, 32])
    parser.add_argument("--features", choices=("sift", "learned"), default="sift")
    parser.add_argument("--weights", default="bundled")
    parser.add_argument("--until", choices=STAGES, default="matches")
    parser.add_argument(
        "--window", type=int, default=10, help="photos on either side that a photo is paired with"
    )
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    options = parser.parse_args()
    if len(set(options.counts)) < 2:
        parser.error("a slope needs at least two counts")
    runs = []
    with tempfile.TemporaryDirectory() as scratch:
        for count in sorted(set(options.counts)):
            folder = Path(scratch) / str(count)
            copy_photos(options.photos, folder / "photos", count)
            runs.append((count, run(folder / "photos", folder / "out", options)))
            print(
                count, {name: entry["peak_memory_mb"] for name, entry in runs[-1][1].items()}, file=sys.stderr
            )
    text = markdown(runs, options)
    show_table("Memory and the number of photos", text, options.markdown)
    return 0


def copy_photos(source: Path, target: Path, count: int) -> None:
    """`count` photos of one size, SIZE pixels at most; repeated ones lose a few rows of pixels, to differ."""
    files = sorted(path for path in source.iterdir() if path.suffix.lower() in EXTENSIONS)
    if not files:
        raise SystemExit(f"No photos in {source}: give --photos.")
    target.mkdir(parents=True)
    for number in range(count):
        with open_photo(files[number % len(files)]) as image:
            photo = upright_rgb(image)
        photo.thumbnail((SIZE, SIZE))
        again = number // len(files)
        if again:
            photo = photo.crop((0, 4 * again, photo.width, photo.height)).resize(
                photo.size, Image.Resampling.BILINEAR
            )
        photo.save(target / f"{number:04d}.jpg", quality=92)


def run(photos: Path, out: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The entries of stages in state.json, by name."""
    listed = out.with_name("pairs.txt")
    names = sorted(path.name for path in photos.iterdir())
    listed.write_text(
        "".join(
            f"{first} {second}\n"
            for number, first in enumerate(names)
            for second in names[number + 1 : number + 1 + options.window]
        )
    )
    command = [sys.executable, "-m", "blender_recon3d.pipeline", "run", str(photos), "-o", str(out)]
    command += ["--features", options.features, "--weights", options.weights, "--until", options.until]
    command += ["--pairs", str(listed), "--keep-blurred", "--device", "cpu"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"recon3d failed: {done.stderr.strip()[-500:]}")
    found: dict[str, Any] = encode(Workspace(out).read_state().stages)
    return found


def markdown(runs: list[tuple[int, dict[str, Any]]], options: argparse.Namespace) -> str:
    counts = [count for count, _ in runs]
    lines = [
        "| stage | "
        + " | ".join(f"{count} photos" for count in counts)
        + f" | a photo | {RECKONED_PHOTOS:,} photos |",
        "|---|" + "---|" * (len(counts) + 2),
    ]
    for name in runs[0][1]:
        peaks = [entries[name]["peak_memory_mb"] for _, entries in runs]
        slope, start = np.polyfit(counts, peaks, 1)
        reckoned = max(start + slope * RECKONED_PHOTOS, max(peaks))
        cells = " | ".join(f"{peak:,} MB" for peak in peaks)
        lines.append(f"| {name} | {cells} | {slope:+.1f} MB | {reckoned / 1024:.1f} GB |")
    pairs = 2 * options.window
    note = (
        f"Peak resident memory of the process, {options.features}, {SIZE} px, {pairs} pairs a photo, CPU. The last "
        "column is the straight line through the measured figures, never less than the largest of them."
    )
    return "\n".join([*lines, "", note, ""])


if __name__ == "__main__":
    sys.exit(main())
