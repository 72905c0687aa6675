"""360-degree panoramas among the photos."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.inspection import inspect_photos
from blender_recon3d.pipeline.photos.photo_quality import examine
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.stage_settings import PhotosSettings
from blender_recon3d.pipeline.stages import photos as stage
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.pictures import picture, save

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" GPano:ProjectionType="%s"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def closed(seed: int) -> Image.Image:
    """A picture whose right side continues at its left."""
    angle = np.linspace(0, 2 * np.pi, 640, endpoint=False)
    noise = np.asarray(picture(seed, 480, 480))
    x = np.tile(240 + 200 * np.cos(angle), (320, 1)).astype(np.float32)
    y = (240 + 200 * np.sin(angle) * np.linspace(0.2, 1, 320)[:, None]).astype(np.float32)
    return Image.fromarray(cv2.remap(noise, x, y, cv2.INTER_LINEAR))


def test_run_and_inspect_report_panoramas(tmp_path):
    for number in range(4):
        picture(number, 500, 300).save(tmp_path / f"R{number}.jpg", quality=95, xmp=XMP % b"equirectangular")
    with pytest.raises(UserError, match=r"0 of 4 photos .*R0.jpg: a 360-degree panorama") as failed:
        stage.run(Workspace(tmp_path / "out"), PhotosSettings(sources=(str(tmp_path),)), Progress())
    assert "split it into perspective views" in str(failed.value)
    found = inspect_photos(JobSettings.build(photos=(str(tmp_path),)), Progress(), tmp_path / "out")
    assert "360-degree panorama" in found.set_aside[0].reason


def test_without_a_tag_panoramas_are_recognized_by_their_seam(tmp_path):
    assert "360-degree" in examine(save(tmp_path / "a.jpg", closed(0))).reason


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (picture(1, 480, 240), {}),  # 2:1, open
        (closed(2), {"exif": {0x920A: 4.2}}),  # taken with a lens
        (picture(3, 480, 320), {"xmp": XMP % b"cylindrical"}),
        (Image.new("RGB", (480, 240), (200, 190, 180)), {}),  # a sky is not a panorama
    ],
    ids=["open", "with a focal length", "cylindrical", "plain"],
)
def test_other_photos_are_not_panoramas(tmp_path: Path, image, options):
    assert not examine(save(tmp_path / "a.jpg", image, **options)).reason
