"""Rigs of several cameras that were fired together: one subfolder for each camera, with the same file names.

COLMAP's layout. Names alone prove nothing (two rounds of one camera may have the same names), so structure from
motion checks whether the cameras are fixed to each other (sfm/found_rigs.py). COLMAP's rig_config.json, if it is in the
folder, may say more: other prefixes, and the cameras' poses on the rig.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from ..documents.photos_json import PhotoEntry, RigEntry, RigSensor
from ..errors import UserError
from ..files.regular import read_regular
from ..files.user_path import user_path

CONFIG = "rig_config.json"
MIN_SHOTS = 3  # with photos of two or more cameras
MIN_SHARE = 0.8  # of a folder's photos that must have the name of one in another folder


def mark_shots(entries: list[PhotoEntry], sources: Iterable[str]) -> list[PhotoEntry]:
    """The entries, with `sensor` and `shot` for those that may be of a rig. sources: the folders and files given."""
    config = _config(sources)
    keys = _by_config(entries, *config) if config else _by_folders(entries)
    numbers: dict[Any, int] = {}
    marked = list(entries)
    for place, (rig, sensor, shot) in keys.items():
        number = numbers.setdefault((rig, shot), len(entries) + len(numbers))
        marked[place] = replace(entries[place], sensor=sensor, shot=number)
    return marked


def camera_rigs(entries: Iterable[PhotoEntry], sources: Iterable[str]) -> list[RigEntry]:
    """The rigs of entries that have their cameras: one for each set of sensors that share shots."""
    shots: dict[int, dict[str, int]] = defaultdict(dict)
    counts: dict[tuple[str, int], int] = defaultdict(int)
    for entry in entries:
        if entry.used and entry.sensor and entry.shot is not None and entry.camera is not None:
            shots[entry.shot][entry.sensor] = entry.camera
            counts[entry.sensor, entry.camera] += 1
    main: dict[str, int] = {}  # each sensor's camera: one turned upright takes photos of another size
    for sensor, camera in sorted(counts, key=lambda key: counts[key]):
        main[sensor] = camera
    groups: dict[str, set[str]] = {}
    for members in shots.values():
        joined = set(members).union(*(groups[sensor] for sensor in members if sensor in groups))
        groups |= {sensor: joined for sensor in joined}
    config = _config(sources)
    poses = _poses(config[1]) if config else {}
    rigs = []
    for group in {id(group): group for group in groups.values()}.values():
        order = [sensor for sensor in poses if sensor in group] or sorted(group)
        if len(order) > 1:
            sensors = [RigSensor(camera=main[sensor], cam_from_rig=poses.get(sensor)) for sensor in order]
            rigs.append(RigEntry(sensors=sensors))
    return rigs


def _by_folders(entries: list[PhotoEntry]) -> dict[int, tuple[Any, str, str]]:
    """The rig, sensor and shot of entries by their index: the folder above, the folder, and the name."""
    families: dict[PurePath, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for place, entry in enumerate(entries):
        if entry.used and not entry.side:
            path = PurePath(entry.source)
            families[path.parent.parent][path.parent.name][path.stem.casefold()] = place
    cameras = {}
    for parent, folders in families.items():
        shared = {sensor: names for sensor, names in folders.items() if _shares_names(sensor, folders)}
        for sensor, names in shared.items():
            for name, place in names.items():
                cameras[place] = (parent, sensor, name)
    return cameras


def _shares_names(sensor: str, folders: dict[str, dict[str, int]]) -> bool:
    names = set(folders[sensor])
    others = set().union(*(folders[other] for other in folders if other != sensor))
    same = names & others
    return len(same) >= max(MIN_SHOTS, MIN_SHARE * len(names))


def _config(sources: Iterable[str]) -> tuple[Path, list[list[dict[str, Any]]]] | None:
    """The folder of rig_config.json and its rigs, each a list of cameras; None if there is no such file. UserError if
    it is damaged."""
    for source in sources:
        path = user_path(source).absolute() / CONFIG
        if not path.is_file():
            continue
        try:
            rigs = [list(rig["cameras"]) for rig in json.loads(read_regular(path))]
            for camera in (camera for rig in rigs for camera in rig):
                if not isinstance(camera["image_prefix"], str):
                    raise ValueError("image_prefix is not a text")
                _pose(camera)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise UserError(
                f"{path} is not a rig configuration of COLMAP ({error}): correct it, or remove it from the folder.",
                2,
            ) from error
        return path.parent, rigs
    return None


def _by_config(
    entries: list[PhotoEntry], folder: Path, rigs: list[list[dict[str, Any]]]
) -> dict[int, tuple[Any, str, str]]:
    rig_cameras = {}
    for place, entry in enumerate(entries):
        path = PurePath(entry.source)
        if not entry.used or entry.side or not path.is_relative_to(folder):
            continue
        name = path.relative_to(folder).as_posix()
        for number, cameras in enumerate(rigs):
            for camera in cameras:
                if name.startswith(camera["image_prefix"]):
                    rig_cameras[place] = (
                        number,
                        camera["image_prefix"],
                        name.removeprefix(camera["image_prefix"]),
                    )
    return rig_cameras


def _poses(rigs: list[list[dict[str, Any]]]) -> dict[str, list[list[float]] | None]:
    """cam_from_rig of every sensor, the reference first, whose pose is the identity only if others are given."""
    poses: dict[str, list[list[float]] | None] = {}
    for cameras in rigs:
        known = all(_pose(camera) or camera.get("ref_sensor") for camera in cameras)
        for camera in sorted(cameras, key=lambda camera: not camera.get("ref_sensor")):
            pose = _pose(camera) or np.eye(3, 4).tolist()
            poses[camera["image_prefix"]] = pose if known else None
    return poses


def _pose(camera: dict[str, Any]) -> list[list[float]] | None:
    """cam_from_rig [3, 4] of a camera in rig_config.json; None if it has none."""
    if "cam_from_rig_rotation" not in camera or "cam_from_rig_translation" not in camera:
        return None
    turn = Rotation.from_quat(np.array(camera["cam_from_rig_rotation"], float), scalar_first=True).as_matrix()
    place = np.array(camera["cam_from_rig_translation"], float).reshape(3, 1)
    return np.hstack([turn, place]).tolist()
