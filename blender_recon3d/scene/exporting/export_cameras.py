"""The scene's cameras back to other programs: a COLMAP text model, or nerfstudio's transforms.json.

In COLMAP's frame, that is, relative to the Empty. Blender stores single precision, so a camera that was not touched
since its import is written from the pose and intrinsics that were kept with it, to the last digit; one that was moved,
or whose lens was changed, is written as it stands.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ...pipeline.errors import UserError
from ...pipeline.files.atomic_files import atomic_file
from ..cameras import KEY, Pinhole, lens_of, pinhole_from, pose_of
from ..find_imports import find_imports, offset_of_import
from ..importing.find_source import find_source
from ..rotations import nearest_rotation, quaternion_of, rotation_of

COLMAP, NERFSTUDIO = "COLMAP", "NERFSTUDIO"
FLIP = np.diag([1.0, -1.0, -1.0])  # between COLMAP's and Blender's camera axes


@dataclass(frozen=True)
class PosedPhoto:
    """photo: its name in the model; qvec (w, x, y, z), tvec: cam_from_model."""

    photo: str
    pinhole: Pinhole
    qvec: tuple[float, float, float, float]
    tvec: tuple[float, float, float]


def export_cameras(collection: bpy.types.Collection, target: Path, kind: str) -> str:
    """Write the cameras of an import; a sentence of what was written.

    kind: COLMAP, target a folder for cameras.txt, images.txt and an empty points3D.txt; or NERFSTUDIO, target the
    transforms.json. UserError when there are no cameras, or the file cannot be written.
    """
    photos = posed_photos(collection)
    if not photos:
        raise UserError(f"{collection.name} has no cameras: import the result again.")
    try:
        if kind == COLMAP:
            _write_colmap(photos, target)
        else:
            _write_transforms(photos, target, Path(collection[KEY]["workspace"]))
    except OSError as error:
        raise UserError(f"{target} cannot be written ({error.strerror}): choose another folder.") from error
    return f"Exported {len(photos)} cameras to {target}."


def import_in(scene: bpy.types.Scene) -> bpy.types.Collection:
    """The scene's import, the latest if there are several; UserError when there is none."""
    found = find_imports(scene)
    if not found:
        raise UserError("There are no imported cameras in this scene: import a result first.")
    return found[-1]


def posed_photos(collection: bpy.types.Collection) -> list[PosedPhoto]:
    """The cameras of an import as they stand now, by name."""
    bpy.context.view_layer.update()
    offset = np.array(offset_of_import(collection))
    cameras = [
        o for o in collection.all_objects if o.type == "CAMERA" and _is_ours(o) and o.parent is not None
    ]
    photos = [PosedPhoto(o[KEY]["photo"], _intrinsics(o.data), *_pose(o, offset)) for o in cameras]
    return sorted(photos, key=lambda photo: photo.photo)


def _is_ours(camera: bpy.types.Object) -> bool:
    kept = camera.get(KEY)
    return hasattr(kept, "get") and kept.get("kind") == "camera"


def _pose(
    camera: bpy.types.Object, offset: np.ndarray
) -> tuple[tuple[float, float, float, float], tuple[float, float, float]]:
    """qvec and tvec: those kept if the camera stands where they put it, else from where it stands."""
    w, x, y, z = (float(value) for value in camera[KEY]["qvec"])
    t_x, t_y, t_z = (float(value) for value in camera[KEY]["tvec"])
    qvec, tvec = (w, x, y, z), (t_x, t_y, t_z)
    model_from_camera = camera.parent.matrix_world.inverted_safe() @ camera.matrix_world
    now = np.array(model_from_camera)[:3].astype(np.float64)
    rotation, center = pose_of(qvec, tvec)
    near = np.array(center) - offset
    expected = np.column_stack([rotation_of(rotation), near])
    size = max(1.0, float(np.abs(near).max()))
    if np.abs(now - expected).max() < 1e-5 * size:
        return qvec, tvec
    axes = now[:, :3] / np.linalg.norm(now[:, :3], axis=0)  # a scaled camera looks the same way
    camera_from_model = FLIP @ nearest_rotation(axes).T
    translation = -camera_from_model @ (now[:, 3] + offset)
    return quaternion_of(camera_from_model), tuple(translation.tolist())


def _intrinsics(data: bpy.types.Camera) -> Pinhole:
    """Those kept if the lens is still theirs, else those of the lens, for the photo's resolution."""
    kept = pinhole_from(data)
    lens = lens_of(kept, data.sensor_fit, data.sensor_width, data.sensor_height)
    expected = (lens.lens, lens.shift_x, lens.shift_y)
    now = (data.lens, data.shift_x, data.shift_y)
    if np.allclose(now, expected, rtol=1e-6, atol=1e-6):
        return kept
    aspect = kept.fx / kept.fy
    sensor = data.sensor_height if data.sensor_fit == "VERTICAL" else data.sensor_width
    frame = kept.fx * sensor / lens.lens  # the side that the sensor is fitted to, in pixels
    fx = now[0] * frame / sensor
    cx, cy = kept.width / 2 - now[1] * frame, kept.height / 2 + now[2] * frame / aspect
    return Pinhole(kept.width, kept.height, fx, fx / aspect, cx, cy)


# -- COLMAP ---------------------------------------------------------------------------------------------


def _write_colmap(photos: list[PosedPhoto], folder: Path) -> None:
    """Python writes a float with as many digits as bring it back exactly."""
    numbers: dict[Pinhole, int] = {}
    images = []
    for index, item in enumerate(photos, 1):
        camera = numbers.setdefault(item.pinhole, len(numbers) + 1)
        pose = " ".join(repr(value) for value in (*item.qvec, *item.tvec))
        images.append(f"{index} {pose} {camera} {item.photo}\n\n")
    cameras = [
        f"{number} PINHOLE {p.width} {p.height} {p.fx!r} {p.fy!r} {p.cx!r} {p.cy!r}\n"
        for p, number in numbers.items()
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in (("cameras.txt", cameras), ("images.txt", images), ("points3D.txt", [])):
        with atomic_file(folder / name) as part:
            part.write_text("".join(lines), "utf-8")


# -- nerfstudio -----------------------------------------------------------------------------------------


def _write_transforms(photos: list[PosedPhoto], path: Path, workspace: Path) -> None:
    """transform_matrix: model_from_camera with OpenGL's camera axes, which are Blender's."""
    source = find_source(workspace)
    frames = []
    for item in photos:
        photo = source.photo(item.photo)
        rotation, center = pose_of(item.qvec, item.tvec)
        matrix = np.vstack([np.column_stack([rotation_of(rotation), center]), [0.0, 0.0, 0.0, 1.0]])
        p = item.pinhole
        frames.append(
            {
                "file_path": _relative(photo, path.parent) if photo else item.photo,
                "fl_x": p.fx, "fl_y": p.fy, "cx": p.cx, "cy": p.cy, "w": p.width, "h": p.height,
                "transform_matrix": matrix.tolist(),
            }
        )  # fmt: skip
    text = json.dumps(
        {"camera_model": "OPENCV", "k1": 0, "k2": 0, "p1": 0, "p2": 0, "frames": frames}, indent=1
    )
    with atomic_file(path) as part:
        part.write_text(text + "\n", "utf-8")


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()
