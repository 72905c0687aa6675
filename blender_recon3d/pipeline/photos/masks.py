"""Assign masks to photos by names and folders, and read mask files."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import ImageOps

from .extensions import MASK_EXTENSIONS
from .image_files import open_photo, upright_rgb

IS_MASK = "a mask, not a photo: put masks into a separate folder, and choose that as the folder of masks"
PURE, CONTOUR = (
    0.995,
    0.05,
)  # shares of a mask's pixels: black or white at least, and unlike the one beside at most
BLACK = 32  # of 255; darker pixels count as painted black


@dataclass
class Masks:
    """of: the mask of each photo that has one. unclear: the photos for each mask that fits several."""

    of: dict[Path, Path] = field(default_factory=dict)
    unclear: dict[Path, list[Path]] = field(default_factory=dict)


def match_masks(folder: Path, photos: list[Path]) -> Masks:
    """Find the masks of these photos in `folder`.

    The mask of a/b.jpg is named b.png, b.jpg.png as in COLMAP, or b_mask.png as in Metashape. It is in folders named
    like the photo's (the more that match, the better), or in `folder` itself. If several folders have photos of the
    same name, the mask folders must be named too.
    """
    by_name = _by_name(folder)
    claims: dict[Path, list[Path]] = defaultdict(list)
    for photo in photos:
        mask = _best(folder, photo, by_name)
        if mask is not None:
            claims[mask].append(photo)
    masks = Masks()
    for mask, members in claims.items():
        if len(members) == 1:
            masks.of[members[0]] = mask
        else:
            masks.unclear[mask] = members
    return masks


def _by_name(folder: Path) -> dict[str, list[Path]]:
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in MASK_EXTENSIONS and not path.name.startswith(".") and path.is_file():
            by_name[_plain(Path(_parts(path)[-1]).stem)].append(path)
    return by_name


def _best(folder: Path, photo: Path, by_name: dict[str, list[Path]]) -> Path | None:
    candidates = []
    *folders, name = _parts(photo)
    stem = Path(name).stem
    for order, key in enumerate((name, stem, f"{stem}_mask")):
        for mask in by_name.get(_plain(key), []):
            parents = _parts(mask.relative_to(folder))[:-1]
            if _ends_with(folders, parents):
                rank = -len(parents), order, MASK_EXTENSIONS.index(mask.suffix.lower())
                candidates.append((rank, mask))
    return min(candidates)[1] if candidates else None


def _plain(name: str) -> str:
    """Case-folded, and with composed Unicode characters, which a Mac decomposes."""
    return unicodedata.normalize("NFC", name).casefold()


def _parts(path: Path) -> list[str]:
    """The parts of a path, including Windows separators inside a name, as in archives from Windows."""
    return [piece for part in path.parts for piece in part.split("\\") if piece] or [path.name]


def _ends_with(parts: list[str], end: list[str]) -> bool:
    if not end:
        return True
    return [_plain(part) for part in parts[-len(end) :]] == [_plain(part) for part in end]


def is_mask(gray: np.ndarray) -> bool:
    """Whether a picture, uint8 [H, W], is a mask among the photos: only areas of black and white."""
    black, white = gray < 8, gray > 247
    if (black | white).mean() < PURE or not (black.any() and white.any()):
        return False
    return bool((white[:, 1:] != white[:, :-1]).mean() <= CONTOUR)


def read_mask(path: Path) -> np.ndarray:
    """The pixels to keep, bool [H, W], upright. Errors as in `open_photo`.

    Black is masked. In a file with transparency, such as a cut-out, transparent pixels are masked instead, unless all
    opaque pixels are black: these were then painted over to mask them. Masks of 0 and 1 are supported.
    """
    with open_photo(path) as image:
        alpha = None
        if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
            alpha = ImageOps.exif_transpose(image.convert("RGBA")).getchannel("A")
        values = np.asarray(upright_rgb(image).convert("L"))
    if alpha is not None:
        opaque = np.asarray(alpha) > 127
        if not opaque.all() and opaque.shape == values.shape and bool((values[opaque] > BLACK).any()):
            return opaque
    white = int(values.max(initial=0))
    return values > (127 if white > 127 else white // 2)
