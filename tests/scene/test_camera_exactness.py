"""A Blender camera projects every point where COLMAP does, to 0.005 px."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from bpy_extras.object_utils import world_to_camera_view  # noqa: E402
from mathutils import Matrix, Vector  # noqa: E402

from blender_recon3d.scene import cameras  # noqa: E402
from blender_recon3d.scene.importing import colmap_files  # noqa: E402
from tests.support.made_workspaces import look_at, project, quaternion  # noqa: E402

SHAPES = {"landscape": (1600, 1067), "portrait": (1067, 1600), "square": (800, 800), "wide": (4000, 900)}
TOLERANCE = 0.005


def a_pinhole(width: int, height: int, ratio: float) -> cameras.Pinhole:
    """Off-center by 3 % and -4 %; ratio = fx / fy."""
    f = 0.9 * max(width, height)
    return cameras.Pinhole(width, height, f * ratio, f, width * 0.53 - 0.37, height * 0.46 + 0.21)


def a_camera(pinhole: cameras.Pinhole, sensor_fit: str = "AUTO", parent_matrix: Matrix | None = None):
    """A camera with a general pose, created as by an import, as the scene's active camera."""
    rng = np.random.default_rng(3)
    q = rng.normal(size=4)
    q /= np.linalg.norm(q)
    t = np.array([0.3, -0.2, 5.0])
    image = colmap_files.Image(1, "a.jpg", 1, tuple(q), tuple(t))
    camera = cameras.create_camera("a", image, pinhole)
    camera.data.sensor_fit = sensor_fit
    scene = bpy.context.scene
    scene.collection.objects.link(camera)
    if parent_matrix is not None:
        empty = bpy.data.objects.new("Empty", None)
        empty.matrix_basis = parent_matrix
        scene.collection.objects.link(empty)
        camera.parent = empty
    cameras.look_through(scene, camera)
    bpy.context.view_layer.update()
    return camera, q, t


def points_in_view(pinhole: cameras.Pinhole, q: np.ndarray, t: np.ndarray, count: int = 300) -> np.ndarray:
    """Points in the model's frame that project all over the photo and slightly beyond, 2 to 50 units away."""
    rng = np.random.default_rng(1)
    pixels = rng.uniform(-0.05, 1.05, (count, 2)) * [pinhole.width, pinhole.height]
    depth = rng.uniform(2, 50, count)
    rays = (pixels - [pinhole.cx, pinhole.cy]) / [pinhole.fx, pinhole.fy]
    from tests.support.made_workspaces import rotation_matrix

    return (np.c_[rays, np.ones(count)] * depth[:, None] - t) @ rotation_matrix(q)


def blender_pixels(camera, xyz: np.ndarray) -> np.ndarray:
    """Through Blender's own projection matrix, in double precision; y runs down from the top."""
    scene = bpy.context.scene
    render = scene.render
    projection = camera.calc_matrix_camera(
        bpy.context.evaluated_depsgraph_get(),
        x=render.resolution_x,
        y=render.resolution_y,
        scale_x=render.pixel_aspect_x,
        scale_y=render.pixel_aspect_y,
    )
    view = camera.matrix_world.normalized().inverted()
    clip = np.c_[xyz, np.ones(len(xyz))] @ np.array(projection @ view, float).T
    ndc = clip[:, :2] / clip[:, 3:]
    return (ndc * [1, -1] + 1) / 2 * [render.resolution_x, render.resolution_y]


@pytest.mark.parametrize("ratio", [1.0, 1.07, 0.93])
@pytest.mark.parametrize("sensor_fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
@pytest.mark.parametrize("shape", SHAPES)
def test_projection_equals_colmap(shape, sensor_fit, ratio):
    pinhole = a_pinhole(*SHAPES[shape], ratio)
    camera, q, t = a_camera(pinhole, sensor_fit)
    xyz = points_in_view(pinhole, q, t)
    error = np.abs(blender_pixels(camera, xyz) - project(pinhole, q, t, xyz))
    assert error.max() < TOLERANCE


@pytest.mark.parametrize("sensor_fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
def test_projection_is_the_same_under_a_scaled_and_turned_empty(sensor_fit):
    pinhole = a_pinhole(1600, 1067, 1.07)
    world = Matrix.LocRotScale(
        Vector((3, -2, 1)), Matrix.Rotation(1.1, 3, (1, 2, 3)), Vector((0.4, 0.4, 0.4))
    )
    camera, q, t = a_camera(pinhole, sensor_fit, world)
    xyz = points_in_view(pinhole, q, t)
    world_xyz = xyz @ np.array(world)[:3, :3].T + np.array(world)[:3, 3]
    error = np.abs(blender_pixels(camera, world_xyz) - project(pinhole, q, t, xyz))
    assert error.max() < 4 * TOLERANCE  # the Empty's own matrix is single precision too


def test_world_to_camera_view_agrees():
    """The function that scripts use; it handles pixel aspect and shift in a different part of Blender."""
    pinhole = a_pinhole(1067, 1600, 1.0)
    camera, q, t = a_camera(pinhole)
    xyz = points_in_view(pinhole, q, t, 50)
    found = [world_to_camera_view(bpy.context.scene, camera, Vector(p)) for p in xyz]
    pixels = np.array([(v.x * pinhole.width, (1 - v.y) * pinhole.height) for v in found])
    assert np.abs(pixels - project(pinhole, q, t, xyz)).max() < 0.02  # it computes in single precision


@pytest.mark.parametrize(
    ("width", "height", "ratio", "sensor_fit"),
    [(96, 64, 1.0, "AUTO"), (64, 96, 1.3, "AUTO"), (96, 64, 0.8, "VERTICAL")],
)
def test_a_rendered_dot_is_where_colmap_projects_it(width, height, ratio, sensor_fit, tmp_path):
    """Independent of any projection matrix: Cycles renders small bright balls, whose centroids are measured."""
    pinhole = a_pinhole(width, height, ratio)
    _, q, t = a_camera(pinhole, sensor_fit)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 64
    scene.cycles.use_denoising = False
    scene.cycles.device = "CPU"
    scene.view_settings.view_transform = "Raw"
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.filepath = str(tmp_path / "dot.exr")
    emission = bpy.data.materials.new("Emission")
    if emission.node_tree is None:  # before 5.0
        emission.use_nodes = True
    emission.node_tree.nodes.clear()
    shader = emission.node_tree.nodes.new("ShaderNodeEmission")
    output = emission.node_tree.nodes.new("ShaderNodeOutputMaterial")
    emission.node_tree.links.new(shader.outputs[0], output.inputs[0])

    from tests.support.made_workspaces import rotation_matrix

    for pixel in ([20.3, 17.8], [width - 20.6, height - 15.4]):
        ray = (np.array(pixel) - [pinhole.cx, pinhole.cy]) / [pinhole.fx, pinhole.fy]
        center = (np.array([*ray, 1.0]) * 8 - t) @ rotation_matrix(q)
        bpy.ops.mesh.primitive_uv_sphere_add(radius=8 / pinhole.fx * 1.5, location=center)
        ball = bpy.context.object
        ball.data.materials.append(emission)
        bpy.ops.render.render(write_still=True)
        bpy.data.objects.remove(ball)
        picture = bpy.data.images.load(scene.render.filepath)
        values = np.array(picture.pixels[:]).reshape(height, width, -1)[::-1, :, :3].sum(axis=2)
        bpy.data.images.remove(picture)
        rows, columns = np.mgrid[:height, :width] + 0.5
        centroid = np.array([(values * columns).sum(), (values * rows).sum()]) / values.sum()
        assert values.sum() > 0
        assert np.abs(centroid - pixel).max() < 0.1  # Monte Carlo noise and a ball that is not a point


def test_exact_numbers_are_kept_in_double_precision():
    pinhole = cameras.Pinhole(1600, 1067, 1437.675853232003, 1437.1, 800.123456789, 533.5)
    camera, q, t = a_camera(pinhole)
    assert cameras.pinhole_from(camera.data) == pinhole
    assert np.array_equal(camera["recon3d"]["qvec"], q)
    assert np.array_equal(camera["recon3d"]["tvec"], t)


def test_pose_looks_at_what_colmap_looks_at():
    center = np.array([1.0, -2.0, -6.0])
    q, t = look_at(center, np.zeros(3))
    rotation, location = cameras.pose_of(tuple(q), tuple(t))
    assert np.allclose(location, center, atol=1e-12)
    forward = Vector((0, 0, -1))
    from mathutils import Quaternion

    forward.rotate(Quaternion(rotation))
    assert np.allclose(forward, -center / np.linalg.norm(center), atol=1e-6)
    assert np.isclose(np.linalg.norm(quaternion(np.eye(3))), 1)


@pytest.mark.parametrize(
    "params",
    [(0.0, 50.0, 30.0, 20.0), (-5.0, 50.0, 30.0, 20.0), (50.0, 1e-9, 30.0, 20.0), (1e-3, 1e-3, 30.0, 20.0)],
)
def test_impossible_intrinsics_are_one_message(params, tmp_path):
    camera = colmap_files.Camera(1, "PINHOLE", 60, 40, params)
    with pytest.raises(colmap_files.FileFormatError, match="camera 1 cannot be represented"):
        cameras.pinhole_of(camera, tmp_path)


@pytest.mark.parametrize(("width", "height"), [(600, 400), (400, 600)])
def test_film_back_and_lens_alone_determine_both_fields_of_view(width, height):
    """The properties of a camera that FBX and Alembic keep."""
    pinhole = cameras.Pinhole(width, height, 550.0, 550.0, width / 2, height / 2)
    image = colmap_files.Image(1, "photo.jpg", 1, (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    data = cameras.create_camera("camera", image, pinhole).data
    assert data.sensor_width / 2 / data.lens == pytest.approx(width / 2 / 550.0, rel=1e-6)
    assert data.sensor_height / 2 / data.lens == pytest.approx(height / 2 / 550.0, rel=1e-6)
