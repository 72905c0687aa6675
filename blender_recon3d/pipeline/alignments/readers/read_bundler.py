"""Bundler's bundle.out, also written by Metashape and others; the photos' names are in a list beside it.

The camera looks along -z with y up; pixels are counted from the middle, y up.
https://www.cs.cornell.edu/~snavely/bundler/bundler-v0.4-manual.html
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...errors import FileFormatError, UserError
from ..camera_alignment import AlignedPhoto, Alignment, Lens, PointFields, Sizes, with_points
from ..lenses import brown
from .source_files import read_text

_FLIP = np.diag([1.0, -1.0, -1.0])


def read(path: Path, sizes: Sizes) -> Alignment:
    text = read_text(path)
    if not text.startswith("# Bundle file"):
        raise FileFormatError(path, "it is not a Bundler file (by its first line)")
    names = _names(path)
    words = iter(text.split("\n", 1)[1].split())
    try:
        cameras, count = int(next(words)), int(next(words))
        if cameras > len(names):
            raise UserError(
                f"{path} has {cameras} cameras, but the list beside it only {len(names)} names.", 2
            )
        photos, place = _cameras(words, names[:cameras], sizes)
        points = _points(words, count, place, photos)
    except (StopIteration, ValueError, RuntimeError) as error:
        raise FileFormatError(path, "it is cut short or damaged") from error
    return Alignment("Bundler", photos, **points, assumed_size=True)


def _names(path: Path) -> list[str]:
    """The first word of each line of the list; a name with spaces is the whole line where no number follows it."""
    beside = [path.with_name(f"{path.stem}.list.txt"), path.with_name(f"{path.name}.list.txt"),
              path.with_name("list.txt"), path.with_suffix(".txt"), path.parent.parent / "list.txt"]  # fmt: skip
    list_file = next((each for each in beside if each.is_file()), None)
    if list_file is None:
        raise UserError(
            f"{path} has no list of photos beside it: add list.txt, with one name per line in the cameras' order.",
            2,
        )
    lines = [line.strip() for line in read_text(list_file).splitlines() if line.strip()]
    return [line.split(" 0 ")[0].strip() for line in lines]


def _cameras(
    words: Iterator[str], names: list[str], sizes: Sizes
) -> tuple[list[AlignedPhoto], dict[int, int]]:
    photos: list[AlignedPhoto] = []
    place: dict[int, int] = {}
    for number, name in enumerate(names):
        values = np.array([float(next(words)) for _ in range(15)])
        size = sizes(name)
        if values[0] == 0 or size is None:  # not registered, or not among the photos
            continue
        focal, k1, k2 = values[:3]
        lens = brown(size, (focal, focal), (size[0] / 2, size[1] / 2), (k1, k2))
        pose = _FLIP @ np.column_stack([values[3:12].reshape(3, 3), values[12:15]])
        place[number] = len(photos)
        photos.append(AlignedPhoto(name, lens, pose))
    return photos, place


def _points(
    words: Iterator[str], count: int, place: dict[int, int], photos: list[AlignedPhoto]
) -> PointFields:
    xyz, colors, seen = [], [], []
    for number in range(count):
        xyz.append([float(next(words)) for _ in range(3)])
        colors.append([int(float(next(words))) for _ in range(3)])
        for _ in range(int(next(words))):
            camera, _, x, y = int(next(words)), next(words), float(next(words)), float(next(words))
            if camera in place:
                lens: Lens = photos[place[camera]].lens
                seen.append((number, place[camera], lens.width / 2 + x, lens.height / 2 - y))
    return with_points(xyz, colors, seen)
