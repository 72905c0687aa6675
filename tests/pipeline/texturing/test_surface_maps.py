"""Maps of the mesh's own shape: ambient occlusion, normals, tangents."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.stage_settings import TextureSettings
from blender_recon3d.pipeline.stages import texture as stage
from blender_recon3d.pipeline.texturing.given_mesh import normals_of
from blender_recon3d.pipeline.texturing.occlusion import ambient_occlusion
from blender_recon3d.pipeline.texturing.surface_maps import Detail, normal_map
from blender_recon3d.pipeline.texturing.tangents import tangents
from blender_recon3d.pipeline.texturing.textured_mesh import TexturedMesh
from tests.support.painted_scene import write_capture


def grid(count: int, size: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A square of count x count vertices at z = 0, facing up: vertices, faces and UVs."""
    place = np.linspace(0, 1, count)
    x, y = (part.ravel() for part in np.meshgrid(place, place))
    number = np.arange(count * count).reshape(count, count)
    a, b, c, d = (
        part.ravel() for part in (number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1])
    )
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
    return np.stack([size * x, size * y, 0 * x], axis=1), faces, np.stack([x, y], axis=1)


def test_an_open_plane_gets_all_light_and_the_foot_of_a_wall_half():
    """Beside a long, high wall half of the sky is hidden: by the cosine law exactly half of the light is."""
    floor, faces, _ = grid(81, 2.0)
    wall, wall_faces, _ = grid(81, 2.0)
    wall = np.stack([np.zeros(len(wall)), wall[:, 1], wall[:, 0]], axis=1)  # x = 0, facing +x
    vertices = np.concatenate([floor, wall])
    normals = np.repeat([[0.0, 0, 1], [1, 0, 0]], len(floor), axis=0)
    light = ambient_occlusion(vertices, normals, np.concatenate([faces, wall_faces + len(floor)]), Progress())
    middle = np.abs(floor[:, 1] - 1) < 0.1
    near = middle & (floor[:, 0] > 0.03) & (floor[:, 0] < 0.08)
    far = middle & (floor[:, 0] > 1.9)
    assert light[: len(floor)][near].mean() == pytest.approx(0.5, abs=0.06)
    # Seen from 2 away, the wall (2 high, 1 to either side) hides 8 % by its form factor.
    assert light[: len(floor)][far].mean() == pytest.approx(0.92, abs=0.04)
    alone = ambient_occlusion(floor, np.repeat([[0.0, 0, 1]], len(floor), axis=0), faces, Progress())
    assert alone.min() > 0.99


def test_tangents_follow_u_and_the_bitangent_v():
    vertices, faces, uv = grid(9)
    normals = np.repeat([[0.0, 0, 1]], len(vertices), axis=0)
    np.testing.assert_allclose(
        tangents(vertices, normals, uv, faces), np.tile([1, 0, 0, 1], (len(uv), 1)), atol=1e-6
    )
    mirrored = tangents(vertices, normals, uv * [-1, 1] + [1, 0], faces)
    np.testing.assert_allclose(mirrored, np.tile([-1, 0, 0, -1], (len(uv), 1)), atol=1e-6)


def test_a_normal_map_gives_a_flat_mesh_the_normals_of_the_waves_it_stands_for():
    vertices, faces, uv = grid(5)
    dense, dense_faces, _ = grid(401)
    waves = dense + np.stack(
        [0 * dense[:, 0], 0 * dense[:, 0], 0.01 * np.sin(20 * dense[:, 0]) * np.cos(15 * dense[:, 1])], axis=1
    )
    up = np.repeat([[0.0, 0, 1]], len(vertices), axis=0)
    turn = uv @ np.array([[0.0, 1], [-1, 0]]) + [1, 0]  # the chart is turned by a quarter
    mesh = TexturedMesh(
        vertices, up, np.zeros((len(up), 3), np.uint8), turn, np.arange(len(up), dtype=np.int32), faces
    )
    size = 128
    image = normal_map(mesh, Detail.of(waves, normals_of(waves, dense_faces)), size).astype(float)
    found = image / 127.5 - 1
    row, column = (part.ravel() for part in np.mgrid[0:size, 0:size])
    u, v = (column + 0.5) / size, 1 - (row + 0.5) / size
    x, y = v, 1 - u  # the inverse of `turn`
    slope_x, slope_y = 0.2 * np.cos(20 * x) * np.cos(15 * y), -0.15 * np.sin(20 * x) * np.sin(15 * y)
    # Along u the surface goes toward -y, along v toward x.
    wanted = np.stack([slope_y, -slope_x, np.ones_like(x)], axis=1)
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    assert np.abs(found.reshape(-1, 3) - wanted).max() < 0.03
    assert np.abs(wanted[:, :2]).max() > 0.14


def test_the_stage_makes_the_maps_that_are_asked_for(tmp_path):
    capture = write_capture(tmp_path / "workspace", 4)
    workspace = capture.workspace
    workspace.full_mesh_file.write_bytes(workspace.mesh_file.read_bytes())
    settings = TextureSettings(texture_size=512, normal_map=True, occlusion_map=True)
    stage.run(workspace, settings, Progress())
    normal = cv2.imread(str(workspace.texture / "normal.png"))[..., ::-1].astype(int)
    light = cv2.imread(str(workspace.texture / "occlusion.png"), cv2.IMREAD_UNCHANGED)
    assert normal.shape == (256, 256, 3) and light.shape == (256, 256)
    # The detailed mesh is the mesh itself.
    assert np.abs(normal - [128, 128, 255]).max() <= 2
    assert light.max() > 250 and light.min() < 60  # open ground, and the ground beneath the box
