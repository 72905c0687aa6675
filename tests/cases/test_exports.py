"""Names of exported files, and the memory that large photos need."""

import numpy as np

from blender_recon3d.pipeline.exporting.obj import ObjMaterial, beside, write_obj
from blender_recon3d.pipeline.photos.image_files import pixel_budget
from blender_recon3d.pipeline.photos.photo_entries import reading_bytes
from blender_recon3d.pipeline.texturing.textured_mesh import TexturedMesh


def test_what_belongs_to_an_obj_has_a_name_in_ascii(tmp_path):
    corners = np.eye(3)
    mesh = TexturedMesh(
        corners, corners, np.zeros((3, 3), np.uint8), corners[:, :2], np.arange(3), np.arange(3)[None]
    )
    names = set()
    for name in ("Köpfe.obj", "Kopfe.obj", "头.obj", "頭.obj", "My Model #1.obj"):
        path = tmp_path / name
        write_obj(path, mesh, [ObjMaterial(beside(path, ".png").name)], "frame")
        line = next(line for line in path.read_bytes().splitlines() if line.startswith(b"mtllib "))
        material = line.removeprefix(b"mtllib ").decode("ascii")
        assert (
            (tmp_path / material)
            .read_bytes()
            .endswith(f"map_Kd {beside(path, '.png').name}\n".encode("ascii"))
        )
        names.add(material)
    assert len(names) == 5 and not any(" " in name for name in names)


def test_large_photos_count_in_the_forecast():
    small, large = reading_bytes([(4000, 3000)] * 20), reading_bytes([(16_000, 11_000)] * 20)
    assert large > small and large >= min(16_000 * 11_000 * 9, pixel_budget().max_bytes)
    assert large <= (1000 << 20) + pixel_budget().max_bytes
