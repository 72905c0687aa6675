"""The manual's pictures, made from the scenarios' screenshots: python tests/gui/docs_pictures.py PICTURES

PICTURES is the folder that RECON3D_PICTURES named. Run with the engine's Python.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
# Of the screen of 1600 x 1000 pixels: left, top, right, bottom.
VIEW = (0, 26, 1315, 905)
PANEL = (1020, 85, 1315, 540)
PICTURES = {
    "set-up": ("engine/2-asked.png", (560, 85, 1315, 420)),
    "photos": ("demo/1-photos.png", PANEL),
    "live": ("demo/4-live.png", (0, 26, 1025, 905)),  # without the sidebar
    "result": ("demo/5-result.png", VIEW),
    "review": ("demo/6-review.png", VIEW),
    "asset-panels": ("asset/asset-panels.png", (1028, 84, 1285, 802)),
}


def main(folder: Path) -> int:
    for name, (source, (left, top, right, bottom)) in PICTURES.items():
        pixels = cv2.imread(str(folder / source))
        if pixels is None:
            print(
                f"{folder / source} is not there: play the scenarios first (make test-gui).", file=sys.stderr
            )
            return 1
        target = IMAGES / f"{name}.jpg"
        cv2.imwrite(str(target), pixels[top:bottom, left:right], [cv2.IMWRITE_JPEG_QUALITY, 82])
        print(f"{target} {target.stat().st_size // 1024} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
