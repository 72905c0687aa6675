"""Meshroom (AliceVision): .sfm and .json files, as StructureFromMotion and ConvertSfMFormat write them.

Numbers are texts. `rotation` is stored column by column, so that its rows are those of camera to world. What changed
with the format's version: the principal point is an offset from the middle since 1.2.1, counted from the corner before
(without a version its size tells); lenses are in pixels until 1.2.2, then in mm; `pixelRatio` was that of the focal
lengths, x to y, until 1.2.5, then of y to x.
https://github.com/alicevision/AliceVision/blob/develop/src/aliceVision/sfmDataIO/jsonIO.cpp
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FileFormatError
from ..camera_alignment import AlignedPhoto, Alignment, Lens, Sizes, pose, with_points
from ..lenses import brown, fisheye
from .source_files import read_json

_RADIAL = ("", "none", "radialk1", "radialk3", "brown")
_OLD = {"pinhole": "none", "radial1": "radialk1", "radial3": "radialk3", "brown": "brown", "fisheye4": "fisheye4",
        "equidistant": "fisheye4"}  # fmt: skip


def read(path: Path, sizes: Sizes) -> Alignment:
    document = read_json(path)
    if (
        not isinstance(document, dict)
        or not {"views", "intrinsics"} <= set(document)
        or "root_path" in document
    ):
        raise FileFormatError(path, "it is not a Meshroom scene (no views and intrinsics)")
    try:
        return _read(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(path, f"it is not a Meshroom scene that Recon3D can read ({error})") from error


def _read(document: Mapping[str, Any]) -> Alignment:
    lenses: dict[str, Lens] = {}
    refused: dict[str, str] = {}
    version = tuple(int(float(part)) for part in document.get("version") or ())
    for intrinsic in document["intrinsics"]:
        lens = _lens(intrinsic, version)
        if isinstance(lens, str):
            refused[str(intrinsic["intrinsicId"])] = lens
        else:
            lenses[str(intrinsic["intrinsicId"])] = lens
    poses = {str(each["poseId"]): _pose(each["pose"]["transform"]) for each in document.get("poses") or ()}
    rigs = {
        str(rig["rigId"]): [_pose(each["pose"]) for each in rig["subPoses"]]
        for rig in document.get("rigs") or ()
    }
    photos: list[AlignedPhoto] = []
    place: dict[str, int] = {}
    notes: list[str] = []
    for view in document["views"]:
        cam_from_world = poses.get(str(view.get("poseId")))
        lens_id = str(view.get("intrinsicId"))
        if cam_from_world is None:
            continue
        if str(view.get("isPoseIndependant", "true")).lower() in ("false", "0"):  # the pose is its rig's
            within = rigs.get(str(view.get("rigId")), [])
            number = int(view.get("subPoseId", -1))
            if not 0 <= number < len(within):
                notes.append("Photos of a rig that is missing are left out.")
                continue
            cam_from_world = within[number] @ np.vstack([cam_from_world, [0, 0, 0, 1]])
        if lens_id not in lenses:
            notes.append(
                f"Photos with the lens model {refused.get(lens_id, 'that is missing')} are left out."
            )
            continue
        place[str(view["viewId"])] = len(photos)
        photos.append(AlignedPhoto(str(view["path"]), lenses[lens_id], cam_from_world))
    xyz: list[list[float]] = []
    colors: list[list[int]] = []
    seen: list[tuple[int, int, float, float]] = []
    for landmark in document.get("structure") or ():
        for each in landmark.get("observations") or ():
            if "x" not in each:
                continue  # written without features
            photo = place.get(str(each["observationId"]))
            if photo is not None:
                x, y = (float(value) for value in each["x"])
                seen.append((len(xyz), photo, x, y))
        xyz.append([float(value) for value in landmark["X"]])
        colors.append([int(value) for value in landmark.get("color") or (128, 128, 128)])
    unique = tuple(dict.fromkeys(notes))
    return Alignment("Meshroom", photos, **with_points(xyz, colors, seen), notes=unique)


def _pose(transform: Mapping[str, Any]) -> np.ndarray:
    """[3, 4]: world to camera, or of a rig, the rig to one of its cameras."""
    world_from_cam = np.array(transform["rotation"], np.float64).reshape(3, 3)
    return pose(world_from_cam.T, np.array(transform["center"], np.float64).reshape(3))


def _lens(intrinsic: Mapping[str, Any], version: tuple[int, ...]) -> Lens | str:
    """The lens, or the name of its model if that is unknown."""
    kind = str(intrinsic.get("type", "pinhole")).lower()
    model = str(intrinsic.get("distortionType") or _OLD.get(kind, kind)).lower()
    size = int(float(intrinsic["width"])), int(float(intrinsic["height"]))
    focal = _focal(intrinsic, size[0], version)
    center = _center([float(value) for value in intrinsic["principalPoint"]], size, version)
    terms = [float(value) for value in intrinsic.get("distortionParams") or ()]
    if (
        model == "radialk3pt" and kind != "equidistant"
    ):  # as many pixels at a radius of one focal length as without
        scale = 1 + sum(terms[:3])
        return brown(size, (focal[0] / scale, focal[1] / scale), center, terms[:3])
    if model in _RADIAL and kind != "equidistant":
        # Brown's are k1, k2, k3, t1, t2; t1 and t2 are OpenCV's p1 and p2.
        return brown(size, focal, center, terms[:3], (terms[3], terms[4]) if len(terms) == 5 else (0.0, 0.0))
    if model == "fisheye4" and kind != "equidistant":
        return fisheye(size, focal, center, terms)
    return model


def _focal(intrinsic: Mapping[str, Any], width: int, version: tuple[int, ...]) -> tuple[float, float]:
    """In pixels, of x and of y."""
    focals = intrinsic.get("pxFocalLength")
    if focals is not None:
        values = [float(value) for value in (focals if isinstance(focals, list) else [focals])]
        return values[0], values[-1]
    fx = float(intrinsic["focalLength"]) * width / float(intrinsic["sensorWidth"])
    ratio = float(intrinsic.get("pixelRatio", 1.0))
    return fx, (fx / ratio if version and version < (1, 2, 5) else fx * ratio)


def _center(point: Sequence[float], size: tuple[int, int], version: tuple[int, ...]) -> tuple[float, float]:
    half = size[0] / 2, size[1] / 2
    offset = abs(point[0]) < half[0] / 2 and abs(point[1]) < half[1] / 2
    if version:
        offset = version >= (1, 2, 1)
    return (half[0] + point[0], half[1] + point[1]) if offset else (point[0], point[1])
