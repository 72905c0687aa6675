"""The cloud has the file's colors, normals and confidence exactly, and is visible in a render."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.scene import point_display  # noqa: E402
from blender_recon3d.scene.cloud import create_cloud, spacing  # noqa: E402
from blender_recon3d.scene.points import Points  # noqa: E402
from tests.support.shown_points import shown_points  # noqa: E402


def all_colors() -> Points:
    """256 points with every byte value in each channel, on a line."""
    values = np.arange(256)
    rgb = np.stack([values, values[::-1], (values * 7) % 256], axis=1).astype(np.uint8)
    xyz = np.stack([values, values * 0, values * 0], axis=1).astype(np.float32)
    normals = np.tile(np.array([[0.6, 0.0, 0.8]], np.float32), (256, 1))
    return Points(xyz, rgb, normals, values.astype(np.int32))


def get(attribute, field: str, width: int, kind=np.float32) -> np.ndarray:
    values = np.empty(len(attribute.data) * width, kind)
    attribute.data.foreach_get(field, values)
    return values.reshape(-1, width)


def linked(cloud):
    bpy.context.scene.collection.objects.link(cloud)
    bpy.context.view_layer.update()
    return cloud


def test_colors_are_the_files_srgb_bytes():
    points = all_colors()
    colors = create_cloud(points).data.attributes["Col"]
    assert (colors.data_type, colors.domain) == ("BYTE_COLOR", "POINT")
    srgb = get(colors, "color_srgb", 4)
    assert np.array_equal(np.rint(srgb[:, :3] * 255), points.rgb) and (srgb[:, 3] == 1).all()
    c = points.rgb / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)  # IEC 61966-2-1
    assert np.allclose(get(colors, "color", 4)[:, :3], linear, atol=1e-4)


def test_normals_and_confidence_are_kept(tmp_path):
    """Also in a saved file: some attribute names have another meaning in some versions."""
    points = all_colors()
    linked(create_cloud(points, "Cloud"))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    attributes = bpy.data.objects["Cloud"].data.attributes
    assert np.array_equal(get(attributes["normal"], "vector", 3), points.normals)
    assert np.array_equal(get(attributes["confidence"], "value", 1, np.int32)[:, 0], points.views)
    assert np.array_equal(get(attributes["position"], "vector", 3), points.xyz)


def test_a_cloud_without_color_normals_or_views():
    cloud = linked(create_cloud(Points(np.zeros((3, 3), np.float32))))
    assert len(cloud.data.vertices) == 3 and "Col" not in cloud.data.attributes


def test_an_empty_cloud():
    assert len(linked(create_cloud(Points(np.zeros((0, 3), np.float32)))).data.vertices) == 0


def test_all_points_are_shown():
    assert shown_points(linked(create_cloud(all_colors()))) == 256


def test_large_clouds_are_thinned_in_the_viewport(monkeypatch):
    monkeypatch.setattr(point_display, "VIEWPORT_POINTS", 64)
    cloud = linked(create_cloud(all_colors()))
    assert point_display.get_input(cloud.modifiers[0], point_display.VIEWPORT_SHARE) == 0.25
    assert 30 <= shown_points(cloud) <= 100  # a quarter of 256, at random


def test_clouds_share_one_node_group_and_material():
    for _ in range(3):
        linked(create_cloud(all_colors()))
    assert len(bpy.data.node_groups) == 1 and len(bpy.data.materials) == 1


def test_a_rendered_cloud_has_the_photos_color(tmp_path):
    """Cycles shows a plane of points with the sRGB value that was written into the cloud."""
    rng = np.random.default_rng(0)
    xyz = np.c_[rng.uniform(-1, 1, (4000, 2)), np.zeros(4000)].astype(np.float32)
    rgb = np.tile(np.array([[200, 100, 30]], np.uint8), (4000, 1))
    cloud = linked(create_cloud(Points(xyz, rgb)))
    point_display.set_input(cloud.modifiers[0], point_display.RADIUS, 0.1)
    scene = bpy.context.scene
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location = (0, 0, 3)
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", 4, False
    scene.render.resolution_x = scene.render.resolution_y = 16
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(tmp_path / "cloud.png")
    bpy.ops.render.render(write_still=True)
    picture = bpy.data.images.load(scene.render.filepath)
    middle = np.array(picture.pixels[:]).reshape(16, 16, 4)[6:10, 6:10, :3] * 255
    assert np.abs(middle - [200, 100, 30]).max() <= 2  # rounding to bytes, twice


@pytest.mark.parametrize("count", [500, 20_000, 120_000])
def test_spacing_of_random_points_on_a_surface(count):
    """1 / sqrt(density): the sample's size does not matter. Random neighbors vary by a few percent."""
    rng = np.random.default_rng(1)
    xyz = np.c_[rng.uniform(0, 3, (count, 2)), np.zeros(count)].astype(np.float32)
    assert spacing(xyz) == pytest.approx((9 / count) ** 0.5, rel=0.1)


def test_spacing_when_all_points_are_one():
    assert spacing(np.ones((10, 3), np.float32)) > 0
    assert spacing(np.ones((1, 3), np.float32)) > 0
