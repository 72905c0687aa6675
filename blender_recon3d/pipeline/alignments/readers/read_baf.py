"""AliceVision's .baf, OpenMVG's too: lenses, poses and points as numbers, as ConvertSfMFormat writes it.

The photos' names are in NAME_imgList.txt beside it, one a view in the order of the poses: path, intrinsic's id, pose's
id. Without that file the photos have no names, and are found by what they show (photos_by_points.py). Rotations are
stored column by column, so that their rows are those of camera to world.
https://github.com/alicevision/AliceVision/blob/develop/src/aliceVision/sfmDataIO/bafIO.cpp
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...errors import FileFormatError, UserError
from ..camera_alignment import AlignedPhoto, Alignment, Lens, Sizes, pose, with_points
from ..lenses import brown
from .source_files import read_text

SAME = 0.05  # of a photo's size: by how much its middle may miss the principal point
_OLD = (3, 4, 6, 8)  # parameters of a lens with one focal length: pinhole, radial 1, radial 3, Brown
_TERMS = (0, 1, 3, 5)


def read(path: Path, sizes: Sizes) -> Alignment:
    lines = [line.split() for line in read_text(path).splitlines() if line.strip()]
    try:
        lenses, views, points = (int(line[0]) for line in lines[:3])
        params = [[float(word) for word in line] for line in lines[3 : 3 + lenses]]
        poses = np.array(lines[3 + lenses : 3 + lenses + views], np.float64).reshape(views, 12)
        landmarks = lines[3 + lenses + views : 3 + lenses + views + points]
        if len(landmarks) < points:
            raise ValueError("points are missing")
        seen = [_observations(line) for line in landmarks]
        xyz = [[float(word) for word in line[:3]] for line in landmarks]
    except (ValueError, IndexError) as error:
        raise FileFormatError(path, f"it is not an AliceVision .baf file, or truncated ({error})") from error
    names = _names(path, views)
    lens_of = {pose_id: lens_id for each in seen for lens_id, pose_id, _, _ in each}
    order = [pose_id for _, _, pose_id in names] if names else sorted(lens_of)
    lens_ids = sorted(set(lens_of.values()) | {lens_id for _, lens_id, _ in names})
    if len(order) != views or len(lens_ids) > lenses:
        raise FileFormatError(
            path, "some of its photos see no point, so it does not say which: put its _imgList.txt beside it"
        )
    lens_of |= {pose_id: lens_id for _, lens_id, pose_id in names}
    photos: list[AlignedPhoto] = []
    place: dict[int, int] = {}
    posed = {pose_id for each in seen for _, pose_id, _, _ in each}
    for number, pose_id in enumerate(order):
        name = names[number][0] if names else f"pose {pose_id}"
        values = params[lens_ids.index(lens_of[pose_id])]
        lens = _lens(values, sizes(name) if names else _size(values))
        if (
            lens is None or pose_id not in posed
        ):  # not among the photos, or not registered, which is written as the identity
            continue
        place[pose_id] = len(photos)
        rotation, center = poses[number, :9].reshape(3, 3), poses[number, 9:]
        photos.append(AlignedPhoto(name, lens, pose(rotation.T, center)))
    observed = [
        (point, place[pose_id], x, y)
        for point, each in enumerate(seen)
        for _, pose_id, x, y in each
        if pose_id in place
    ]
    gray = [[128, 128, 128]] * len(xyz)
    return Alignment("AliceVision", photos, **with_points(xyz, gray, observed), unnamed=not names)


def _observations(line: Sequence[str]) -> list[tuple[int, int, float, float]]:
    """Intrinsic id, pose id, x and y of each observation of the point."""
    words = line[4 : 4 + 4 * int(line[3])]
    return [
        (int(words[n]), int(words[n + 1]), float(words[n + 2]), float(words[n + 3]))
        for n in range(0, len(words), 4)
    ]


def _names(path: Path, views: int) -> list[tuple[str, int, int]]:
    """Name, intrinsic id and pose id of each view; empty if the list is missing."""
    beside = path.with_name(f"{path.stem}_imgList.txt")
    if not beside.is_file():
        return []
    names = []
    for line in read_text(beside).splitlines():
        words = line.rsplit(None, 2)
        if len(words) == 3 and words[1].isdigit() and words[2].isdigit():
            names.append((words[0], int(words[1]), int(words[2])))
    if len(names) != views:
        raise UserError(
            f"{beside} names {len(names)} photos, and {path.name} has {views}: convert it again.", 2
        )
    return names


def _size(values: Sequence[float]) -> tuple[int, int]:
    """The photos' size, estimated from the principal point."""
    x, y = values[1:3]
    if len(values) not in _OLD or min(x, y) < 1:
        raise UserError(
            "The .baf does not contain the size of its photos: put its _imgList.txt beside it.", 2
        )
    return round(2 * x), round(2 * y)


def _lens(values: Sequence[float], size: tuple[int, int] | None) -> Lens | None:
    """None if the photo is not among the given ones."""
    if size is None:
        return None
    two_focals = len(values) not in _OLD or (len(values) == 4 and abs(values[1] / values[0] - 1) < SAME)
    focal, rest = ((values[0], values[1]), values[2:]) if two_focals else ((values[0],) * 2, values[1:])
    terms = [*rest[2:], 0.0, 0.0, 0.0, 0.0, 0.0][:5]
    if len(rest) - 2 not in _TERMS:
        raise UserError(f"The .baf has an unknown lens model with {len(values)} parameters: use the .sfm.", 2)
    middle = np.array(size) / 2
    center = np.array(rest[:2])
    if (np.abs(center) < middle / 2).all():  # later versions write an offset from the middle
        center = center + middle
    else:
        scale = float((center / middle).mean())
        if abs(scale - 1) > SAME:  # the photos are smaller than the project's, or larger
            size = round(size[0] * scale), round(size[1] * scale)
    return brown(size, focal, center.tolist(), terms[:3], (terms[3], terms[4]))
