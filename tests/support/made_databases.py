"""COLMAP databases of keypoints with known matches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.database import open_database, write_pairs


def write_database(folder: Path, camera: pycolmap.Camera, pixels: Mapping[str, np.ndarray]) -> Path:
    """A database.db of one camera's photos, all pairs matched and verified.

    pixels: by the photo's name where it shows each point [P, 2]; those outside it, and NaN, it does not.
    """
    path = folder / "database.db"
    with open_database(path) as database:
        camera.camera_id = database.write_camera(camera)
        rig = pycolmap.Rig()
        rig.add_ref_sensor(camera.sensor_id)
        rig_id = database.write_rig(rig)
        seen = []
        for name, places in pixels.items():
            image = pycolmap.Image(name=name, camera_id=camera.camera_id)
            image.image_id = database.write_image(image)
            frame = pycolmap.Frame(rig_id=rig_id)
            frame.add_data_id(image.data_id)
            database.write_frame(frame)
            inside = ((places > 0) & (places < (camera.width, camera.height))).all(axis=1)
            database.write_keypoints(image.image_id, places[inside].astype(np.float32))
            seen.append((image.image_id, np.flatnonzero(inside)))
        for place, (first, a) in enumerate(seen):
            for second, b in seen[place + 1 :]:
                common = np.intersect1d(a, b)
                both = np.stack([np.searchsorted(a, common), np.searchsorted(b, common)], axis=1)
                database.write_matches(first, second, both.astype(np.uint32))
    pairs, names = folder / "pairs.txt", list(pixels)
    write_pairs(pairs, ((a, b) for i, a in enumerate(names) for b in names[i + 1 :]))
    pycolmap.verify_matches(path, pairs, pycolmap.TwoViewGeometryOptions())
    return path


def mapper_in(folder: Path) -> Callable[[Path], list[Any]]:
    """COLMAP's incremental mapper for databases in this folder: models, the one with most photos first."""

    def mapped(database: Path) -> list[Any]:
        output = folder / database.stem
        output.mkdir()
        options = pycolmap.IncrementalPipelineOptions()
        options.num_threads, options.random_seed, options.min_model_size = 1, 0, 3
        models = pycolmap.incremental_mapping(database, folder, output, options).values()
        return sorted(models, key=lambda model: -model.num_reg_images())

    return mapped
