"""Photos in other color spaces and with more than 8 bits are imported with the colors that other programs show."""

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.photos.color_profiles import (
    ADOBE_GAMMA,
    PRIMARIES,
    WHITE_D65,
    profile_of,
    rgb_profile,
)
from blender_recon3d.pipeline.photos.image_files import read_rgb
from blender_recon3d.pipeline.photos.photo_quality import examine
from blender_recon3d.pipeline.stage_settings import PhotosSettings
from blender_recon3d.pipeline.stages import photos as stage
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.pictures import picture, save

PROPHOTO = rgb_profile("wide", ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), 1.8)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def soft(seed: int) -> Image.Image:
    """A picture whose colors are in every color space and survive JPEG."""
    return Image.fromarray((np.asarray(picture(seed)) // 2 + 60).astype(np.uint8))


def tagged(image: Image.Image, profile: bytes, mode: str = "RGB") -> Image.Image:
    """The same colors, in the numbers of another space."""
    target = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return ImageCms.profileToProfile(image, SRGB, target, outputMode=mode)


def gray_profile(gamma: float) -> bytes:
    """sRGB's profile rebuilt as a gray profile: a curve and a white point."""
    curve = b"curv\0\0\0\0" + (1).to_bytes(4, "big") + round(gamma * 256).to_bytes(2, "big") + b"\0\0"
    white = b"XYZ \0\0\0\0" + np.rint(np.array([0.9642, 1, 0.8249]) * 65536).astype(">i4").tobytes()
    table = (2).to_bytes(4, "big")
    for tag, offset, size in ((b"kTRC", 156, 14), (b"wtpt", 172, 20)):
        table += tag + offset.to_bytes(4, "big") + size.to_bytes(4, "big")
    head = bytearray(profile_of("Display P3")[:128])
    head[:4], head[16:20] = (192).to_bytes(4, "big"), b"GRAY"
    return bytes(head) + table + curve + white


def take_in(folder: Path, output: Path) -> Workspace:
    workspace = Workspace(output)
    stage.run(workspace, PhotosSettings(sources=(str(folder),)), Progress())
    return workspace


def brought(folder: Path, output: Path) -> list[np.ndarray]:
    """The photos in the workspace, as OpenCV reads them: it ignores profiles."""
    workspace = take_in(folder, output)
    names = [entry.name for entry in workspace.used_photos()]
    for name in names:
        with Image.open(workspace.images / name) as image:
            assert not image.info.get("icc_profile"), "it would be applied again"
    return [cv2.imread(str(workspace.images / name))[..., ::-1].astype(int) for name in names]


@pytest.mark.parametrize("profile", [PROPHOTO, *map(profile_of, PRIMARIES)], ids=["ProPhoto RGB", *PRIMARIES])
@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_profiles_are_applied(tmp_path, profile, kind):
    for number in range(3):
        pixels = tagged(soft(number), profile)
        path = tmp_path / "photos" / f"p{number}.{kind}"
        save(path, pixels, icc_profile=profile, **({"subsampling": 0} if kind == "jpg" else {}))
    worst = 6 if kind == "jpg" else 2  # 8 bits of a wider color space, and two JPEG compressions
    for number, found in enumerate(brought(tmp_path / "photos", tmp_path / "out")):
        difference = found - np.asarray(soft(number)).astype(int)
        assert np.quantile(np.abs(difference), 0.99) <= worst and np.abs(difference.mean((0, 1))).max() < 1
        assert (
            np.abs(np.asarray(tagged(soft(number), profile)).astype(int) - np.asarray(soft(number))).max() > 9
        )


def test_photos_marked_as_srgb_are_copied_unchanged(tmp_path):
    for number in range(3):
        save(tmp_path / "photos" / f"p{number}.jpg", picture(number), icc_profile=SRGB.tobytes())
    workspace = take_in(tmp_path / "photos", tmp_path / "out")
    for entry in workspace.read_photos().photos:
        assert (workspace.images / entry.name).read_bytes() == Path(entry.source).read_bytes()


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_profiles_of_gray_are_applied(tmp_path, mode):
    ramp = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    path = tmp_path / "a.png"
    Image.fromarray(ramp).convert(mode).save(path, icc_profile=gray_profile(1.0))
    light = np.arange(256) / 255
    expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    assert np.abs(read_rgb(path)[0, :, 1] - expected).max() <= 1.5


def test_profiles_of_print_are_applied(tmp_path):
    """LittleCMS cannot create a CMYK profile; the point is that another space's profile is never applied to CMYK."""
    soft(0).convert("CMYK").save(tmp_path / "a.tif", icc_profile=PROPHOTO)
    assert np.abs(read_rgb(tmp_path / "a.tif").astype(int) - np.asarray(soft(0))).max() <= 2


@pytest.mark.parametrize("profile", [b"nonsense", PROPHOTO[:200], gray_profile(1.8), bytes(300)])
def test_damaged_profiles_and_those_of_other_pixels_are_ignored(tmp_path, profile):
    picture(0).save(tmp_path / "a.png", icc_profile=profile)
    assert np.array_equal(read_rgb(tmp_path / "a.png"), np.asarray(picture(0)))


def test_adobe_rgb_is_known_by_exif_alone(tmp_path):
    """Cameras set to Adobe RGB write an "R03" (DCF 2.0) instead of a profile."""
    tags = Image.Exif()
    tags.get_ifd(0x8769)[0xA001] = 65535
    tags.get_ifd(0x8769)[0xA005] = {1: "R03"}
    tagged(soft(0), profile_of("Adobe RGB")).save(
        tmp_path / "_DSC1.jpg", quality=97, subsampling=0, exif=tags
    )
    assert np.abs(read_rgb(tmp_path / "_DSC1.jpg").mean((0, 1)) - np.asarray(soft(0)).mean((0, 1))).max() < 1


def test_a_png_may_define_its_colors_in_chunks(tmp_path):
    """cHRM and gAMA, as written by converters that drop the profile. A gamma of 1/2.2 alone means sRGB."""
    wide = tagged(soft(0), profile_of("Adobe RGB"))
    points = [round(value * 100_000) for place in (WHITE_D65, *PRIMARIES["Adobe RGB"]) for value in place]
    said = PngImagePlugin.PngInfo()
    said.add(b"gAMA", struct.pack(">I", round(100_000 / ADOBE_GAMMA)))
    said.add(b"cHRM", struct.pack(">8I", *points))
    wide.save(tmp_path / "wide.png", pnginfo=said)
    off = np.abs(read_rgb(tmp_path / "wide.png").astype(int) - np.asarray(soft(0)))
    assert np.quantile(off, 0.99) <= 2 < np.abs(np.asarray(wide).astype(int) - np.asarray(soft(0))).max()
    usual = PngImagePlugin.PngInfo()
    usual.add(b"gAMA", struct.pack(">I", 45455))
    soft(0).save(tmp_path / "usual.png", pnginfo=usual)
    assert np.array_equal(read_rgb(tmp_path / "usual.png"), np.asarray(soft(0)))


def test_heif_may_define_its_colors_without_a_profile(tmp_path):
    image = pillow_heif.from_pillow(tagged(soft(0), profile_of("Display P3")))
    image.save(tmp_path / "a.heic", quality=95, color_primaries=12, transfer_characteristics=13)
    found = read_rgb(tmp_path / "a.heic").mean((0, 1))
    assert np.abs(found - np.asarray(soft(0)).mean((0, 1))).max() < 1.5


# -- more than 8 bits -------------------------------------------------------------------------------


def gray(seed: int, brightness: float) -> np.ndarray:
    """From 0 to `brightness` of 1, in floats."""
    return np.asarray(picture(seed).convert("L")).astype(np.float64) / 255 * brightness


BRIGHTNESS = (1.0, 0.5, 0.8)  # the brightnesses of three photos of a capture, which must be preserved


@pytest.mark.parametrize(
    ("scale", "kind"),
    [
        (4080, np.uint16),
        (65535, np.uint16),
        (1, np.float32),
        (255, np.float32),
        (65535, np.float32),
        (4095, np.float64),
    ],
)
@pytest.mark.parametrize("color", [False, True])
def test_one_factor_for_all_photos_of_a_capture(tmp_path, scale, kind, color):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, brightness in enumerate(BRIGHTNESS):
        values = (gray(number, brightness) * scale).astype(kind)
        pixels = np.dstack([values, values, values]) if color else values
        assert cv2.imwrite(str(folder / f"p{number}.tif"), pixels)
    for number, found in enumerate(brought(folder, tmp_path / "out")):
        expected = gray(number, BRIGHTNESS[number]) * 255
        assert np.abs(found - expected[..., None]).max() <= 2


def test_twelve_bits_of_color_in_a_png(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(
            str(folder / f"p{number}.png"), np.asarray(picture(number))[..., ::-1].astype(np.uint16) * 16
        )
    for number, found in enumerate(brought(folder, tmp_path / "out")):
        assert np.abs(found - np.asarray(picture(number))).max() <= 1


@pytest.mark.parametrize(("scale", "kind"), [(1500, np.uint16), (25, np.float32)])
def test_temperatures_use_the_whole_range(tmp_path, scale, kind):
    """A thermal camera: values that fill little of their type, far from 0."""
    folder = tmp_path / "photos"
    folder.mkdir()
    values = [gray(number, brightness) * scale + (28_000 if scale > 99 else -5) for number, brightness in
              enumerate(BRIGHTNESS)]  # fmt: skip
    for number, heat in enumerate(values):
        assert cv2.imwrite(str(folder / f"p{number}.tif"), heat.astype(kind))
    found = np.stack(brought(folder, tmp_path / "out"))[..., 0]
    assert found.std() > 45 and (found == 0).mean() < 0.02 and (found == 255).mean() < 0.02
    inside = (found > 0) & (found < 255)
    line = np.polyfit(np.stack(values)[inside], found[inside], 1)  # one for all three
    assert np.abs(np.polyval(line, np.stack(values)[inside]) - found[inside]).max() < 2


def test_light_of_any_brightness_gets_a_curve(tmp_path):
    """HDR: linear light with a lamp 200 times as bright as the rest."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        light = ((np.asarray(picture(number)) / 255) ** 2.2 * 3).astype(np.float32)
        light[10, 10] = 600
        assert cv2.imwrite(str(folder / f"p{number}.tif"), light[..., ::-1])
    for number, found in enumerate(brought(folder, tmp_path / "out")):
        seen = np.asarray(picture(number)).astype(float)
        assert 90 < found.mean() < 180 and found[10, 10].tolist() == [255] * 3
        assert np.corrcoef(found.ravel(), seen.ravel())[0, 1] > 0.97


def test_a_float_image_with_nan_is_not_an_error(tmp_path):
    cv2.imwrite(str(tmp_path / "a.tif"), np.full((256, 256), np.nan, np.float32))
    assert examine(tmp_path / "a.tif").width == 256


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("orientation", [2, 6])
@pytest.mark.parametrize("color", [False, True])
def test_a_rotated_tiff_is_turned_upright(tmp_path, kind, orientation, color):
    upright = np.asarray(picture(0) if color else picture(0).convert("L"))
    stored = upright[:, ::-1] if orientation == 2 else np.rot90(upright)
    values = (stored / (255 if kind == np.float32 else 1)).astype(kind) * (257 if kind == np.uint16 else 1)
    tiff(tmp_path / "a.tif", values.astype(kind), {274: orientation})
    found = read_rgb(tmp_path / "a.tif").astype(int)
    assert np.abs(found - (upright if color else upright[..., None])).max() <= 1


def tiff(path: Path, values: np.ndarray, tags: dict[int, int]) -> None:
    """A TIFF of one strip, values [H, W] or [H, W, C], with these tags in addition to the usual ones."""
    channels = 1 if values.ndim == 2 else values.shape[2]
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    bits = 8 * values.dtype.itemsize
    written = {256: values.shape[1], 257: values.shape[0], 258: bits, 259: 1, 262: 2 if channels == 3 else 1, 273: 8,
               277: channels, 278: values.shape[0], 279: values.nbytes, 339: kind, **tags}  # fmt: skip
    table, extra = b"", b""
    after = 8 + values.nbytes + 2 + 12 * len(written) + 4
    for tag, value in sorted(written.items()):
        if tag in (258, 339) and channels == 3:  # three numbers, stored after the table
            table += struct.pack("<HHII", tag, 3, 3, after + len(extra))
            extra += struct.pack("<3H", value, value, value)
        else:
            table += struct.pack("<HHII", tag, 4, 1, value)
    head = b"II*\0" + struct.pack("<I", 8 + values.nbytes)
    path.write_bytes(head + values.tobytes() + struct.pack("<H", len(written)) + table + bytes(4) + extra)


@pytest.mark.parametrize(
    ("scale", "kind", "tags"),
    [
        (257, np.uint16, {262: 0}),  # white is zero, as in scans
        (16, np.uint16, {262: 0}),
        (128, np.int16, {}),
        (257, np.int32, {}),
    ],
)
def test_gray_of_other_kinds(tmp_path, scale, kind, tags):
    gray_values = np.asarray(picture(0).convert("L")).astype(np.int64) * scale
    tiff(tmp_path / "a.tif", (255 * scale - gray_values if tags else gray_values).astype(kind), tags)
    assert np.abs(read_rgb(tmp_path / "a.tif")[..., 0].astype(int) - gray_values // scale).max() <= 2


def test_colors_in_planes_are_refused_by_name(tmp_path):
    """OpenCV would turn them into stripes."""
    tiff(tmp_path / "a.tif", np.zeros((320, 480, 3), np.uint16), {284: 2})
    assert "separate planes" in examine(tmp_path / "a.tif").reason


def test_sixteen_bits_are_turned_and_their_transparency_is_white(tmp_path):
    pixels = np.dstack(
        [np.asarray(picture(0)).astype(np.uint16) * 257, np.full((320, 480), 65535, np.uint16)]
    )
    pixels[:100, :, 3] = 0
    cv2.imwrite(str(tmp_path / "a.png"), pixels[..., [2, 1, 0, 3]])
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "RGBA"
    found = read_rgb(tmp_path / "a.png")
    assert (found[:100] == 255).all() and np.array_equal(found[100:], np.asarray(picture(0))[100:])
