"""A mesh that is open below gets a flat base to print on."""

from __future__ import annotations

import numpy as np
import pytest

from blender_recon3d.pipeline.exporting.print_mesh import closed
from blender_recon3d.pipeline.meshing.topology import Mesh, cross_products, is_watertight, volume
from tests.support.made_meshes import dome

Z_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


def half_sphere() -> Mesh:
    """Radius 1, open below, with a rim that is not level."""
    xyz, faces = dome(12)
    vertices = xyz @ Z_UP.T
    vertices = vertices + np.outer(0.1 * vertices[:, 0] * (vertices[:, 2] < 0.01), [0, 0, 1])
    return Mesh(vertices, faces if volume(Mesh(vertices, faces)) > 0 else faces[:, ::-1].copy())


def test_it_stands_on_a_plane_below_its_lowest_point():
    mesh = half_sphere()
    solid = closed(mesh)
    assert is_watertight(solid)
    lowest = solid.vertices[:, 2].min()
    assert lowest == pytest.approx(-0.1 - 0.02 * 1.1, abs=0.001)
    cross = cross_products(solid)
    base = (np.abs(solid.vertices[solid.faces][..., 2] - lowest) < 1e-6).all(axis=1)
    np.testing.assert_allclose(cross[base][:, :2], 0, atol=1e-9)
    assert (cross[base][:, 2] < 0).all()  # faces down
    assert -0.5 * cross[base][:, 2].sum() == pytest.approx(np.pi, rel=0.02)
    assert volume(solid) > 2 / 3 * np.pi * 0.98 + 0.1 * np.pi * 0.9


def test_a_hole_on_top_is_only_filled():
    mesh = half_sphere()
    upside_down = Mesh(mesh.vertices * [1, -1, -1], mesh.faces)
    solid = closed(upside_down)
    assert is_watertight(solid)
    assert solid.vertices[:, 2].min() == pytest.approx(upside_down.vertices[:, 2].min())
