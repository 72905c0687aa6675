"""Photos made of noise, saved in cameras' formats."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from tests.support.scenes import noise_texture


def picture(seed: int, width: int = 480, height: int = 320) -> Image.Image:
    return Image.fromarray(noise_texture(seed, 512)[:height, :width])


def save(path: Path, image: Image.Image, exif: dict[int, object] | None = None, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tags = Image.Exif()
    for tag, value in (exif or {}).items():
        if tag in (0x9205, 0x920A, 0xA405, 0xA20E, 0xA210, 0xA002):
            tags.get_ifd(0x8769)[tag] = value
        else:
            tags[tag] = value
    if path.suffix == ".jpg":
        options = {"quality": 97, **options}
    image.save(path, exif=tags, **options)
    return path
