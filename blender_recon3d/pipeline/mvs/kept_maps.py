"""Keeps depth maps when photos are added or removed: those of photos that the change does not touch.

A photo is touched if its camera changed, if it moved relative to the photos it was compared with, if one of these is
gone, or if the new photos show its points from materially better places. Its old depth map would then be wrong, or
worse than one made now; every other one is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import UserError
from ..events import Progress
from ..files.atomic_files import link_or_copy
from .depth_maps import is_whole_map, map_paths, photometric_path
from .depth_views import Scene, View, load_scene

MOVED = 0.5  # pixels: median shift of a photo's points in the photos it is compared with
BETTER = 1.3  # times the score of its neighbors before: the new photos show it materially better
POINTS = 200  # of a photo that are looked at


def keep_maps(
    earlier: Path, dense: Path, scene: Scene, max_neighbors: int, names: Mapping[str, str], progress: Progress
) -> int:
    """Put the earlier maps that are still right into `dense`; returns their number.

    earlier: the folder of the earlier dense stage. names: the earlier name of each unchanged photo.
    """
    try:
        before = load_scene(earlier, max_neighbors)
    except UserError:
        return 0
    unchanged = 0
    for number in untouched(before, scene, names):
        view = scene.views[number]
        old = map_paths(earlier, names[view.name])
        if not all(is_whole_map(path) for path in old):
            continue
        depth, normal = map_paths(dense, view.name)
        # The depth of each step is written last: if it exists, so does the rest. The confirmed depth stands for the
        # depth before confirmation, which new photos are compared with.
        for source, target in (
            (old[1], normal),
            (old[0], photometric_path(dense, view.name)),
            (old[0], depth),
        ):
            if not target.exists():
                link_or_copy(source, target)
        unchanged += 1
    if unchanged:
        changed = len(scene.views) - unchanged
        progress.info(f"The depth of {unchanged} photos is kept from before, that of {changed} is computed.")
    return unchanged


def untouched(before: Scene, now: Scene, names: Mapping[str, str]) -> list[int]:
    """The views of `now` whose earlier depth maps are still right."""
    old = {view.name: number for number, view in enumerate(before.views)}
    place = {view.name: number for number, view in enumerate(now.views)}
    current = {earlier: name for name, earlier in names.items()}
    numbers = []
    for number, view in enumerate(now.views):
        earlier = old.get(names.get(view.name, ""))
        if earlier is None or not _same_camera(before.views[earlier], view):
            continue
        sources = [before.views[other] for other in before.neighbors[earlier]]
        here = [place.get(current.get(source.name, "")) for source in sources]
        if not here or None in here:
            continue
        again = [now.views[other] for other in here if other is not None]
        if shift(before.views[earlier], sources, view, again, now.points[number]) > MOVED:
            continue
        if sum(now.scores[number]) > BETTER * sum(before.scores[earlier]):
            continue
        numbers.append(number)
    return numbers


def _same_camera(before: View, now: View) -> bool:
    return (before.width, before.height) == (now.width, now.height) and np.allclose(
        before.intrinsics, now.intrinsics, rtol=0, atol=1e-6
    )


def shift(
    view_before: View, sources_before: list[View], view: View, sources: list[View], points: np.ndarray
) -> float:
    """The largest median distance, pixels, by which a photo's points [P, 3] (x, y, inverse depth) have moved in one of
    its sources."""
    if not len(points):
        return 0.0
    points = points[:: max(1, len(points) // POINTS)]
    rays = np.column_stack([points[:, :2], np.ones(len(points))]) @ np.linalg.inv(view.intrinsics).T
    local = rays / points[:, 2:]
    moved = [
        np.median(np.linalg.norm(_seen(local, view, now) - _seen(local, view_before, then), axis=1))
        for now, then in zip(sources, sources_before, strict=True)
    ]
    return float(max(moved))


def _seen(local: np.ndarray, view: View, source: View) -> np.ndarray:
    """Pixels [P, 2] in a source of points [P, 3] in the frame of a view."""
    world = (local - view.cam_from_world[:, 3]) @ view.cam_from_world[:, :3]
    pixels = (world @ source.cam_from_world[:, :3].T + source.cam_from_world[:, 3]) @ source.intrinsics.T
    return np.asarray(pixels[:, :2] / pixels[:, 2:])
