"""COLMAP's two mappers, and which of them places the photos if the user leaves it open.

The incremental mapper adjusts all cameras again and again while it adds photos, so each photo takes longer the more
there are. The global mapper places them all at once, in a time per photo that grows much less, and about as exactly
(benchmarks/results/scale.md). It has no second chance where matches mislead it, so the incremental one takes
over if it fails or leaves out photos that match others.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..colmap.calls import pycolmap, run_cancellable
from ..colmap.database import open_database, pair_counts
from ..colmap.global_mapper import run_in_child
from ..colmap.model_files import read_model
from ..documents.photos_json import panorama_cameras
from ..errors import UserError
from ..events import Progress
from ..stage_settings import GLOBAL_FROM, SfmSettings
from ..wording import RESUME, Sentence, with_option
from ..workspace import Workspace
from .live_model import LiveModel

MIN_SHARE = 0.9  # of the photos that matches connect: with fewer placed, the global mapper was misled


class Mapper:
    """Maps databases of a workspace. scratch: an empty folder; used: the mapper of the last models."""

    def __init__(
        self, workspace: Workspace, settings: SfmSettings, scratch: Path, progress: Progress
    ) -> None:
        self.scratch = scratch
        self.used = settings.mapper
        self._workspace, self._settings, self._progress = workspace, settings, progress
        if settings.mapper == "auto":
            document = workspace.read_photos()
            count = len(document.used)
            # Views that keep one center were not tried with the global mapper.
            self.used = "global" if count >= GLOBAL_FROM and not document.rigs else "incremental"
            if self.used == "global":
                progress.info(
                    Sentence(
                        f"With {count} photos, COLMAP's global mapper is used, which is faster from {GLOBAL_FROM} "
                        "photos; to place one camera after the other instead, run again ",
                        with_option("mapper", "incremental"),
                        ".",
                    )
                )

    def __call__(self, database: Path, held: bool = False) -> list[Any]:
        """The models, the one with the most photos first. held: focal lengths are fixed."""
        if self.used == "incremental":
            return self._map(incremental, database, held)
        if self._settings.mapper == "global":
            return self._map(_global, database, held)
        try:
            models = self._map(_global, database, held)
        except UserError as error:
            self._progress.info(error.sentence)
            self._progress.info("The cameras are placed one after the other instead.")
            models = []
        else:
            placed = models[0].num_reg_images() if models else 0
            connected = connected_photos(database)
            if placed >= MIN_SHARE * connected:
                return models
            self._progress.info(
                f"The global mapper placed {placed} of {connected} photos whose matches connect them: "
                "the cameras are placed one after the other as well."
            )
        others = self._map(incremental, database, held)
        if models and (not others or models[0].num_reg_images() >= others[0].num_reg_images()):
            return models
        self.used = "incremental"  # for further attempts too
        return others

    def _map(self, mapper: Callable[..., None], database: Path, held: bool) -> list[Any]:
        output = self.scratch / f"models_{database.stem}_{mapper.__name__.lstrip('_')}"
        output.mkdir()
        mapper(self._workspace, self._settings, database, output, self._progress, held)
        return _read_models(output)


def connected_photos(database: Path) -> int:
    """The number of photos in the largest group that verified matches connect."""
    with open_database(database) as opened:
        pairs = [pair for pair, (_, verified) in pair_counts(opened).items() if verified]
    if not pairs:
        return 0
    photos, places = np.unique(pairs, return_inverse=True)
    ends = places.reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs), bool), (ends[0], ends[1])), shape=(len(photos), len(photos)))
    return int(np.bincount(connected_components(graph, directed=False)[1]).max())


def incremental(
    workspace: Workspace,
    settings: SfmSettings,
    database: Path,
    output: Path,
    progress: Progress,
    held: bool = False,
    start: Path | None = None,
    registered: int = 0,
    adapt: Callable[[Any], None] = lambda options: None,
) -> None:
    """Map with COLMAP's incremental mapper. held: focal lengths are fixed. start: the folder of a model to continue,
    with `registered` photos; adapt: changes COLMAP's options."""
    photos = len(workspace.used_photos())
    options = pycolmap.IncrementalPipelineOptions()
    options.min_model_size = settings.min_model_size
    options.ba_refine_focal_length = settings.refine_intrinsics and not held
    options.ba_refine_extra_params = settings.refine_intrinsics
    document = workspace.read_photos()
    # The views of panoramas have intrinsics and poses by construction.
    options.constant_cameras = panorama_cameras(document)
    options.ba_refine_sensor_from_rig = not options.constant_cameras
    # With several threads bundle adjustment sums in varying order, and every camera moves a little.
    options.num_threads = options.mapper.num_threads = 1
    options.random_seed = settings.seed
    options.mapper.random_seed = settings.seed
    options.triangulation.random_seed = settings.seed
    live = LiveModel(workspace, output / "snapshots", photos)
    options.snapshot_path, options.snapshot_frames_freq = live.folder, live.every
    adapt(options)

    def started() -> None:
        nonlocal registered
        registered = 2

    def one_more() -> None:
        nonlocal registered
        registered += 1

    def poll() -> None:
        progress.report(registered, photos, "placing cameras")
        live.publish()

    run_cancellable(
        lambda token: pycolmap.incremental_mapping(
            database,
            workspace.images,
            output,
            options,
            input_path=start or "",
            initial_image_pair_callback=started,
            next_image_callback=one_more,
            cancellation_token=token,
        ),
        progress,
        poll,
    )


def _global(
    workspace: Workspace, settings: SfmSettings, database: Path, output: Path, progress: Progress, held: bool
) -> None:
    """held: intrinsics are fixed."""
    progress.info("Placing all cameras at once (global mapper); no progress is reported.")
    options = {
        "seed": settings.seed,
        "min_model_size": settings.min_model_size,
        "refine_intrinsics": settings.refine_intrinsics
        and not held
        and not panorama_cameras(workspace.read_photos()),
    }
    run_in_child(database, workspace.images, output, options, progress)


def _read_models(folder: Path) -> list[Any]:
    """The models that COLMAP wrote, the one with the most photos first."""
    paths = sorted(path for path in folder.iterdir() if (path / "cameras.bin").exists())
    models = [read_model(path) for path in paths]
    if any(not model.num_reg_images() for model in models):
        raise UserError(Sentence("COLMAP's mapper left a model without photos: ", RESUME, "."))
    return sorted(models, key=lambda model: (model.num_reg_images(), model.num_points3D()), reverse=True)
