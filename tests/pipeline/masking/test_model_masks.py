"""Masks drawn from a model: its outline in a photo, corrected to the photo's own."""

import numpy as np
import pytest

pytest.importorskip("pycolmap", reason="the engine's environment has pycolmap; Blender's has not")

from blender_recon3d.pipeline.documents.document_files import write_document
from blender_recon3d.pipeline.documents.photos_json import PhotoEntry, PhotosDocument, PhotoState
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.files.pictures import read_picture
from blender_recon3d.pipeline.masking.mask_pixels import enlarged
from blender_recon3d.pipeline.masking.model_masks import draw_masks
from blender_recon3d.pipeline.settings import JobSettings
from tests.support.masked_scenes import overlap, subject_alone
from tests.support.painted_scene import colored_faces, mesh_of, write_capture, write_mesh_file
from tests.support.scenes import HEIGHT, WIDTH, ring


def capture(root, faces, scale=1.0):
    """Photos of the painted box on its ground, and a mesh of some of the scene's rectangles."""
    workspace = write_capture(root, count=3).workspace
    photos = [
        PhotoEntry(name=path.name, source=str(path), state=PhotoState.USED, width=WIDTH, height=HEIGHT)
        for path in sorted(workspace.images.iterdir())
    ]
    write_document(workspace.photos, PhotosDocument(photos=photos))
    vertices, normals, triangles = mesh_of(faces)
    middle = vertices.mean(axis=0)
    write_mesh_file(workspace, (vertices - middle) * scale + middle, normals, triangles)
    return workspace


@pytest.mark.parametrize("scale", [1.0, 1.06], ids=["exact", "6 % too large"])
def test_the_outline_in_the_photo_decides(tmp_path, scale):
    workspace = capture(tmp_path, colored_faces()[1:], scale)
    assert draw_masks(workspace, JobSettings.build(masks="model"), Progress()) == 3
    for number, pose in enumerate(ring(3)):
        mask = enlarged(
            read_picture(workspace.model_masks / f"view_{number:02d}.png.png", 0) > 0, (WIDTH, HEIGHT)
        )
        assert overlap(mask, subject_alone(pose)) > 0.95


def test_a_model_that_fills_the_photos_makes_no_masks(tmp_path):
    """Walls close to every camera, that its photo shows nothing but."""
    workspace = capture(tmp_path, colored_faces())
    across, down = (
        part.ravel() for part in np.meshgrid(np.linspace(-2, 2, 160), np.linspace(-1.6, 1.6, 130))
    )
    wall = np.column_stack([across, down, np.full(len(across), 2.0)])
    walls = np.concatenate([(wall - pose[:, 3]) @ pose[:, :3] for pose in ring(3)])
    triangles = np.arange(len(walls) - 2)[:, None] + [0, 1, 2]
    write_mesh_file(workspace, walls, np.zeros_like(walls), triangles.astype(np.int32))
    with pytest.raises(UserError, match=r"fills all photos.*--masks"):
        draw_masks(workspace, JobSettings.build(masks="model"), Progress())
    assert not workspace.model_masks.exists()
