"""Render a picture of an imported reconstruction: mesh or cloud, and the photos where they were taken.

Blender does not render its cameras, so frames and photos are created as objects in a temporary scene.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from .cameras import pinhole_from, typical_spacing
from .importing.import_workspace import ImportResult
from .points import robust_box

LINE_COLOR = (1.0, 0.42, 0.08, 1.0)
BACKGROUND = ((0.030, 0.036, 0.048), (0.115, 0.130, 0.155))  # bottom, top; linear
# Views to try, in degrees: rotated away from the photos' viewing direction, and raised. The first is used unless
# another hides clearly less of the cloud behind the photos.
TURNS = (32, -32, 50, -50, 10)
ELEVATIONS = (24, 34, 46)


def render_preview(result: ImportResult, path: str | Path, size: tuple[int, int] = (1200, 800)) -> None:
    """Render a three-quarter view of the cameras and the mesh, or else the cloud, to a PNG file (Cycles, CPU)."""
    bpy.context.view_layer.update()
    scene = bpy.data.scenes.new("Recon3D Preview")
    temporary: list[bpy.types.ID] = []
    try:
        _set_up(scene, size)
        temporary.append(_background(scene))
        scene.collection.objects.link(result.mesh or result.cloud)
        cameras = list(result.cameras.values())
        frame_size = _frame_size(cameras)
        temporary += _frames(scene, cameras, frame_size)
        view, seen = _viewpoint(scene, result, frame_size)
        temporary += [view, view.data]
        if result.mesh is not None:
            temporary += _headlight(scene, view)
        temporary += _photos(
            scene, [c for c in cameras if not _is_in_the_way(c, view, seen, frame_size)], frame_size
        )
        scene.render.filepath = str(Path(path).absolute())
        bpy.ops.render.render(write_still=True, scene=scene.name)
    finally:
        bpy.data.scenes.remove(scene)
        for item in temporary:
            bpy.data.batch_remove([item])


def _set_up(scene: bpy.types.Scene, size: tuple[int, int]) -> None:
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y, render.resolution_percentage = *size, 100
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGB"
    scene.view_settings.view_transform = "Standard"  # the cloud's colors as they are
    scene.cycles.device = "CPU"
    scene.cycles.samples = 24
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.use_denoising = False
    scene.cycles.max_bounces = 0  # all materials are emissive
    scene.cycles.transparent_max_bounces = 32


def _background(scene: bpy.types.Scene) -> bpy.types.World:
    """A vertical gradient over the picture."""
    world = scene.world = bpy.data.worlds.new("Recon3D Preview")
    if world.node_tree is None:  # before 5.0
        world.use_nodes = True
    tree = world.node_tree
    tree.nodes.clear()
    window = tree.nodes.new("ShaderNodeTexCoord")
    separate = tree.nodes.new("ShaderNodeSeparateXYZ")
    mix = tree.nodes.new("ShaderNodeMixRGB")
    background = tree.nodes.new("ShaderNodeBackground")
    output = tree.nodes.new("ShaderNodeOutputWorld")
    mix.inputs["Color1"].default_value = (*BACKGROUND[0], 1.0)
    mix.inputs["Color2"].default_value = (*BACKGROUND[1], 1.0)
    tree.links.new(window.outputs["Window"], separate.inputs[0])
    tree.links.new(separate.outputs["Y"], mix.inputs["Fac"])
    tree.links.new(mix.outputs["Color"], background.inputs["Color"])
    tree.links.new(background.outputs[0], output.inputs["Surface"])
    return world


def _headlight(scene: bpy.types.Scene, view: bpy.types.Object) -> list[bpy.types.ID]:
    """A sun behind the camera that gives surfaces facing it their own color."""
    data = bpy.data.lights.new("Recon3D Preview", "SUN")
    data.energy = math.pi
    data.use_shadow = False
    if hasattr(data.cycles, "cast_shadow"):  # before 5.0
        data.cycles.cast_shadow = False
    sun = bpy.data.objects.new(data.name, data)
    sun.rotation_mode = "QUATERNION"
    sun.rotation_quaternion = view.rotation_quaternion
    scene.collection.objects.link(sun)
    return [sun, data]


# -- cameras as objects -----------------------------------------------------------------------------


def _pose(camera: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """World rotation [3, 3] without scale, and center [3], of a camera."""
    matrix = np.array(camera.matrix_world.normalized())
    return matrix[:3, :3], matrix[:3, 3]


def _frame_size(cameras: list[bpy.types.Object]) -> float:
    """Distance of a camera's frame from its center, in world units."""
    centers = np.array([_pose(camera)[1] for camera in cameras]).reshape(-1, 3)
    if len(centers) < 2:
        return 0.3
    extent = float(np.linalg.norm(np.ptp(centers, axis=0)))
    spacing = typical_spacing([tuple(center) for center in centers.tolist()])
    return min(max(0.45 * spacing, 0.025 * extent), 0.065 * extent) or 0.3


def _corners(camera: bpy.types.Object, depth: float) -> list[Vector]:
    """The photo's corners at a depth, in the world, counterclockwise from the bottom left."""
    p = pinhole_from(camera.data)
    rotation, center = _pose(camera)
    # The depth is adjusted so that all frames have about the same area, whatever their focal length.
    depth *= math.sqrt(p.fx * p.fy) / math.sqrt(p.width * p.height)
    corners = []
    for u, v in ((0, p.height), (p.width, p.height), (p.width, 0), (0, 0)):
        local = np.array([(u - p.cx) / p.fx, -(v - p.cy) / p.fy, -1.0]) * depth
        corners.append(Vector((rotation @ local + center).tolist()))
    return corners


def _frames(scene: bpy.types.Scene, cameras: list[bpy.types.Object], size: float) -> list[bpy.types.ID]:
    """All cameras' pyramids as thin tubes in one curve object."""
    curve = bpy.data.curves.new("Recon3D Frames", "CURVE")
    curve.dimensions = "3D"
    curve.bevel_depth = size * 0.012
    curve.bevel_resolution = 0
    for camera in cameras:
        corners = _corners(camera, size)
        _line(curve, [*corners, corners[0]])
        center = camera.matrix_world.translation
        _line(curve, [corners[0], center, corners[2]])
        _line(curve, [corners[1], center, corners[3]])
    material = _material("Recon3D Frames")
    emission = material.node_tree.nodes.new("ShaderNodeEmission")
    emission.inputs["Color"].default_value = LINE_COLOR
    _surface(material, emission)
    curve.materials.append(material)
    lines = bpy.data.objects.new(curve.name, curve)
    scene.collection.objects.link(lines)
    return [lines, curve, material]


def _line(curve: bpy.types.Curve, points: list[Vector]) -> None:
    spline = curve.splines.new("POLY")
    spline.points.add(len(points) - 1)
    spline.points.foreach_set("co", [c for p in points for c in (*p, 1.0)])


def _photos(scene: bpy.types.Scene, cameras: list[bpy.types.Object], size: float) -> Iterable[bpy.types.ID]:
    """The photos in their cameras' frames, seen from both sides."""
    temporary: list[bpy.types.ID] = []
    for camera in cameras:
        backgrounds = camera.data.background_images
        if not backgrounds or backgrounds[0].image is None:
            continue
        mesh = bpy.data.meshes.new("Recon3D Photo")
        mesh.from_pydata(_corners(camera, size), [], [(0, 1, 2, 3)])
        mesh.uv_layers.new().data.foreach_set("uv", [0, 0, 1, 0, 1, 1, 0, 1])
        material = _material("Recon3D Photo")
        nodes = material.node_tree.nodes
        texture = nodes.new("ShaderNodeTexImage")
        texture.image = backgrounds[0].image
        emission = nodes.new("ShaderNodeEmission")
        emission.inputs["Strength"].default_value = 0.9
        material.node_tree.links.new(texture.outputs["Color"], emission.inputs["Color"])
        _surface(material, emission)
        mesh.materials.append(material)
        photo = bpy.data.objects.new(mesh.name, mesh)
        scene.collection.objects.link(photo)
        temporary += [photo, mesh, material]
    return temporary


def _material(name: str) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    if material.node_tree is None:  # before 5.0
        material.use_nodes = True
    material.node_tree.nodes.clear()
    return material


def _surface(material: bpy.types.Material, shader: bpy.types.Node) -> None:
    output = material.node_tree.nodes.new("ShaderNodeOutputMaterial")
    material.node_tree.links.new(shader.outputs[0], output.inputs["Surface"])


# -- the view ---------------------------------------------------------------------------------------


def _viewpoint(
    scene: bpy.types.Scene, result: ImportResult, frame_size: float
) -> tuple[bpy.types.Object, np.ndarray]:
    """A camera behind, above and to the side of the photos' cameras that sees them and their subject; and some of the
    subject's points [n, 3]."""
    xyz = _world_points(result.cloud)
    poses = [_pose(camera) for camera in result.cameras.values()]
    centers = np.array([center for _, center in poses]).reshape(-1, 3)
    forward = np.array([-rotation[:, 2] for rotation, _ in poses]).reshape(-1, 3)
    subject = _subject(xyz, centers, forward)
    if len(xyz):
        xyz = xyz[((xyz >= subject.min(axis=0)) & (xyz <= subject.max(axis=0))).all(axis=1)]
    xyz = xyz[:2000]
    direction = _direction(xyz, centers, forward, frame_size)
    data = bpy.data.cameras.new("Recon3D Preview")
    data.lens = 45
    camera = bpy.data.objects.new(data.name, data)
    scene.collection.objects.link(camera)
    scene.camera = camera
    camera.rotation_mode = "QUATERNION"
    camera.rotation_quaternion = direction.to_track_quat("-Z", "Y")
    depsgraph = scene.view_layers[0].depsgraph
    seen = np.concatenate([subject, centers])
    if len(seen) == 0:
        seen = np.zeros((1, 3))
    depsgraph.update()
    location, _ = camera.camera_fit_coords(depsgraph, seen.astype(np.float32).ravel().tolist())
    extent = float(np.linalg.norm(np.ptp(seen, axis=0))) or 1.0
    camera.location = location - direction * 0.04 * extent
    data.clip_start, data.clip_end = extent / 1000, extent * 1000
    return camera, xyz


def _is_in_the_way(
    camera: bpy.types.Object, view: bpy.types.Object, xyz: np.ndarray, frame_size: float
) -> bool:
    """Whether a photo in its camera's frame would hide some of the points [n, 3]; the frame then stays empty."""
    eye = np.array(view.location)
    rotation, center = _pose(camera)
    frame = center - rotation[:, 2] * frame_size - eye
    rays = xyz - eye
    distance = np.linalg.norm(rays, axis=1)
    rays /= np.maximum(distance, 1e-12)[:, None]
    depth = rays @ frame
    across = np.linalg.norm(frame - depth[:, None] * rays, axis=1)
    return bool(((depth > 0) & (depth < distance) & (across < 0.6 * frame_size)).sum() > 0.004 * len(xyz))


def _direction(xyz: np.ndarray, centers: np.ndarray, forward: np.ndarray, frame_size: float) -> Vector:
    """The view direction that hides the fewest points behind the photos' frames."""
    mean = forward[:, :2].mean(axis=0) if len(forward) else np.array([0.0, 1.0])
    if np.linalg.norm(mean) < 0.3:  # photos all around: any direction works
        mean = forward[0, :2]
    heading = math.atan2(mean[1], mean[0])
    frames = (centers + forward * frame_size)[:: max(1, len(centers) // 200)]
    best, lowest = Vector((0, 1, 0)), math.inf
    for elevation in ELEVATIONS:
        for turn in TURNS:
            azimuth, height = heading + math.radians(turn), math.radians(elevation)
            flat = math.cos(height)
            view = np.array([math.cos(azimuth) * flat, math.sin(azimuth) * flat, -math.sin(height)])
            deviation = (elevation - ELEVATIONS[0]) / 800 + abs(abs(turn) - TURNS[0]) / 400
            cost = _hidden(xyz, frames, view, 0.7 * frame_size) + deviation
            if cost < lowest - 1e-9:
                best, lowest = Vector(view.tolist()), cost
    return best


def _hidden(xyz: np.ndarray, frames: np.ndarray, view: np.ndarray, radius: float) -> float:
    """Share of points [n, 3] behind a disc of the radius about one of the frames [m, 3], seen along `view`."""
    if len(xyz) == 0 or len(frames) == 0:
        return 0.0
    between = xyz[:, None] - frames[None]
    depth = between @ view
    across = np.linalg.norm(between - depth[..., None] * view, axis=2)
    return float(((depth > 0) & (across < radius)).any(axis=1).mean())


def _world_points(cloud: bpy.types.Object, max_points: int = 100_000) -> np.ndarray:
    """At most `max_points` of the cloud's points [n, 3], in the world and in random order."""
    count = len(cloud.data.vertices)
    if count == 0:
        return np.zeros((0, 3))
    xyz = np.empty(3 * count, np.float32)
    cloud.data.attributes["position"].data.foreach_get("vector", xyz)
    # At random, since the order in the file follows the photos.
    chosen = np.random.default_rng(0).choice(count, min(count, max_points), replace=False)
    xyz = xyz.reshape(-1, 3)[chosen].astype(float)
    # Not its matrix_world: a cloud that is hidden behind its mesh is not evaluated.
    matrix = np.array(cloud.parent.matrix_world @ cloud.matrix_basis if cloud.parent else cloud.matrix_world)
    return xyz @ matrix[:3, :3].T + matrix[:3, 3]


def _subject(xyz: np.ndarray, centers: np.ndarray, forward: np.ndarray) -> np.ndarray:
    """The corners [8, 3] of a box around the subject of the photos, ignoring outliers and far background.

    The middle is the point nearest to all optical axes in the least-squares sense, pulled slightly towards the
    cloud's median, which decides if the axes are parallel.
    """
    if len(xyz) == 0:
        return centers
    median = np.median(xyz, axis=0)
    low, high = robust_box(xyz, 0.96)
    near = xyz
    if len(centers):
        across = np.eye(3) - forward[:, :, None] * forward[:, None, :]
        normal = across.sum(axis=0) + 0.1 * len(centers) * np.eye(3)
        target = np.einsum("nij,nj->i", across, centers) + 0.1 * len(centers) * median
        middle = np.linalg.solve(normal, target)
        reach = np.median(np.linalg.norm(centers - middle, axis=1))
        near = xyz[np.linalg.norm(xyz - middle, axis=1) < reach]
    if len(near) > 0.1 * len(xyz):
        low, high = robust_box(near, 0.96)
    return np.array(
        [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )
