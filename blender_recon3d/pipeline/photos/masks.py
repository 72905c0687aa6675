"""Which mask belongs to which photo, by names and folders."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from .extensions import MASK_EXTENSIONS


@dataclass
class Masks:
    """of: the mask of each photo that has one. unclear: for each mask that fits several photos, these photos."""

    of: dict[Path, Path] = field(default_factory=dict)
    unclear: dict[Path, list[Path]] = field(default_factory=dict)


def match_masks(folder: Path, photos: list[Path]) -> Masks:
    """The masks below `folder` of these photos.

    The mask of a/b.jpg is called b.png, or b.jpg.png as COLMAP has it, and lies in folders named like the photo's (the
    more of them the better), or in `folder` itself. One name in several folders of photos needs the folders.
    """
    by_name = _by_name(folder)
    claims: dict[Path, list[Path]] = defaultdict(list)
    for photo in photos:
        mask = _best(folder, photo, by_name)
        if mask is not None:
            claims[mask].append(photo)
    found = Masks()
    for mask, members in claims.items():
        if len(members) == 1:
            found.of[members[0]] = mask
        else:
            found.unclear[mask] = members
    return found


def _by_name(folder: Path) -> dict[str, list[Path]]:
    by_name: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in MASK_EXTENSIONS and not path.name.startswith(".") and path.is_file():
            by_name[path.stem.casefold()].append(path)
    return by_name


def _best(folder: Path, photo: Path, by_name: dict[str, list[Path]]) -> Path | None:
    candidates = []
    for order, key in enumerate((photo.name, photo.stem)):
        for mask in by_name.get(key.casefold(), []):
            parents = mask.relative_to(folder).parent.parts
            if _ends_with(photo.parent.parts, parents):
                rank = -len(parents), order, MASK_EXTENSIONS.index(mask.suffix.lower())
                candidates.append((rank, mask))
    return min(candidates)[1] if candidates else None


def _ends_with(parts: tuple[str, ...], end: tuple[str, ...]) -> bool:
    if not end:
        return True
    return [part.casefold() for part in parts[-len(end) :]] == [part.casefold() for part in end]
