"""Identify files named like photos that cannot be read, by their first bytes, and what to do about them."""

from __future__ import annotations

from pathlib import Path

from ..system.extra_packages import install_command, is_installed
from .extensions import RAW_EXTENSIONS

HEAD = 64  # bytes to look at
DEVELOP = (
    "develop them to JPEG or TIFF with a RAW program, all with the same settings, uncropped, and run again."
)
GIF = "a GIF, which does not preserve a photo's colors and size: use the video or the photos that it was made from"
_CONVERT = "convert it to JPEG, PNG or TIFF at full size"
_STARTS = (
    (b"GIF8", GIF),
    (b"\0\0\0\x0cjP  ", f"a JPEG 2000 picture, which is not supported: {_CONVERT}"),
    (b"8BPS", f"a Photoshop file, which is not supported: {_CONVERT}"),
    (b"PK\3\4", "an archive: unpack it, and use the folder with the photos"),
    (b"%PDF", "a PDF: export its pictures as JPEG or PNG at full size"),
    (b"version https://git-lfs", "a Git LFS pointer instead of the photo: fetch it with git lfs pull"),
    (
        b"\0\x05\x16\x07",
        "a Mac's notes about a photo (AppleDouble) instead of the photo: use the file without ._",
    ),
    (
        b"\0\x05\x16\0",
        "a Mac's notes about a photo (AppleDouble) instead of the photo: use the file without ._",
    ),
    (b"II*\0", "an unsupported kind of TIFF: save it as RGB or gray with 8 or 16 bits per channel"),
    (b"MM\0*", "an unsupported kind of TIFF: save it as RGB or gray with 8 or 16 bits per channel"),
)
# Formats that optional packages read.
_OPTIONAL_STARTS = (
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture", "pillow_jxl"),
    (b"\xff\x0a", "a JPEG XL picture", "pillow_jxl"),
    (b"v/1\x01", "an OpenEXR picture", "OpenEXR"),
)
_VIDEO_BRANDS = (b"qt  ", b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"M4V ", b"3gp4", b"3gp5")


def how_to_read(package: str) -> str:
    """The advice to install an optional package."""
    return f"press Add Photo Formats in Blender, or run {install_command(package)}"


def what_it_is(path: Path, head: bytes) -> str:
    """The reason to exclude a file with these first bytes."""
    if path.suffix.lower() in RAW_EXTENSIONS:
        install = "" if is_installed("rawpy") else f"{how_to_read('rawpy')}, or "
        return f"a RAW file that cannot be read: {install}develop it to JPEG or TIFF with a RAW program"
    for start, kind, package in _OPTIONAL_STARTS:
        if head.startswith(start):
            install = "" if is_installed(package) else f"{how_to_read(package)}, or "
            return f"{kind} that cannot be read: {install}{_CONVERT}"
    for start, reason in _STARTS:
        if head.startswith(start):
            return reason
    if head[4:8] == b"ftyp" and head[8:12] in _VIDEO_BRANDS:
        return "a video that is named like a photo: rename it to .mp4, and choose it alone"
    if head.lstrip()[:9].lower() in (b"<!doctype", b"<html>") or head.lstrip()[:5].lower() == b"<html":
        return "a web page instead of a photo: download the photo itself"
    return "not an image, or an unsupported format"
