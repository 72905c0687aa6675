"""From a cloud file to a mesh with a limited number of faces: clean, Poisson, trim, repair, decimate, color."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from ..errors import UserError
from ..events import Progress
from ..files.far_origin import mesh_note, shared_note
from ..files.ply import columns, write_vertices
from ..files.ply_mesh import VERTEX, read_mesh, write_mesh
from ..stage_settings import MeshSettings
from ..wording import Part, Sentence, option, run_stage, use
from .cloud_cleaning import ISLAND_GAP, in_large_islands, outliers, spacings
from .colors import colors_at
from .point_cloud import MIN_POINTS, Cloud, in_frame_of, read_cloud, thinned
from .poisson import run_in_child
from .region import in_box, in_subject, read_box
from .repair import cleaned, filled_holes, without_loose_parts
from .topology import Mesh, boundary, is_watertight, vertex_normals, volume
from .trimming import distance_to_cloud, trimmed

STEPS = ("cleaning the cloud", "Poisson surface", "trimming", "decimating", "coloring")
POINTS_PER_GB = 300_000  # memory of Poisson and trimming: benchmarks/measure/mesh_memory.py
MARGIN = 1.1  # COLMAP's Poisson works in a cube this much larger than the cloud
SHALLOWEST, DEEPEST = 6, 12
REACH = 3.1  # times the spacing: farther from the cloud, surface is removed
HOLE = 38.0  # times the spacing, side of a square: larger holes are not filled
SLIVER = 38.0  # times the spacing: slivers of the rim narrower than twice this are removed
RIM = 50.0  # times the spacing: longest rim of a hole that is closed afterwards
FAR_VERTEX = np.dtype(
    [(name, "<f8" if name in ("x", "y", "z") else VERTEX[name]) for name in VERTEX.names or ()]
)
LOOSE_SHARE = 0.02  # of the largest part's area: smaller parts are removed


@dataclass(frozen=True)
class MeshResult:
    """Vertices (VERTEX, or FAR_VERTEX in map coordinates, [N]) and faces int32 [M, 3], within the limit of faces and
    before decimation, and statistics."""

    mesh: tuple[np.ndarray, np.ndarray]
    full: tuple[np.ndarray, np.ndarray]
    facts: dict[str, Any]


@dataclass(frozen=True)
class SupportCloud:
    """The cloud that the mesh is built from: its points, their search tree, and the spacing of each."""

    cloud: Cloud
    tree: cKDTree
    spacing: np.ndarray
    median: float


Refiner = Callable[[Mesh], tuple[Mesh, dict[str, Any]]]
OffGround = Callable[[np.ndarray], np.ndarray | None]


def build_mesh(
    path: Path,
    model: Path,
    work: Path,
    settings: MeshSettings,
    progress: Progress,
    refiner: Refiner | None = None,
    cameras_offset: np.ndarray | None = None,
    off_ground: OffGround | None = None,
) -> MeshResult:
    """Mesh the cloud at `path`; `model` is COLMAP's, `work` a folder that is created and can be removed afterwards.

    refiner: applied to the mesh before it is decimated, in the model's frame; its statistics go to `refinement`.
    cameras_offset [3]: what was taken off the cameras' coordinates; a cloud in the same ones loses it too.
    off_ground: which points [N, 3] in the model's frame are kept, to leave the ground out; None if there is none.

    UserError, one sentence, if the cloud is unusable or gives no surface; Cancelled.
    """
    work.mkdir()
    progress.update(0, len(STEPS), STEPS[0])
    support, counts = _prepared(path, model, settings, progress, cameras_offset, off_ground)
    depth = settings.mesh_depth or _depth(support)
    progress.update(1, len(STEPS), STEPS[1])
    surface = _poisson(support, depth, work, progress)
    progress.update(2, len(STEPS), STEPS[2])
    full, done = _finished(surface, support, settings.closed)
    if refiner is not None:
        full, done["refinement"] = _refined(full, support.cloud.offset, refiner)
    progress.update(3, len(STEPS), STEPS[3])
    small = _decimated(full, settings.max_faces, work, progress)
    progress.update(4, len(STEPS), STEPS[4])
    facts = {
        "version": 1,
        "mesher": "poisson",
        "vertices": len(small.vertices),
        "faces": len(small.faces),
        "watertight": is_watertight(small),
        "boundary_edges": len(boundary(small.faces)),
        "full_vertices": len(full.vertices),
        "full_faces": len(full.faces),
        "depth": depth,
        "spacing": support.median,
        "cloud": counts,
        **done,
    }
    return MeshResult(_colored(small, support), _colored(full, support), facts)


def _prepared(
    path: Path,
    model: Path,
    settings: MeshSettings,
    progress: Progress,
    cameras_offset: np.ndarray | None = None,
    off_ground: OffGround | None = None,
) -> tuple[SupportCloud, dict[str, int]]:
    """The cleaned cloud, and the number of points removed at each step."""
    cloud = read_cloud(path)
    if cameras_offset is not None and (near := in_frame_of(cloud, cameras_offset)) is not None:
        cloud = near
        progress.info(shared_note(cameras_offset))
    if cloud.rgb is None:
        progress.warning(f"{path.name} has no colors: the mesh will be gray.")
    if cloud.offset.any():
        progress.info(mesh_note(cloud.offset))
    if cloud.step:
        progress.warning(
            f"{path.name} holds its map coordinates in single precision, in steps of {cloud.step:g}: write it in "
            "double precision, or with an offset taken off, or the mesh will have steps."
        )
    counts = {"points": len(cloud)}

    def keep(name: str, mask: np.ndarray, advice: str | Part) -> None:
        nonlocal cloud
        counts[name] = int(len(mask) - mask.sum())
        if mask.sum() < MIN_POINTS:
            raise UserError(
                Sentence(f"Of the {len(mask)} points {mask.sum()} are left ({name}): ", advice, ".")
            )
        cloud = cloud.select(mask)
        progress.check()

    if settings.crop:
        keep("outside_crop", in_box(cloud.in_model, read_box(settings.crop)), "move or enlarge the crop box")
    elif settings.region == "auto":
        keep("background", in_subject(cloud.in_model, model), use("region", "all"))
    if off_ground is not None:
        not_ground = off_ground(cloud.in_model)
        if not_ground is None:
            progress.warning("No ground was found: the mesh contains everything.")
        else:
            keep("ground", not_ground, use("ground", "keep"))
    max_points = int(settings.memory * POINTS_PER_GB)
    if len(cloud) > max_points:
        progress.info(
            Sentence(
                f"{len(cloud)} points are thinned to {max_points} or fewer, to keep to ",
                option("memory"),
                ".",
            )
        )
        counts["thinned"] = len(cloud)
        cloud = thinned(cloud, max_points)
        counts["thinned"] -= len(cloud)
    tree = cKDTree(cloud.xyz)
    own, neighbor_spacing = spacings(cloud.xyz, tree, progress)
    if not np.median(own) > 0:
        raise UserError(Sentence(f"{path} has most of its points in one place: ", run_stage("dense"), "."))
    if settings.clean == "auto":
        keep_mask = ~outliers(cloud, own, neighbor_spacing)
        own = own[keep_mask]
        keep("outliers", keep_mask, use("clean", "off"))
        keep_mask = in_large_islands(cloud.xyz, ISLAND_GAP * float(np.median(own)))
        own = own[keep_mask]
        keep("islands", keep_mask, use("clean", "off"))
        tree = cKDTree(cloud.xyz)
    counts["used"] = len(cloud)
    return SupportCloud(cloud, tree, own, float(np.median(own))), counts


def _depth(support: SupportCloud) -> int:
    """Octree cells just narrower than the spacing of points; benchmarks.measure.mesh shows what coarser ones lose."""
    extent = MARGIN * float(np.ptp(support.cloud.xyz, axis=0).max())
    return int(np.clip(np.ceil(np.log2(extent / support.median)), SHALLOWEST, DEEPEST))


def _poisson(support: SupportCloud, depth: int, work: Path, progress: Progress) -> Mesh:
    cloud = support.cloud
    vertices = np.empty(len(cloud), VERTEX.descr[:6])
    for axis, name in enumerate("xyz"):
        vertices[name], vertices["n" + name] = cloud.xyz[:, axis], cloud.normals[:, axis]
    write_vertices(work / "cloud.ply", vertices)
    # With several threads the order of summation varies, and the surface differs in the last digits.
    options = {"depth": depth, "trim": 0.0, "color": False, "num_threads": 1}
    run_in_child("poisson", work / "cloud.ply", work / "poisson.ply", options, progress)
    return mesh_of(work / "poisson.ply")


def mesh_of(path: Path) -> Mesh:
    """The mesh in a PLY file; UserError if it has no faces."""
    vertices, faces = read_mesh(path)
    xyz = columns(vertices, "x", "y", "z")
    if xyz is None or not len(faces):
        raise UserError(
            Sentence(
                "No surface could be built from the cloud: ",
                use("region", "all"),
                " or ",
                use("clean", "off"),
                ", or take more photos that overlap.",
            )
        )
    return Mesh(xyz, faces)


def _finished(surface: Mesh, support: SupportCloud, closed: bool) -> tuple[Mesh, dict[str, Any]]:
    """The trimmed and repaired mesh, and statistics."""
    before, filled = len(surface.faces), 0
    if not closed:
        remote = distance_to_cloud(surface, support.tree, support.spacing)
        surface, filled = trimmed(
            surface, remote, REACH, (HOLE * support.median) ** 2, SLIVER * support.median
        )
    trimmed_faces = max(0, before - len(surface.faces))
    surface, loose = without_loose_parts(cleaned(surface), LOOSE_SHARE)
    # A closed surface may bulge beyond the cube of Poisson, and be cut off there.
    surface, closed_holes = filled_holes(surface, np.inf if closed else RIM * support.median)
    if not len(surface.faces):
        raise UserError(
            Sentence(
                "Trimming removes the whole surface, since the cloud is too sparse: ",
                use("min_views", "2"),
                " or take more photos that overlap.",
            )
        )
    if is_watertight(surface) and volume(surface) < 0:
        surface = Mesh(surface.vertices, surface.faces[:, ::-1].copy())
    return surface, {
        "trimmed_faces": trimmed_faces,
        "loose_parts_removed": loose,
        "holes_filled": filled + closed_holes,
    }


def _refined(mesh: Mesh, offset: np.ndarray, refiner: Refiner) -> tuple[Mesh, dict[str, Any]]:
    """Apply the refiner in the model's frame, from which clouds in map coordinates are `offset` [3] away."""
    refined, facts = refiner(Mesh(mesh.vertices + offset, mesh.faces))
    return Mesh(refined.vertices - offset, refined.faces), facts


def _decimated(full: Mesh, faces: int, work: Path, progress: Progress) -> Mesh:
    """The mesh with at most `faces` faces, by quadric error metrics (Garland and Heckbert 1997)."""
    if len(full.faces) <= faces:
        return full
    vertices = np.empty(len(full.vertices), VERTEX.descr[:3])
    for axis, name in enumerate("xyz"):
        vertices[name] = full.vertices[:, axis]
    write_mesh(work / "full.ply", vertices, full.faces)
    # With a higher weight, the rim takes faces from the rest without being more accurate (benchmarks/measure/mesh.py).
    options = {"target_face_ratio": faces / len(full.faces), "boundary_weight": 100.0}
    run_in_child("simplify", work / "full.ply", work / "small.ply", options, progress)
    return cleaned(mesh_of(work / "small.ply"))


def _colored(mesh: Mesh, support: SupportCloud) -> tuple[np.ndarray, np.ndarray]:
    offset = support.cloud.offset
    vertices = np.empty(len(mesh.vertices), FAR_VERTEX if offset.any() else VERTEX)
    normals = vertex_normals(mesh)
    rgb = colors_at(mesh.vertices, support.tree, support.cloud.rgb, support.median)
    for axis, name in enumerate("xyz"):
        vertices[name], vertices["n" + name] = mesh.vertices[:, axis] + offset[axis], normals[:, axis]
    for channel, name in enumerate(("red", "green", "blue")):
        vertices[name] = rgb[:, channel]
    return vertices, mesh.faces
