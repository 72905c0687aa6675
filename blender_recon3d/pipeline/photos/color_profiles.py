"""Convert photos in color spaces other than sRGB, which are declared by an ICC profile, EXIF or HEIF.

Phones write Display P3, cameras Adobe RGB, raw developers ProPhoto, print shops CMYK. Everything after the photos stage
treats pixels as sRGB, so an ignored profile makes the texture dull or off in hue. LittleCMS converts, through Pillow's
ImageCms.
"""

from __future__ import annotations

import functools
import io
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageCms

LONGEST_PROFILE = 16 << 20  # bytes; printer profiles have 3 MB
SAME = 4  # of 255; profiles that differ less from sRGB are variants of it
WHITE_D65 = (0.3127, 0.3290)
PRIMARIES = {
    "Adobe RGB": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
    "Display P3": ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    "BT.2020": ((0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
}
ADOBE_GAMMA = 563 / 256
SRGB_PRIMARIES = ((0.64, 0.33), (0.3, 0.6), (0.15, 0.06))
USUAL_GAMMA = 0.4545  # in PNGs, where it conventionally means sRGB's curve
# ITU-T H.273: numbers of primaries, and of transfer functions that are not of high dynamic range.
_HEIF_PRIMARIES = {12: "Display P3", 9: "BT.2020"}
_HEIF_CURVES = (1, 6, 13, 14, 15)


@dataclass(frozen=True, eq=False)
class Conversion:
    """A conversion from the photo's colors to sRGB. mode: Pillow mode of its input: RGB, L or CMYK."""

    mode: str
    transform: ImageCms.ImageCmsTransform

    def apply(self, pixels: Image.Image) -> Image.Image:
        """RGB pixels in sRGB. pixels: in `mode`, or gray ones in RGB; RGB ones may be modified in place."""
        if self.mode == "RGB":
            ImageCms.applyTransform(pixels, self.transform, inPlace=True)
            return pixels
        if self.mode == "L" and pixels.mode != "L":
            pixels = pixels.getchannel(0)
        return ImageCms.applyTransform(pixels, self.transform) or pixels


def conversion_to_srgb(image: Image.Image) -> Conversion | None:
    """The conversion of the photo's colors to sRGB; None if they are sRGB already, or of unknown color space.

    A profile that is damaged, or of another kind than the pixels (CMYK in an RGB photo), is ignored.
    """
    profile = _profile(image)
    return _conversion(profile, _kind(image)) if profile else None


def profile_in_use(image: Image.Image) -> bytes:
    """The profile that `conversion_to_srgb` applies; empty if it applies none."""
    profile = _profile(image)
    return profile if profile and _conversion(profile, _kind(image)) else b""


def _profile(image: Image.Image) -> bytes | None:
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and profile:
        return profile if len(profile) <= LONGEST_PROFILE else None
    if _kind(image) != "RGB":
        return None
    space = _declared_space(image)
    return profile_of(space) if space else _profile_of_png(image)


def _profile_of_png(image: Image.Image) -> bytes | None:
    """A profile from a PNG's chunks cHRM and gAMA, if it has no profile and no sRGB chunk (PNG, 11.3.2)."""
    gamma: Any = image.info.get("gamma")
    points = image.info.get("chromaticity")
    if image.format != "PNG" or "srgb" in image.info or not (gamma or points):
        return None
    try:
        usual = not gamma or abs(float(gamma) / USUAL_GAMMA - 1) < 0.05
        white, *colors = np.reshape(points, (4, 2)).tolist() if points else (WHITE_D65, *SRGB_PRIMARIES)
        if not np.allclose(white, WHITE_D65, atol=0.01):
            return None
        return rgb_profile("PNG", tuple(map(tuple, colors)), 0.0 if usual else 1 / float(gamma))
    except (ValueError, TypeError, ZeroDivisionError, OverflowError, struct.error, np.linalg.LinAlgError):
        return None  # not the values of any display


def _kind(image: Image.Image) -> str:
    """The color space that a profile for these pixels must have."""
    if image.mode in ("RGB", "RGBA", "RGBX", "RGBa", "P", "PA"):
        return "RGB"
    if image.mode in ("L", "LA", "La") or image.mode.startswith(("I", "F")):
        return "L"
    return "CMYK" if image.mode == "CMYK" else ""


@functools.lru_cache(maxsize=16)
def _conversion(profile: bytes, kind: str) -> Conversion | None:
    spaces = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != spaces.get(kind):
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            kind,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            # Gray would be converted through a table, which is coarse in the shadows of linear profiles.
            ImageCms.Flags.BLACKPOINTCOMPENSATION
            | (ImageCms.Flags.NOOPTIMIZE if kind == "L" else ImageCms.Flags.NONE),
        )
        conversion = Conversion(kind, transform)
        return None if _changes_nothing(conversion) else conversion
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # damaged, or not supported by LittleCMS
        return None


def _changes_nothing(conversion: Conversion) -> bool:
    """Whether it leaves colors across the whole range unchanged."""
    if conversion.mode == "CMYK":
        return False
    steps = np.linspace(0, 255, 9 if conversion.mode == "RGB" else 256).astype(np.uint8)
    if conversion.mode == "RGB":
        pixels = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
        before = pixels
    else:
        pixels = steps[None]
        before = np.repeat(pixels[..., None], 3, axis=2)
    after = np.asarray(conversion.apply(Image.fromarray(pixels.copy())))
    return int(np.abs(after.astype(int) - before).max()) <= SAME


def _declared_space(image: Image.Image) -> str:
    """The color space declared by EXIF (DCF's "R03": Adobe RGB, which cameras write without a profile) or HEIF."""
    described = image.info.get("nclx_profile")
    if isinstance(described, dict) and described.get("transfer_characteristics") in _HEIF_CURVES:
        return _HEIF_PRIMARIES.get(described.get("color_primaries", 0), "")
    try:
        exif = image.getexif()
        index: Any = exif.get_ifd(ExifTags.IFD.Interop).get(1, "")
        space = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.ColorSpace)
    except Exception:  # Pillow's parser raises nearly anything on hostile EXIF
        return ""
    text = index.decode("ascii", "replace") if isinstance(index, bytes) else str(index)
    return "Adobe RGB" if text.startswith("R03") and space != 1 else ""


@functools.cache
def profile_of(name: str) -> bytes:
    """An ICC profile (version 2, a matrix and curves) of one of PRIMARIES."""
    return rgb_profile(name, PRIMARIES[name], ADOBE_GAMMA if name == "Adobe RGB" else 0.0)


def rgb_profile(name: str, primaries: tuple[tuple[float, float], ...], gamma: float) -> bytes:
    """An ICC profile of a display. primaries: x, y of red, green and blue beside a white of D65; gamma 0: sRGB's
    curve. ICC.1:2001-04; white adapted to D50 by Bradford's matrix, as it is usual.
    """
    columns = _adapted(primaries)
    curve = _curve(gamma)
    blocks = [(b"desc", _text(b"desc", name)), (b"cprt", b"text\0\0\0\0none\0"), (b"wtpt", _xyz(_D50))]
    blocks += [
        (tag, _xyz(column)) for tag, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns.T, strict=True)
    ]
    blocks += [(tag, curve) for tag in (b"rTRC", b"gTRC", b"bTRC")]
    table, data, offset = struct.pack(">I", len(blocks)), b"", 128 + 4 + 12 * len(blocks)
    for tag, block in blocks:
        padded = block + b"\0" * (-len(block) % 4)
        table += tag + struct.pack(">II", offset + len(data), len(block))
        data += padded
    head = struct.pack(">I4sI4s4s4s", offset + len(data), b"none", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _xyz(_D50)[8:]
    return head.ljust(128, b"\0") + table + data


_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def _adapted(primaries: tuple[tuple[float, float], ...]) -> np.ndarray:
    """[3, 3]: XYZ of red, green and blue in columns, for a white of D50."""

    def lifted(x: float, y: float) -> np.ndarray:
        return np.array([x / y, 1.0, (1 - x - y) / y])

    white = lifted(*WHITE_D65)
    colors = np.stack([lifted(x, y) for x, y in primaries], axis=1)
    colors = colors * np.linalg.solve(colors, white)
    gain = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    adapted: np.ndarray = np.linalg.solve(_BRADFORD, gain[:, None] * (_BRADFORD @ colors))
    return adapted


def _curve(gamma: float) -> bytes:
    if gamma:
        return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    v = np.linspace(0, 1, 1024)
    light = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    return b"curv\0\0\0\0" + struct.pack(">I", len(v)) + np.rint(light * 65535).astype(">u2").tobytes()


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + np.rint(np.asarray(values) * 65536).astype(">i4").tobytes()


def _text(kind: bytes, text: str) -> bytes:
    return kind + bytes(4) + struct.pack(">I", len(text) + 1) + text.encode("ascii") + bytes(79)
