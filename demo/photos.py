"""The demo's camera: where it stands, how it renders, and how a render becomes a phone's photo."""

import math
import struct
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

FOCAL_35MM = 26  # what the photos' EXIF says
FOCAL_PER_WIDTH = (
    0.7485  # the true focal length, in photo widths (1 % from what EXIF implies on the diagonal)
)
RADIAL = -0.052  # COLMAP SIMPLE_RADIAL's k: barrel distortion
MARGIN = 16 / 15  # the render is this much wider than the photo, to hold what the barrel pulls in
NOISE = 1.1 / 255  # standard deviation a channel, before JPEG
LOOK_AT = (0.0, 0.0, 0.47)


@dataclass(frozen=True)
class View:
    """One photo: its file name and its pose, world (meters, z up) to camera (COLMAP: x right, y down, z ahead)."""

    name: str
    rotation: np.ndarray  # (3, 3)
    translation: np.ndarray  # (3,)


def make_views(count: int = 28, seed: int = 7) -> list[View]:
    """A low and a high ring around the statue, walked by hand: distance, height, aim and roll wander a little."""
    random = np.random.default_rng(seed)
    low = round(count * 16 / 28)
    views = []
    for number in range(count):
        ring, place, places = (0, number, low) if number < low else (1, number - low, count - low)
        azimuth = 2 * math.pi * (place + 0.35 * ring) / places - math.pi / 2 + random.normal(0, 0.05)
        elevation = math.radians((14, 40)[ring] + random.normal(0, 1.5))
        distance = (1.32, 1.38)[ring] * (1 + random.normal(0, 0.035))
        outward = np.array([math.cos(elevation) * math.cos(azimuth), math.cos(elevation) * math.sin(azimuth)])
        center = np.append(distance * outward, LOOK_AT[2] + distance * math.sin(elevation))
        target = np.array(LOOK_AT) + random.normal(0, 0.025, 3)
        ahead = (target - center) / np.linalg.norm(target - center)
        right = np.cross(ahead, (0, 0, 1))
        right /= np.linalg.norm(right)
        down = np.cross(ahead, right)
        roll = random.normal(0, math.radians(1.8))
        turned = math.cos(roll) * right + math.sin(roll) * down
        rotation = np.stack([turned, np.cross(ahead, turned), ahead])
        views.append(View(f"demo_{number + 1:02d}.jpg", rotation, -rotation @ center))
    return views


def intrinsics(width: int) -> tuple[int, int, float]:
    """Photo's width, height and focal length in pixels; the principal point is the middle."""
    return width, width * 3 // 4, FOCAL_PER_WIDTH * width


def render(view: View, path: Path, width: int) -> None:
    """Render an undistorted, wider picture of the scene as a 16-bit PNG."""
    scene = bpy.context.scene
    camera = scene.camera
    if camera is None:
        camera = scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
        scene.collection.objects.link(camera)
        camera.data.sensor_fit, camera.data.sensor_width = "HORIZONTAL", 36.0
        camera.data.lens = 36.0 * FOCAL_PER_WIDTH / MARGIN
        camera.data.clip_start, camera.data.clip_end = 0.05, 100
    turn = view.rotation.T @ np.diag([1.0, -1.0, -1.0])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, -view.rotation.T @ view.translation
    camera.matrix_world = Matrix(matrix.tolist())
    scene.render.resolution_x, scene.render.resolution_y = round(width * MARGIN), round(width * 0.75 * MARGIN)
    scene.render.resolution_percentage = 100
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGB"
    scene.render.image_settings.color_depth = "16"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


def read_pixels(path: Path) -> np.ndarray:
    """Display values 0..1 of an image file, (height, width, 3), top row first."""
    image = bpy.data.images.load(str(path), check_existing=False)
    image.colorspace_settings.name = "Non-Color"
    pixels = np.empty(image.size[0] * image.size[1] * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(image.size[1], image.size[0], image.channels)[::-1, :, :3].copy()
    bpy.data.images.remove(image)
    return pixels


def undistort(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Invert SIMPLE_RADIAL, distorted = undistorted (1 + k r^2), on normalized coordinates by Newton's method."""
    distorted = np.hypot(x, y)
    radius = distorted.copy()
    for _ in range(8):
        radius -= (radius * (1 + RADIAL * radius**2) - distorted) / (1 + 3 * RADIAL * radius**2)
    scale = radius / np.maximum(distorted, 1e-12)
    return x * scale, y * scale


def _cubic(t: np.ndarray) -> list[np.ndarray]:
    """Weights of Keys' cubic convolution (a = -1/2) at offsets -1, 0, 1, 2 for a fraction t."""
    return [
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((4 - 3 * t) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    ]


def photograph(picture: np.ndarray, width: int, seed: int) -> np.ndarray:
    """Bend the rendered picture with the lens, resample it bicubically and add the sensor's noise."""
    width, height, focal = intrinsics(width)
    # COLMAP's pixel centers are at .5, in the photo and in the render.
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    x, y = undistort((x - width / 2) / focal, (y - height / 2) / focal)
    x = x * focal + picture.shape[1] / 2 - 0.5
    y = y * focal + picture.shape[0] / 2 - 0.5
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    across, along = _cubic(x - column), _cubic(y - row)
    photo = np.zeros((height, width, 3))
    for i in range(4):
        for j in range(4):
            photo += (along[i] * across[j])[..., None] * picture[row + i - 1, column + j - 1]
    grain = np.random.default_rng(seed).normal(0, NOISE, photo.shape)
    return (photo + grain * np.sqrt(0.3 + photo.clip(0, 1))).clip(0, 1)


def save_jpeg(photo: np.ndarray, path: Path, quality: int) -> None:
    """Write a JPEG file with the EXIF a phone would leave: make, model, orientation, focal length."""
    height, width = photo.shape[:2]
    image = bpy.data.images.new("photo", width, height, alpha=False)
    image.colorspace_settings.name = "Non-Color"
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = photo[::-1]
    image.pixels.foreach_set(pixels.ravel())
    image.file_format, image.filepath_raw = "JPEG", str(path)
    image.save(quality=quality)
    bpy.data.images.remove(image)
    plain = path.read_bytes()
    exif = _exif(width, height)
    path.write_bytes(plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:])


def _exif(width: int, height: int) -> bytes:
    """The smallest APP1 segment that names camera, orientation, size and focal length (EXIF 2.3, big endian)."""

    def directory(entries: list, start: int) -> bytes:
        table, heap = struct.pack(">H", len(entries)), b""
        heap_start = start + 2 + 12 * len(entries) + 4
        for tag, kind, value in entries:
            if kind == 2:
                data = value.encode() + b"\0"
                table += struct.pack(">HHI", tag, 2, len(data))
                table += data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(">I", heap_start + len(heap))
                heap += data + b"\0" * (len(data) % 2) if len(data) > 4 else b""
            elif kind == 3:
                table += struct.pack(">HHIHH", tag, 3, 1, value, 0)
            else:
                table += struct.pack(">HHII", tag, 4, 1, value)
        return table + struct.pack(">I", 0) + heap

    main = [(0x010F, 2, "Recon3D"), (0x0110, 2, "Demo"), (0x0112, 3, 1), (0x8769, 4, 0)]
    where = 8 + len(directory(main, 8))
    main[-1] = (0x8769, 4, where)
    detail = [(0xA002, 4, width), (0xA003, 4, height), (0xA405, 3, FOCAL_35MM)]
    return b"Exif\0\0MM\0*" + struct.pack(">I", 8) + directory(main, 8) + directory(detail, where)
