"""`recon3d evaluate`: the errors of cameras, cloud and mesh against ground truth.

Cameras: a similarity aligns our camera centers with the true ones (`alignment.robust_similarity`); center errors are
the remaining distances, rotation errors the angles between the orientations in the common frame.

Cloud (if the truth has a surface): moved by the cameras' similarity, evaluated in that position and again after a few
iterations of trimmed ICP with scale, since a camera error common to all photos would otherwise count against the
fusion. Both are reported; the second is the score of the cloud. The mesh is evaluated in the same way, by points
sampled from its faces.
"""

from __future__ import annotations

import json
import math
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial.transform import Rotation

from ..documents.answers_json import EvaluationAnswer
from ..documents.codec import encode
from ..errors import UserError
from ..files.ply import columns, read_vertices
from ..results import has, require_model
from ..workspace import Workspace
from .alignment import (
    IDENTITY,
    Similarity,
    Undetermined,
    angles,
    errors,
    robust_similarity,
    with_rotation,
)
from .evaluation_table import SHARES, evaluation_table
from .truth import Truth, read_truth

if TYPE_CHECKING:
    from .cloud_metrics import Surface

ICP_ITERATIONS = 15
ICP_REACH = 0.02  # of the object's size

# From raw to upright axes for EXIF's orientations; mirrored photos (2, 4, 5, 7) are not rotations of the camera.
TURNS = {
    1: np.eye(3),
    3: np.diag([-1.0, -1.0, 1.0]),
    6: np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    8: np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
}


def main(workspace: Workspace, truth: Path, as_json: bool) -> int:
    """Print the errors as a table, or as JSON; returns 0. Raises UserError."""
    result = evaluate(workspace, truth)
    sys.stdout.write(json.dumps(result, indent=1) + "\n" if as_json else evaluation_table(result))
    return 0


def evaluate(workspace: Workspace, truth: Path) -> dict[str, Any]:
    """`{"version", "truth", "units", "photos": {}, "cameras": {}, "cloud": {}, "mesh": {}, "stages": {}}`, JSON-ready.

    cloud and mesh are None if missing. Lengths are in the truth's units. UserError when fewer than 3 registered photos
    have a true camera.
    """
    ground_truth = read_truth(truth)
    photos = workspace.used_photos()
    matched = match_names([photo.source for photo in photos], list(ground_truth.centers))
    rotations, centers = _our_cameras(workspace)
    common = [
        (photo, matched[photo.source])
        for photo in photos
        if photo.name in centers and photo.source in matched
    ]
    if len(common) < 3:
        raise UserError(
            f"{len(common)} registered photos have a camera in {truth}, but at least 3 are needed: check "
            "that the truth belongs to these photos (they are matched by file name).",
            2,
        )
    ours = np.stack([centers[photo.name] for photo, _ in common])
    true = np.stack([ground_truth.centers[name] for _, name in common])
    our_rotations = np.stack([rotations[photo.name] for photo, _ in common])
    true_rotations = np.stack([ground_truth.rotations[name] for _, name in common])
    turns = np.stack([TURNS.get(photo.orientation, np.full((3, 3), np.nan)) for photo, _ in common])
    similarity, inliers = _align(ours, true, our_rotations, true_rotations)
    distances = errors(similarity, ours, true)
    degrees, turned = _rotation_errors(our_rotations, true_rotations, turns, similarity)
    cameras = {
        "centre": _statistics(distances),
        "rotation_degrees": _statistics(degrees[np.isfinite(degrees)]),
        "turned_as_exif_says": turned,
        "outliers": [photo.name for (photo, _), near in zip(common, inliers, strict=True) if not near],
        "scale": similarity.scale,
        "per_photo": {
            photo.name: {"centre": distance, "rotation_degrees": None if math.isnan(angle) else angle}
            for (photo, _), distance, angle in zip(common, distances.tolist(), degrees.tolist(), strict=True)
        },
    }
    return {
        "version": EvaluationAnswer.version,
        "truth": {"kind": ground_truth.kind, "folder": str(truth), "cameras": len(ground_truth.centers)},
        "units": ground_truth.units,
        "photos": {"used": len(photos), "with_truth": len(matched), "registered_with_truth": len(common)},
        "cameras": cameras,
        **_shape(workspace, ground_truth, similarity),
        "stages": encode(workspace.read_state().stages),
    }


def match_names(sources: list[str], names: list[str]) -> dict[str, str]:
    """The truth's name for each source path: the same file name in any case, else the same stem.

    Of several candidates, the one whose folders match too; if no single one does, none.
    """
    matched: dict[str, str] = {}
    by_key: dict[str, list[str]] = defaultdict(list)
    for name in names:
        path = _plain_path(name)
        by_key[path.name].append(name)
        if path.stem != path.name:
            by_key["stem " + path.stem].append(name)
    for source in sources:
        path = _plain_path(source)
        for key in (path.name, "stem " + path.stem):
            fit = by_key.get(key, [])
            if len(fit) > 1:
                fit = [name for name in fit if f"/{path}".endswith(f"/{_plain_path(name)}")]
            if len(fit) == 1:
                matched[source] = fit[0]
                break
    return matched


def _plain_path(name: str) -> PurePosixPath:
    return PurePosixPath(name.replace("\\", "/").lower())


def _our_cameras(workspace: Workspace) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Rotations from world to camera [3, 3] and centers [3] of the main model, by photo."""
    require_model(workspace)
    from ..colmap.model_files import read_model

    model = read_model(workspace.model)
    images = [model.image(image_id) for image_id in sorted(model.reg_image_ids())]
    return (
        {image.name: image.cam_from_world().rotation.matrix() for image in images},
        {image.name: image.projection_center() for image in images},
    )


def _align(
    ours: np.ndarray, true: np.ndarray, our_rotations: np.ndarray, true_rotations: np.ndarray
) -> tuple[Similarity, np.ndarray]:
    """From our frame to the truth's, and which cameras were used."""
    try:
        return robust_similarity(ours, true)
    except Undetermined:
        pass
    # Cameras on a line: their orientations determine the rotation about it.
    rotation = Rotation.from_matrix(np.swapaxes(true_rotations, 1, 2) @ our_rotations).mean().as_matrix()
    try:
        return with_rotation(ours, true, rotation), np.ones(len(ours), bool)
    except Undetermined as error:
        raise UserError(
            "All cameras are in one place, so there is no scale to compare with the truth: evaluate photos "
            "from different positions.",
            2,
        ) from error


def _rotation_errors(
    ours: np.ndarray, true: np.ndarray, turns: np.ndarray, similarity: Similarity
) -> tuple[np.ndarray, bool]:
    """Degrees [N], NaN for mirrored photos, and whether the truth refers to the photos before EXIF's rotation.

    Our cameras are those of the upright photos. No format says whether the truth's are too: the better fit to the
    turned photos decides.
    """
    expected = ours @ similarity.rotation.T
    as_is, turned = angles(expected, true), angles(expected, turns @ true)
    some = np.isfinite(turned) & (np.abs(turns - np.eye(3)).max(axis=(1, 2)) > 0)
    use_turned = bool(some.any() and np.median(turned[some]) < np.median(as_is[some]))
    return (turned if use_turned else np.where(np.isfinite(turned), as_is, np.nan)), use_turned


def _shape(workspace: Workspace, truth: Truth, similarity: Similarity) -> dict[str, Any]:
    """`{"cloud", "mesh"}`: the dense cloud and the mesh against the surface; None if missing."""
    from .cloud_metrics import Surface, cloud_metrics

    shape: dict[str, Any] = {"cloud": None, "mesh": None}
    if truth.surface is None or truth.size is None or not has(workspace, "dense", workspace.fusion):
        return shape
    points = columns(read_vertices(workspace.fusion), "x", "y", "z")
    if points is None:
        raise UserError(f"{workspace.fusion} holds no points: run recon3d dense again.")
    surface = Surface.build(truth.surface, truth.normals)
    cloud = similarity.apply(points[np.isfinite(points).all(axis=1)])
    shape["cloud"] = {"size": truth.size, "fused_points": len(points)}
    scoring = _scoring(truth)
    shape["cloud"].update(
        _evaluated(cloud, surface, truth, lambda step: cloud_metrics(step.apply(cloud), surface, *scoring))
    )
    if has(workspace, "mesh", workspace.mesh_file):
        shape["mesh"] = _mesh(workspace.mesh_file, surface, truth, similarity)
    return shape


def _mesh(path: Path, surface: Surface, truth: Truth, similarity: Similarity) -> dict[str, Any]:
    from ..files.ply_mesh import read_mesh
    from ..meshing.topology import Mesh
    from .mesh_metrics import mesh_metrics, sampled

    vertices, faces = read_mesh(path)
    xyz = columns(vertices, "x", "y", "z")
    if xyz is None or not len(faces):
        raise UserError(f"{path} holds no mesh: run recon3d mesh again.")
    ours = sampled(Mesh(similarity.apply(xyz), faces), truth.center, truth.radius)
    scoring = _scoring(truth)
    return {
        "faces": len(faces),
        **_evaluated(
            ours.points, surface, truth, lambda step: mesh_metrics(ours.moved(step), surface, *scoring)
        ),
    }


def _scoring(truth: Truth) -> tuple[list[float], np.ndarray | None, float | None]:
    """The distances of the scores, and the ball of interest."""
    assert truth.size is not None
    return [share * truth.size for share in SHARES], truth.center, truth.radius


def _evaluated(
    points: np.ndarray, surface: Surface, truth: Truth, evaluate_moved: Callable[[Similarity], dict[str, Any]]
) -> dict[str, Any]:
    """Points [N, 3] evaluated as aligned by the cameras, and as moved by ICP; evaluate_moved: called with the move."""
    from .cloud_metrics import icp, within

    assert truth.size is not None
    near = points[within(points, truth.center, truth.radius)]
    step = icp(near, surface, ICP_REACH * truth.size, ICP_ITERATIONS)
    middle = surface.points.mean(axis=0, keepdims=True)
    return {
        "aligned_by_cameras": evaluate_moved(IDENTITY),
        "aligned_by_icp": evaluate_moved(step),
        "icp": {
            "most_iterations": ICP_ITERATIONS,
            "shift": float(np.linalg.norm(step.apply(middle) - middle)),
            "rotation_degrees": float(angles(step.rotation[None], np.eye(3)[None])[0]),
            "scale": step.scale,
        },
    }


def _statistics(values: np.ndarray) -> dict[str, float | None]:
    if not len(values):
        return {"mean": None, "median": None, "max": None}
    return {"mean": float(values.mean()), "median": float(np.median(values)), "max": float(values.max())}
