"""`recon3d place`: rewrite placement.json from GPS, markers or a given scale, or reset it to that of sfm."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..colmap.model_files import read_model
from ..documents.codec import encode
from ..documents.document_files import write_document
from ..documents.placed_json import PlacedDocument
from ..documents.placement_json import PlacementDocument
from ..errors import UserError
from ..files.atomic_files import remove
from ..photos.image_files import read_gray
from ..results import record_again, require_model
from ..text import printable
from ..workspace import Workspace
from .by_gps import placed_by_clear_gps, placed_by_gps
from .gps import places_by_name
from .kept_placement import poses_of
from .markers import DICTIONARIES, Marker, View, find_corners, markers_in_space, scale_of
from .upright import felt_by_name, place_model

FLAT = 15.0  # degrees between a marker's normal and up: it lies on the ground
DIFFERENT = 0.02  # of their sides; markers that differ by more are reported


@dataclass(frozen=True)
class PlacementRequest:
    """The source of the placement: GPS in the photos, markers of a size in meters, or meters per unit. At most one of
    them; none means placement by cameras and ground alone."""

    gps: bool = False
    marker_size: float | None = None
    dictionary: str = DICTIONARIES[0]
    scale: float | None = None

    def __post_init__(self) -> None:
        if sum((self.gps, self.marker_size is not None, self.scale is not None)) > 1:
            raise UserError("Use only one of --gps, --marker-size and --scale.", 2)
        for name, value in (("--marker-size", self.marker_size), ("--scale", self.scale)):
            if value is not None and not 0 < value < np.inf:
                raise UserError(f"{name} is {value}: it must be greater than zero.", 2)
        if self.dictionary not in DICTIONARIES:
            raise UserError(
                f"{self.dictionary} is not a marker dictionary: choose one of {', '.join(DICTIONARIES)}.", 2
            )


def main(workspace: Workspace, wish: PlacementRequest, as_json: bool = False) -> int:
    """Write placement.json and print a summary or its content; returns 0. Raises UserError."""
    placed = place(workspace, wish)
    sys.stdout.write((json.dumps(encode(placed)) if as_json else printable(placed.how)) + "\n")
    return 0


def place(workspace: Workspace, wish: PlacementRequest) -> PlacementDocument:
    """Write placement.json and return its content. COLMAP's frame, and all files in it, stay unchanged."""
    require_model(workspace)
    with workspace.locked():
        model = read_model(workspace.model)
        photos = workspace.used_photos() if workspace.photos.exists() else []
        gps = places_by_name(photos)
        upright, how, _ = place_model(model, gps, felt_by_name(photos))
        origin = None
        if wish.gps:
            upright, method, origin = placed_by_gps(model, gps, upright)
        elif wish.marker_size is not None:
            upright, method = _by_markers(workspace, model, upright, wish.marker_size, wish.dictionary)
        elif wish.scale is not None:
            upright, method = scaled(upright, wish.scale), f"scale {wish.scale:g} as given"
        else:
            method = ""
        is_set = bool(method)
        if not is_set and (clear := placed_by_clear_gps(model, gps, upright)):
            upright, method, origin = clear
        how = f"{how}; {method}" if method else how
        content = PlacementDocument(world_from_model=upright.tolist(), how=how, gps=origin)
        remember(workspace, model, content if is_set else None)
        write_document(workspace.placement, content)
        record_again(workspace, "sfm", workspace.placement)
    return content


def remember(workspace: Workspace, model: Any, content: PlacementDocument | None) -> None:
    """Write placed.json, from which sfm places the next model in the same way; None: remove it."""
    if content is None:
        remove(workspace.placed)
        return
    document = PlacedDocument(
        how=content.how,
        world_from_model=content.world_from_model,
        gps=content.gps,
        cameras={name: pose.tolist() for name, pose in poses_of(model).items()},
    )
    write_document(workspace.placed, document)


def scaled(world_from_model: np.ndarray, scale: float) -> np.ndarray:
    """The similarity [4, 4] with the world scaled about its origin."""
    return np.diag([scale, scale, scale, 1.0]) @ world_from_model


def _by_markers(
    workspace: Workspace, model: Any, upright: np.ndarray, size: float, dictionary: str
) -> tuple[np.ndarray, str]:
    views = [_view(model, image) for image in model.images.values() if image.has_pose]
    seen = {view.name: find_corners(read_gray(workspace.images / view.name), dictionary) for view in views}
    markers = markers_in_space(views, seen)
    scale, differ = scale_of(markers, size)
    how = f"meters from {len(markers)} marker{'s' if len(markers) > 1 else ''} in up to "
    how += f"{max(marker.views for marker in markers)} photos"
    if differ > DIFFERENT:
        how += f" (their sides differ by {differ:.0%}: are they all the same size?)"
    grounded = on_the_ground(upright, markers)
    if grounded is not None:
        upright, how = grounded, how + ", which lie on the ground"
    return scaled(upright, scale), how


def on_the_ground(upright: np.ndarray, markers: list[Marker]) -> np.ndarray | None:
    """The placement rotated and moved so that the markers are at z = 0; None unless they are flat already."""
    corners = np.concatenate([marker.corners for marker in markers]) @ upright[:3, :3].T + upright[:3, 3]
    normals = np.stack([marker.normal for marker in markers]) @ upright[:3, :3].T
    middle = corners.mean(axis=0)
    up = np.linalg.svd(corners - middle)[2][2]
    up *= np.sign(up[2]) or 1.0
    if (normals @ up < np.cos(np.radians(FLAT))).any() or up[2] < np.cos(np.radians(FLAT)):
        return None
    axis = np.cross(up, [0.0, 0.0, 1.0])
    skew = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.eye(4)
    turn[:3, :3] = np.eye(3) + skew + skew @ skew / (1 + up[2])  # the smallest rotation of `up` onto z
    turn[2, 3] = -(turn[:3, :3] @ middle)[2]
    return turn @ upright


def _view(model: Any, image: Any) -> View:
    camera = model.camera(image.camera_id)
    pose = image.cam_from_world()
    return View(
        image.name,
        np.column_stack([pose.rotation.matrix(), pose.translation]),
        camera.cam_from_img,
        lambda normalized: camera.img_from_cam(np.column_stack([normalized, np.ones(len(normalized))])),
    )
