"""Copies COLMAP's database with photos assigned to other cameras, so that mapping can be tried again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .calls import pycolmap
from .database import open_database
from .rigs import Rigs, rigs_in, write_rigs


def write_with_cameras(
    source: Path,
    target: Path,
    cameras: Mapping[int, Any],
    camera_of: Mapping[int, int],
    rigs: Rigs | None = None,
) -> None:
    """target: a new database with source's photos, keypoints and verified matches, under the same image ids.

    cameras: pycolmap.Camera by id; camera_of: camera id by image id. Descriptors are not copied.
    rigs: by default source's, where their cameras stay the same.
    """
    with open_database(source) as old, open_database(target) as new, pycolmap.DatabaseTransaction(new):
        if rigs is None:
            known = rigs_in(old)
            rigs = known if known.suit(camera_of) else Rigs([], [])
        for number, camera in sorted(cameras.items()):
            camera.camera_id = number
            new.write_camera(camera, use_camera_id=True)
        images = {}
        for image in sorted(old.read_all_images(), key=lambda image: image.image_id):
            copy = pycolmap.Image(
                name=image.name, camera_id=camera_of[image.image_id], image_id=image.image_id
            )
            new.write_image(copy, use_image_id=True)
            images[image.image_id] = copy
            if old.exists_keypoints(image.image_id):
                new.write_keypoints(image.image_id, old.read_keypoints(image.image_id))
        write_rigs(new, rigs, images, cameras)
        pairs, matches = old.read_all_matches()
        for pair, pair_matches in zip(pairs, matches, strict=True):
            new.write_matches(*pycolmap.pair_id_to_image_pair(pair), pair_matches)
        pairs, geometries = old.read_two_view_geometries()
        for pair, geometry in zip(pairs, geometries, strict=True):
            new.write_two_view_geometry(*pycolmap.pair_id_to_image_pair(pair), geometry)
