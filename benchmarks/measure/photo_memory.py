"""Peak memory of examining one photo, for each format: bytes per pixel, next to what is reserved for it.

    python -m benchmarks.measure.photo_memory [--side 6000] [--markdown benchmarks/results/photo_memory.md]

Each photo is generated, and examined in a separate process (Linux: its VmHWM).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

from benchmarks.common.places import ROOT
from blender_recon3d.pipeline.photos.image_files import open_photo
from blender_recon3d.pipeline.photos.pixel_budget import bytes_needed

TILE = 500  # pixels of noise that is repeated
KINDS = {
    "PNG, RGB": ("RGB", "PNG", {}),
    "PNG, RGBA": ("RGBA", "PNG", {}),
    "PNG, 16 bits": ("I;16", "PNG", {}),
    "PNG, gray": ("L", "PNG", {}),
    "JPEG": ("RGB", "JPEG", {}),
    "JPEG, progressive": ("RGB", "JPEG", {"progressive": True}),
    "TIFF": ("RGB", "TIFF", {}),
    "TIFF, LZW, RGBA": ("RGBA", "TIFF", {"compression": "tiff_lzw"}),
    "WebP": ("RGB", "WEBP", {}),
    "HEIC": ("RGB", "HEIF", {}),
}
LOOK = """
import sys
from pathlib import Path
from blender_recon3d.pipeline.photos.photo_quality import examine
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024
examine(Path(sys.argv[1]))  # a small one: what is loaded once is not the photo's
before = peak()
found = examine(Path(sys.argv[2]))
print(peak() - before, found.reason)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=6000, help="of the square photo, pixels")
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    chosen = parser.parse_args()
    pillow_heif.register_heif_opener()
    lines = ["| photo | bytes a pixel, measured | reserved |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        for name, (mode, kind, options) in KINDS.items():
            small, large = Path(folder) / "small", Path(folder) / "large"
            made(mode, TILE).save(small, kind, **options)
            made(mode, chosen.side).save(large, kind, **options)
            lines.append(
                f"| {name} | {measured(small, large, chosen.side)} | {reserved(large, chosen.side)} |"
            )
    text = "\n".join([*lines, "", f"Square photos of {chosen.side} pixels.", ""])
    sys.stdout.write(text)
    if chosen.markdown:
        chosen.markdown.write_text(text, "utf-8")
    return 0


def made(mode: str, side: int) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (TILE, TILE, 4), np.uint8)
    repeats = -(-side // TILE)
    pixels = np.tile(noise, (repeats, repeats, 1))[:side, :side]
    if mode == "I;16":
        return Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    return Image.fromarray(pixels, "RGBA").convert(mode)


def measured(small: Path, large: Path, side: int) -> str:
    words = [sys.executable, "-c", LOOK, str(small), str(large)]
    count, _, reason = subprocess.run(
        words, capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.partition(" ")
    return reason.strip() or f"{int(count) / side**2:.1f}"


def reserved(path: Path, side: int) -> str:
    with open_photo(path) as image:
        count = bytes_needed(image.format or "", side, side, bool(image.info.get("progressive")))
    return f"{count / side**2:.0f}"


if __name__ == "__main__":
    sys.exit(main())
