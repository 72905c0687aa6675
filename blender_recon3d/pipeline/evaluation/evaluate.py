"""`recon3d evaluate`: the errors of cameras, cloud and mesh against ground truth.

Cameras: a similarity takes our camera centers to the true ones (`alignment.robust_similarity`); center errors are
what is left, rotation errors the angles between the orientations in the common frame.

Cloud (when the truth has a surface): moved by the cameras' similarity, judged once as it then lies, and once more
after a few iterations of trimmed ICP with scale, since a camera error common to all photos would otherwise be
counted against the fusion. Both are reported; the second is the score of the cloud. The mesh is judged in the same
way, by points drawn from its faces.
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

# Upright from raw axes for EXIF's turns; mirrored photos (2, 4, 5, 7) are not rotations of the camera.
TURNS = {
    1: np.eye(3),
    3: np.diag([-1.0, -1.0, 1.0]),
    6: np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    8: np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
}


def main(workspace: Workspace, truth: Path, as_json: bool) -> int:
    """Print the errors as a table, or as JSON; 0 when they could be computed. Raises UserError."""
    result = evaluate(workspace, truth)
    sys.stdout.write(json.dumps(result, indent=1) + "\n" if as_json else evaluation_table(result))
    return 0


def evaluate(workspace: Workspace, truth: Path) -> dict[str, Any]:
    """`{"version", "truth", "units", "photos": {}, "cameras": {}, "cloud": {}, "mesh": {}, "stages": {}}`, JSON-ready.

    cloud and mesh are None where there is none. Lengths are in the truth's units. UserError when fewer than 3
    registered photos have a true camera.
    """
    known = read_truth(truth)
    photos = workspace.used_photos()
    matched = match_names([photo.source for photo in photos], list(known.centers))
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
    true = np.stack([known.centers[name] for _, name in common])
    our_rotations = np.stack([rotations[photo.name] for photo, _ in common])
    true_rotations = np.stack([known.rotations[name] for _, name in common])
    turns = np.stack([TURNS.get(photo.orientation, np.full((3, 3), np.nan)) for photo, _ in common])
    similarity, kept = _align(ours, true, our_rotations, true_rotations)
    distances = errors(similarity, ours, true)
    degrees, turned = _rotation_errors(our_rotations, true_rotations, turns, similarity)
    cameras = {
        "centre": _statistics(distances),
        "rotation_degrees": _statistics(degrees[np.isfinite(degrees)]),
        "turned_as_exif_says": turned,
        "outliers": [photo.name for (photo, _), near in zip(common, kept, strict=True) if not near],
        "scale": similarity.scale,
        "per_photo": {
            photo.name: {"centre": distance, "rotation_degrees": None if math.isnan(angle) else angle}
            for (photo, _), distance, angle in zip(common, distances.tolist(), degrees.tolist(), strict=True)
        },
    }
    return {
        "version": EvaluationAnswer.version,
        "truth": {"kind": known.kind, "folder": str(truth), "cameras": len(known.centers)},
        "units": known.units,
        "photos": {"used": len(photos), "with_truth": len(matched), "registered_with_truth": len(common)},
        "cameras": cameras,
        **_shape(workspace, known, similarity),
        "stages": encode(workspace.read_state().stages),
    }


def match_names(sources: list[str], names: list[str]) -> dict[str, str]:
    """For each source path the truth's name that means it: same file name in any case, else the same stem.

    Where several of the truth's names do, the one whose folders fit as well; where none stands out, none.
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
    """Rotations world to camera [3, 3] and centers [3] of the main model, by photo."""
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
    """From our frame to the truth's, and which cameras it rests on."""
    try:
        return robust_similarity(ours, true)
    except Undetermined:
        pass
    # Cameras on a line: their orientations say how it is turned about itself.
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
    """Degrees [N], NaN for mirrored photos, and whether the truth is of the photos before EXIF's turn.

    Our cameras are those of the upright photos. Whether the truth's are too, no format says: the answer is what
    fits the turned photos better.
    """
    expected = ours @ similarity.rotation.T
    as_is, turned = angles(expected, true), angles(expected, turns @ true)
    some = np.isfinite(turned) & (np.abs(turns - np.eye(3)).max(axis=(1, 2)) > 0)
    use_turned = bool(some.any() and np.median(turned[some]) < np.median(as_is[some]))
    return (turned if use_turned else np.where(np.isfinite(turned), as_is, np.nan)), use_turned


def _shape(workspace: Workspace, truth: Truth, similarity: Similarity) -> dict[str, Any]:
    """`{"cloud", "mesh"}`: the dense cloud and the mesh against the surface; None for what is not there."""
    from .cloud_metrics import Surface, cloud_metrics

    found: dict[str, Any] = {"cloud": None, "mesh": None}
    if truth.surface is None or truth.size is None or not has(workspace, "dense", workspace.fusion):
        return found
    points = columns(read_vertices(workspace.fusion), "x", "y", "z")
    if points is None:
        raise UserError(f"{workspace.fusion} holds no points: run recon3d dense again.")
    surface = Surface.build(truth.surface, truth.normals)
    cloud = similarity.apply(points[np.isfinite(points).all(axis=1)])
    found["cloud"] = {"size": truth.size, "fused_points": len(points)}
    asked = _asked(truth)
    found["cloud"].update(
        _judged(cloud, surface, truth, lambda step: cloud_metrics(step.apply(cloud), surface, *asked))
    )
    if has(workspace, "mesh", workspace.mesh_file):
        found["mesh"] = _mesh(workspace.mesh_file, surface, truth, similarity)
    return found


def _mesh(path: Path, surface: Surface, truth: Truth, similarity: Similarity) -> dict[str, Any]:
    from ..files.ply_mesh import read_mesh
    from ..meshing.topology import Mesh
    from .mesh_metrics import mesh_metrics, sampled

    vertices, faces = read_mesh(path)
    xyz = columns(vertices, "x", "y", "z")
    if xyz is None or not len(faces):
        raise UserError(f"{path} holds no mesh: run recon3d mesh again.")
    ours = sampled(Mesh(similarity.apply(xyz), faces), truth.center, truth.radius)
    asked = _asked(truth)
    return {
        "faces": len(faces),
        **_judged(ours.points, surface, truth, lambda step: mesh_metrics(ours.moved(step), surface, *asked)),
    }


def _asked(truth: Truth) -> tuple[list[float], np.ndarray | None, float | None]:
    """The distances of the scores, and the ball of interest."""
    assert truth.size is not None
    return [share * truth.size for share in SHARES], truth.center, truth.radius


def _judged(
    points: np.ndarray, surface: Surface, truth: Truth, judge: Callable[[Similarity], dict[str, Any]]
) -> dict[str, Any]:
    """What points [N, 3] are of, judged as it lies by the cameras and moved by ICP; judge: given the move."""
    from .cloud_metrics import icp, within

    assert truth.size is not None
    near = points[within(points, truth.center, truth.radius)]
    step = icp(near, surface, ICP_REACH * truth.size, ICP_ITERATIONS)
    middle = surface.points.mean(axis=0, keepdims=True)
    return {
        "aligned_by_cameras": judge(IDENTITY),
        "aligned_by_icp": judge(step),
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
