"""The preview shows cloud and cameras, and leaves the file unchanged."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from blender_recon3d.scene.preview import LINE_COLOR, render_preview  # noqa: E402
from tests.support.made_workspaces import ring, write_workspace  # noqa: E402


def test_cloud_and_frames_are_in_the_picture(tmp_path):
    made = ring(8, 3000)
    made.rgb[:] = (10, 200, 40)
    made.xyz[:20] *= 1e4  # outliers must not push the subject into a corner
    result = import_workspace(write_workspace(tmp_path / "w", made))
    before = {
        name: len(getattr(bpy.data, name)) for name in ("objects", "meshes", "curves", "worlds", "scenes")
    }
    render_preview(result, tmp_path / "a.png", (240, 160))
    assert {name: len(getattr(bpy.data, name)) for name in before} == before
    picture = bpy.data.images.load(str(tmp_path / "a.png"))
    assert tuple(picture.size) == (240, 160)
    pixels = np.array(picture.pixels[:]).reshape(160, 240, 4)[..., :3]  # as in the file: sRGB
    cloud = np.abs(pixels - np.array([10, 200, 40]) / 255).max(axis=2) < 0.1
    assert 0.01 < cloud.mean() < 0.5
    assert 60 < np.nonzero(cloud)[1].mean() < 180  # around the center
    orange = (pixels[..., 0] > 0.6) & (pixels[..., 2] < 0.5) & (pixels[..., 0] > pixels[..., 2] + 0.3)
    assert orange.sum() > 50 and LINE_COLOR[0] > LINE_COLOR[2]
    # Frames all around: in each half of the picture.
    assert orange[:, :120].any() and orange[:, 120:].any()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_cameras_and_no_points_are_rendered_too(count, tmp_path):
    result = import_workspace(write_workspace(tmp_path / "w", ring(count, 0)))
    render_preview(result, tmp_path / "a.png", (60, 40))
    assert (tmp_path / "a.png").stat().st_size > 0
