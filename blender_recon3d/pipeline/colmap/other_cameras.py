"""Copies COLMAP's database with photos assigned to other cameras, so that mapping can be tried again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .calls import pycolmap
from .database import open_database


def write_with_cameras(
    source: Path, target: Path, cameras: Mapping[int, Any], camera_of: Mapping[int, int]
) -> None:
    """target: a new database with source's photos, keypoints and verified matches, under the same image ids.

    cameras: pycolmap.Camera by id; camera_of: camera id by image id. Descriptors are not copied.
    """
    with open_database(source) as old, open_database(target) as new, pycolmap.DatabaseTransaction(new):
        rigs = {}
        for number, camera in sorted(cameras.items()):
            camera.camera_id = number
            new.write_camera(camera, use_camera_id=True)
            rig = pycolmap.Rig(rig_id=number)
            rig.add_ref_sensor(camera.sensor_id)
            rigs[number] = new.write_rig(rig, use_rig_id=True)
        for image in sorted(old.read_all_images(), key=lambda image: image.image_id):
            copy = pycolmap.Image(
                name=image.name, camera_id=camera_of[image.image_id], image_id=image.image_id
            )
            new.write_image(copy, use_image_id=True)
            frame = pycolmap.Frame(frame_id=image.image_id, rig_id=rigs[camera_of[image.image_id]])
            frame.add_data_id(copy.data_id)
            new.write_frame(frame, use_frame_id=True)
            if old.exists_keypoints(image.image_id):
                new.write_keypoints(image.image_id, old.read_keypoints(image.image_id))
        pairs, matches = old.read_all_matches()
        for pair, pair_matches in zip(pairs, matches, strict=True):
            new.write_matches(*pycolmap.pair_id_to_image_pair(pair), pair_matches)
        pairs, geometries = old.read_two_view_geometries()
        for pair, geometry in zip(pairs, geometries, strict=True):
            new.write_two_view_geometry(*pycolmap.pair_id_to_image_pair(pair), geometry)
