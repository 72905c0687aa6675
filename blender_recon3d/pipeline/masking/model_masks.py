"""Masks from the first model: its mesh, or its dense cloud, is drawn into every photo, and cut out along its outline.

They are kept in model_masks/, from which the stage `photos` takes them when the job's `masks` is "model". Then
features, cameras, depth, mesh and texture are computed again with them.
"""

from __future__ import annotations

import numpy as np

from ..colmap.model_files import read_model
from ..errors import UserError
from ..events import Progress
from ..files.atomic_files import atomic_folder, write_json
from ..files.json_values import MAX_BYTES, parse
from ..files.ply_mesh import read_mesh
from ..files.regular import read_regular
from ..meshing.point_cloud import read_cloud
from ..meshing.region import in_box, in_subject, read_box
from ..results import has, require_model
from ..settings import JobSettings
from ..stage_settings import MeshSettings, PhotosSettings
from ..wording import Sentence, option, run_stage
from ..workspace import Workspace
from .mask_pixels import is_sensible, small_picture, write_mask
from .silhouette import cut_out, silhouette

SIZE = 480  # longest side of the pictures in which the outline is found
MAX_POINTS = 300_000
LISTED = "drawn.json"  # the photos there were, with and without a camera


def are_due(workspace: Workspace, settings: JobSettings) -> bool:
    """Whether the job wants masks from its model, and some of its photos were not there when they were drawn."""
    if settings.of(PhotosSettings).masks != "model" or not workspace.fusion.exists():
        return False
    try:
        known = parse(read_regular(workspace.model_masks / LISTED, MAX_BYTES))
    except (OSError, ValueError):
        known = []
    return not {photo.name for photo in workspace.used_photos()} <= set(map(str, known))


def draw_masks(workspace: Workspace, settings: JobSettings, progress: Progress) -> int:
    """Draw the model into its photos; returns how many masks were made.

    UserError if there is no dense cloud yet, or the model fills the photos.
    """
    require_model(workspace)
    points, spacing = _surface(workspace, settings.of(MeshSettings))
    model, used = read_model(workspace.model), workspace.used_photos()
    images = {image.name: image for image in model.images.values() if image.has_pose}
    count = 0
    with atomic_folder(workspace.model_masks) as part:
        for number, photo in enumerate(used):
            progress.update(number, len(used), "masking")
            image = images.get(photo.name)
            if image is None:
                continue
            picture = small_picture(workspace.images / photo.name, SIZE, (photo.width, photo.height))
            outline = silhouette(points, spacing, image, model.camera(image.camera_id), picture.shape[1::-1])
            mask = cut_out(picture, outline)
            if is_sensible(mask):
                write_mask(part / f"{photo.name}.png", mask)
                count += 1
        if not count:
            raise UserError(
                Sentence(
                    "The model fills all photos, so it makes no masks: set a crop box around the subject, or choose "
                    "other masks (",
                    option("masks"),
                    ").",
                ),
                2,
            )
        write_json(part / LISTED, sorted(photo.name for photo in used))
    return count


def _surface(workspace: Workspace, settings: MeshSettings) -> tuple[np.ndarray, float]:
    """Points [N, 3] of the subject's surface in the model's frame, and the distance between neighbors."""
    if has(workspace, "mesh", workspace.mesh_file):
        vertices, faces = read_mesh(workspace.mesh_file)
        corners = np.stack([vertices[axis] for axis in "xyz"], axis=1).astype(np.float64)
        lengths = np.linalg.norm(corners[faces[:, 0]] - corners[faces[:, 1]], axis=1)
        return np.concatenate([corners, corners[faces].mean(axis=1)]), float(np.percentile(lengths, 90))
    if not has(workspace, "dense", workspace.fusion):
        raise UserError(
            Sentence(f"{workspace.root} has no cloud yet: ", run_stage("dense", workspace.root), "."), 2
        )
    cloud = read_cloud(workspace.fusion)
    xyz = cloud.in_model.astype(np.float64)
    if settings.crop:
        xyz = xyz[in_box(xyz, read_box(settings.crop))]
    elif settings.region == "auto":
        xyz = xyz[in_subject(xyz, workspace.model)]
    xyz = xyz[:: max(1, len(xyz) // MAX_POINTS)]
    return xyz, spacing_of(xyz)


def spacing_of(xyz: np.ndarray) -> float:
    """The distance between neighboring points [N, 3]; 0 if there are too few."""
    from scipy.spatial import cKDTree

    some = xyz[:: max(1, len(xyz) // 2000)]
    return float(np.percentile(cKDTree(xyz).query(some, k=4)[0][:, 3], 90)) if len(xyz) > 4 else 0.0
