"""Depth maps in items of work (`..work_items`): estimating them, then comparing each with its neighbors'."""

from __future__ import annotations

from pathlib import Path

import torch

from ..events import Progress
from ..workspace import Workspace
from .depth_forecast import CACHE, plan
from .depth_maps import map_paths
from .depth_views import Scene
from .estimate import (
    ComputeBudget,
    PhotoCache,
    has_photometric,
    run_all,
    usable_views,
    write_checked,
    write_photometric,
)

GROUP = 4  # photos of an item; on a CPU they are processed in parallel


class DepthItems:
    """A group of photos is an item. memory: limit in bytes."""

    def __init__(
        self, dense: Path, scene: Scene, device: torch.device, memory: float, progress: Progress
    ) -> None:
        views = usable_views(scene)
        self._dense, self._scene, self._device, self._memory = dense, scene, device, memory
        self._groups = [views[start : start + GROUP] for start in range(0, len(views), GROUP)]
        self.count = len(self._groups)
        self.step = "compared" if all(self._is_estimated(number) for number in views) else "estimated"
        self.message = "comparing depth maps" if self.step == "compared" else "estimating depth"
        largest = max((scene.views[number].height * scene.views[number].width for number in views), default=1)
        self._cache = PhotoCache(min(16, max(1, CACHE // largest)))

    def has(self, item: int) -> bool:
        return all(self._has(number) for number in self._groups[item])

    def do(self, item: int, into: Workspace, progress: Progress) -> None:
        remaining = [number for number in self._groups[item] if not self._has(number)]
        sizes = [(self._scene.views[number].height, self._scene.views[number].width) for number in remaining]
        budget = ComputeBudget(self._device, plan(sizes, str(self._device), self._memory), progress)

        def work(number: int) -> None:
            if self.step == "compared":
                write_checked(self._dense, into.dense, self._scene, number, budget)
            else:
                masks = self._dense / "masks"
                write_photometric(into.dense, self._scene, number, self._cache, budget, masks, progress)

        run_all(work, remaining, budget, len(remaining), self.message, progress.within_item())

    def _has(self, number: int) -> bool:
        if self.step == "estimated":
            return self._is_estimated(number)
        return map_paths(self._dense, self._scene.views[number].name)[0].exists()

    def _is_estimated(self, number: int) -> bool:
        return has_photometric(self._dense, self._scene.views[number])
