"""From clouds of known shapes to meshes: open stays open, floaters are removed, budgets kept, faults reported."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.errors import Cancelled, UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.ply import write_vertices
from blender_recon3d.pipeline.meshing.build_mesh import MeshResult, build_mesh
from blender_recon3d.pipeline.meshing.topology import Mesh, boundary, edges, face_components, vertex_normals
from blender_recon3d.pipeline.stage_settings import MeshSettings

NOISE = 0.002  # of the sphere's radius
FACES = 3000


def sphere(count: int = 12_000, lowest: float = -1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points [N, 3] of a unit sphere above z = lowest, with noise, and their normals."""
    random = np.random.default_rng(seed)
    normals = random.normal(size=(count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals[normals[:, 2] > lowest]
    return normals + random.normal(0, NOISE, normals.shape), normals


def write_cloud(
    path: Path, points: np.ndarray, normals: np.ndarray | None, rgb: np.ndarray | None = None, views: int = 6
) -> Path:
    names = ["x", "y", "z"] + ([] if normals is None else ["nx", "ny", "nz"])
    kinds = [(name, "<f4") for name in names]
    kinds += [] if rgb is None else [(name, "u1") for name in ("red", "green", "blue")]
    table = np.zeros(len(points), [*kinds, ("views", "u1")])
    for axis, name in enumerate("xyz"):
        table[name] = points[:, axis]
        if normals is not None:
            table["n" + name] = normals[:, axis]
    for channel, name in enumerate(("red", "green", "blue") if rgb is not None else ()):
        table[name] = rgb[:, channel]
    table["views"] = views
    write_vertices(path, table)
    return path


def no_cameras(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    pycolmap.Reconstruction().write(folder)
    return folder


def meshed(tmp_path: Path, points: np.ndarray, normals: np.ndarray | None, **options: object) -> MeshResult:
    rgb = options.pop("rgb", np.full((len(points), 3), (200, 30, 90), np.uint8))
    cloud = write_cloud(tmp_path / "cloud.ply", points, normals, rgb)
    settings = MeshSettings(**{"max_faces": FACES, **options})
    return build_mesh(cloud, no_cameras(tmp_path / "model"), tmp_path / "work", settings, Progress())


def as_mesh(part: tuple[np.ndarray, np.ndarray]) -> Mesh:
    vertices, faces = part
    return Mesh(np.stack([vertices[name].astype(np.float64) for name in "xyz"], axis=1), faces)


@pytest.fixture(scope="module")
def bowl(tmp_path_factory) -> MeshResult:
    """A sphere without its lower quarter."""
    return meshed(tmp_path_factory.mktemp("bowl"), *sphere(lowest=-0.5))


def test_an_open_bottom_stays_open_with_one_rim_where_the_points_end(bowl):
    mesh = as_mesh(bowl.full)
    assert not bowl.facts["watertight"]
    rim = boundary(mesh.faces)
    assert len(np.unique(rim[:, 0])) == len(rim)  # each vertex once: loops that do not touch
    heights = mesh.vertices[rim[:, 0], 2]
    # Trimming extends a few spacings (.03) beyond the last points.
    assert -0.75 < heights.min() and heights.max() < -0.4
    assert np.ptp(heights) < 0.12  # a smooth rim, not a torn one


def test_the_surface_is_the_spheres_and_looks_outward(bowl):
    for part in (bowl.mesh, bowl.full):
        mesh = as_mesh(part)
        inner = mesh.vertices[mesh.vertices[:, 2] > -0.3]
        assert np.abs(np.linalg.norm(inner, axis=1) - 1).mean() < 3 * NOISE
        stored = np.stack([part[0][name] for name in ("nx", "ny", "nz")], axis=1)
        # Computed before positions were rounded to single precision, which rotates the narrowest faces a little.
        assert ((stored * vertex_normals(mesh)).sum(axis=1) > 0.999).all()
        assert ((stored * mesh.vertices).sum(axis=1) > 0.5).all()


def test_the_budget_is_kept_and_the_full_mesh_has_more(bowl):
    assert 0.9 * FACES < len(bowl.mesh[1]) <= FACES
    assert len(bowl.full[1]) > 1.5 * FACES
    assert bowl.facts["faces"] == len(bowl.mesh[1]) and bowl.facts["full_faces"] == len(bowl.full[1])


def test_a_whole_sphere_is_flagged_watertight_before_and_after_decimation(tmp_path):
    built = meshed(tmp_path, *sphere())
    assert built.facts["watertight"] and built.facts["boundary_edges"] == 0
    assert len(boundary(built.full[1])) == 0


def test_a_closed_mesh_can_be_made_of_an_open_cloud(tmp_path):
    built = meshed(tmp_path, *sphere(lowest=-0.5), closed=True)
    assert built.facts["watertight"]


def test_floaters_and_islands_are_removed_and_the_subject_stays(tmp_path):
    points, normals = sphere(lowest=-0.5)
    random = np.random.default_rng(1)
    lone = random.uniform(-3, 3, (150, 3))
    lone = lone[np.abs(np.linalg.norm(lone, axis=1) - 1) > 0.5]
    blob, blob_normals = sphere(80, seed=3)
    everything = np.concatenate([points, lone, 0.05 * blob + [2.0, 0, 0]])
    directions = np.concatenate([normals, np.tile([1.0, 0, 0], (len(lone), 1)), blob_normals])
    built = meshed(tmp_path, everything, directions)
    mesh = as_mesh(built.full)
    assert len(np.unique(face_components(mesh.faces))) == 1
    assert np.abs(np.linalg.norm(mesh.vertices, axis=1) - 1).max() < 0.15
    assert cKDTree(mesh.vertices).query(points)[0].max() < 0.15  # nothing of the subject is missing
    assert built.facts["cloud"]["outliers"] + built.facts["cloud"]["islands"] >= len(lone) + len(blob)


def test_a_small_hole_is_filled_and_a_wide_one_is_not(tmp_path):
    points, normals = sphere(20_000)
    spacing = 0.03
    for index, (radius, watertight) in enumerate(((4 * spacing, True), (0.7, False))):
        keep = np.linalg.norm(points - [1.0, 0, 0], axis=1) > radius
        folder = tmp_path / str(index)
        folder.mkdir()
        built = meshed(folder, points[keep], normals[keep])
        assert built.facts["watertight"] == watertight


def test_colors_are_those_of_the_nearest_points(tmp_path):
    points, normals = sphere(lowest=-0.5)
    rgb = np.where(points[:, :1] > 0, [[250, 10, 20]], [[10, 20, 240]]).astype(np.uint8)
    built = meshed(tmp_path, points, normals, rgb=rgb)
    vertices = built.mesh[0]
    right, left = vertices[vertices["x"] > 0.15], vertices[vertices["x"] < -0.15]
    assert (right["red"] == 250).all() and (left["blue"] == 240).all()


def test_a_cloud_without_color_gives_a_gray_mesh_and_a_warning(tmp_path):
    points, normals = sphere(lowest=-0.5)
    cloud = write_cloud(tmp_path / "cloud.ply", points, normals)
    events: list = []
    built = build_mesh(
        cloud,
        no_cameras(tmp_path / "model"),
        tmp_path / "work",
        MeshSettings(max_faces=FACES),
        Progress(events.append),
    )
    assert len(np.unique(built.mesh[0][["red", "green", "blue"]])) == 1
    assert [event.message for event in events if event.kind == "warning"] == [
        "cloud.ply has no colors: the mesh will be gray."
    ]


def test_a_crop_box_keeps_what_is_inside_and_its_cut_stays_open(tmp_path):
    half_turn = np.radians(30)
    turn = np.array(
        [[np.cos(half_turn), -np.sin(half_turn), 0], [np.sin(half_turn), np.cos(half_turn), 0], [0, 0, 1]]
    )
    box = np.column_stack([turn @ np.diag([1.5, 1.5, 0.8]), [0, 0, 0.8]])  # z from 0 to 1.6
    (tmp_path / "box.json").write_text(json.dumps({"matrix": box.tolist()}))
    for crop in (str(tmp_path / "box.json"), ",".join(map(str, box.ravel()))):
        built = meshed(tmp_path, *sphere(), crop=crop)
        heights = built.full[0]["z"]
        assert -0.25 < heights.min() < 0.05 and heights.max() > 0.95
        assert not built.facts["watertight"]
        for path in (tmp_path / "work").iterdir():
            path.unlink()
        (tmp_path / "work").rmdir()


def test_points_beyond_the_memory_are_thinned_with_a_message(tmp_path, monkeypatch):
    monkeypatch.setattr("blender_recon3d.pipeline.meshing.build_mesh.POINTS_PER_GB", 2000)
    built = meshed(tmp_path, *sphere())
    assert built.facts["cloud"]["used"] <= 8000  # 4 GB
    assert built.facts["cloud"]["thinned"] >= 4000
    vertices = as_mesh(built.full).vertices
    assert np.abs(np.linalg.norm(vertices, axis=1) - 1).mean() < 3 * NOISE


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p, n: (p[:0], n[:0]), "0 points, too few"),
        (lambda p, n: (p[:50], n[:50]), "50 points, too few"),
        (lambda p, n: (p, None), "without normals"),
        (lambda p, n: (np.full_like(p, np.nan), n), "0 points, too few"),
        (lambda p, n: (p, np.zeros_like(n)), "0 points, too few"),
        (lambda p, n: (np.zeros_like(p), n), "in one place"),
    ],
)
def test_a_cloud_that_is_not_a_surface_is_refused_with_one_message(tmp_path, change, words):
    with pytest.raises(UserError, match=words) as caught:
        meshed(tmp_path, *change(*sphere(2000)))
    assert len(str(caught.value).splitlines()) == 1


def test_scattered_points_give_a_sound_mesh(tmp_path):
    random = np.random.default_rng(0)
    points = random.uniform(-1, 1, (300, 3))
    normals = random.normal(size=(300, 3))
    _, faces = meshed(tmp_path, points, normals).mesh
    assert len(faces) > 100 and edges(faces).counts.max() <= 2


def test_a_damaged_cloud_names_the_file(tmp_path):
    cloud = write_cloud(tmp_path / "cloud.ply", *sphere(2000))
    cloud.write_bytes(cloud.read_bytes()[:-5000])
    with pytest.raises(UserError, match=r"cloud\.ply cannot be read"):
        build_mesh(cloud, no_cameras(tmp_path / "model"), tmp_path / "work", MeshSettings(), Progress())


def test_a_cancel_ends_the_surface_reconstruction(tmp_path):
    cloud = write_cloud(tmp_path / "cloud.ply", *sphere())
    at_poisson: list[bool] = []
    progress = Progress(lambda event: at_poisson.append("Poisson" in event.message), lambda: any(at_poisson))
    with pytest.raises(Cancelled):
        build_mesh(cloud, no_cameras(tmp_path / "model"), tmp_path / "work", MeshSettings(), progress)
