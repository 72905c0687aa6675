"""Photos with more than 8 bits keep them up to the texture: 16-bit PNG, and light beyond white as OpenEXR."""

import importlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from blender_recon3d.pipeline.documents.document_files import write_document
from blender_recon3d.pipeline.documents.photos_json import PhotoEntry, PhotosDocument, PhotoState
from blender_recon3d.pipeline.events import Event, Progress
from blender_recon3d.pipeline.exporting.export_mesh import export
from blender_recon3d.pipeline.files.ply_mesh import read_mesh
from blender_recon3d.pipeline.photos.color_profiles import profile_of
from blender_recon3d.pipeline.photos.deep_pixels import ValueRange, decoded
from blender_recon3d.pipeline.photos.image_files import open_photo, upright_rgb
from blender_recon3d.pipeline.photos.original_pixels import read_original
from blender_recon3d.pipeline.stage_settings import TextureSettings
from blender_recon3d.pipeline.stages import texture as stage
from blender_recon3d.pipeline.system import extra_packages
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.painted_scene import true_color, write_capture
from tests.support.pictures import picture

SIZE = 512
DARK = 6  # 16-bit steps per 8-bit level of the scene: its brightest spot is then 6 levels of 255
SHARE = 0.5  # of texels, those that many photos show well
HAS_EXR = extra_packages.is_installed("OpenEXR")
needs_exr = pytest.mark.skipif(not HAS_EXR, reason="OpenEXR is not installed")


def capture_of(tmp_path: Path, write, span: ValueRange) -> Workspace:
    """The painted scene with originals written by write(path without extension, RGB photo) -> path."""
    entries = []

    def copy(number: int, photo: np.ndarray) -> np.ndarray:
        source = write(tmp_path / f"original_{number}", photo[..., ::-1])
        entries.append(
            PhotoEntry(
                name=f"view_{number:02d}.png",
                source=str(source),
                state=PhotoState.USED,
                black=span.low,
                white=span.high,
                light=span.light,
            )
        )
        with open_photo(source) as image:
            return np.asarray(upright_rgb(image, span))[..., ::-1]

    workspace = write_capture(tmp_path / "workspace", 8, copy).workspace
    write_document(workspace.photos, PhotosDocument(photos=entries))
    return workspace


def texture_of(workspace: Workspace, kind: str) -> list[Event]:
    events: list[Event] = []
    settings = TextureSettings(texture_size=SIZE, texture_format=kind)
    stage.run(workspace, settings, Progress(events.append))
    return events


def errors(workspace: Workspace, image: np.ndarray, expected) -> np.ndarray:
    """Differences [N, 3] from expected(true colors) at the vertices, whose UVs lead into the texture."""
    table, _ = read_mesh(workspace.textured_mesh)
    points = np.stack([table[axis] for axis in "xyz"], axis=1).astype(float)
    column = np.clip(table["s"] * SIZE, 0, SIZE - 1).astype(int)
    row = np.clip((1 - table["t"]) * SIZE, 0, SIZE - 1).astype(int)
    return np.abs(image[row, column].astype(float) - expected(true_color(points)))


def write_dark(path: Path, photo: np.ndarray) -> Path:
    target = path.with_suffix(".png")
    cv2.imwrite(str(target), photo[..., ::-1].astype(np.uint16) * DARK)
    return target


def write_light(path: Path, photo: np.ndarray) -> Path:
    package = importlib.import_module("OpenEXR")
    header = {"compression": package.ZIP_COMPRESSION, "type": package.scanlineimage}
    target = path.with_suffix(".exr")
    package.File(header, {"RGB": decoded(photo / np.float32(255)) * np.float32(8)}).write(str(target))
    return target


def test_16_bits_arrive_in_the_texture(tmp_path):
    workspace = capture_of(tmp_path, write_dark, ValueRange(0, 65535))
    texture_of(workspace, "png16")
    fine = cv2.imread(str(workspace.texture_image), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert fine.dtype == np.uint16
    assert np.quantile(errors(workspace, fine, lambda color: color * DARK), SHARE) < 3 * DARK
    texture_of(workspace, "png")
    coarse = cv2.imread(str(workspace.texture_image), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert coarse.dtype == np.uint8
    assert np.quantile(errors(workspace, coarse * 257.0, lambda color: color * DARK), SHARE) > 6 * DARK


def test_originals_that_are_gone_are_named(tmp_path):
    workspace = capture_of(tmp_path, write_dark, ValueRange(0, 65535))
    for path in tmp_path.glob("original_*"):
        path.unlink()
    events = texture_of(workspace, "png16")
    assert any("8 originals are no longer there" in event.message for event in events)
    assert cv2.imread(str(workspace.texture_image), cv2.IMREAD_UNCHANGED).dtype == np.uint16


@needs_exr
def test_light_beyond_white_arrives_in_an_openexr_texture(tmp_path):
    """White is where the light is 2; a fourth of the scene is brighter, and is clipped in the copies for matching."""
    workspace = capture_of(tmp_path, write_light, ValueRange(0, 2.0, light=True))
    texture_of(workspace, "exr")
    package = importlib.import_module("OpenEXR")
    light = package.File(str(workspace.texture / "texture.exr")).channels()["RGB"].pixels.astype(float)
    found = errors(workspace, light, lambda color: decoded(color / 255) * 8)
    assert np.quantile(found, SHARE) < 0.15 and light.max() > 3.5
    files = export(workspace, tmp_path / "scene.obj")
    assert [path.name for path in files] == ["scene.obj", "scene.mtl", "scene.exr"]
    assert "map_Kd scene.exr" in (tmp_path / "scene.mtl").read_text()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_originals_are_turned_like_their_copies(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    deep = np.asarray(picture(3)).astype(np.uint16) * 257
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), deep[..., ::-1])
    _with_chunks(path, exif=exif.tobytes())
    _check(path)


@pytest.mark.parametrize("name", ["Adobe RGB", "Display P3"])
def test_color_spaces_are_converted_with_all_bits(tmp_path, name):
    deep = (np.asarray(picture(4)).astype(np.uint16) // 2 + 60) * 257
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), deep[..., ::-1])
    _with_chunks(path, icc=profile_of(name))
    _check(path)
    assert len(np.unique(read_original(path, ValueRange(0, 65535)))) > 1000


def _check(path: Path) -> None:
    span = ValueRange(0, 65535)
    with open_photo(path) as image:
        copy = np.asarray(upright_rgb(image, span)).astype(float)
    assert np.abs(read_original(path, span) * 255 - copy).max() < 2


def _with_chunks(path: Path, exif: bytes = b"", icc: bytes = b"") -> None:
    """Add chunks to a PNG, which OpenCV writes without any."""
    import zlib

    content = path.read_bytes()
    chunks = b""
    for kind, data in (
        (b"eXIf", exif.removeprefix(b"Exif\0\0")),
        (b"iCCP", icc and b"x\0\0" + zlib.compress(icc)),
    ):
        if data:
            chunks += len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    path.write_bytes(content[:33] + chunks + content[33:])
