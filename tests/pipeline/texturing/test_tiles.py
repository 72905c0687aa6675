"""Textures in several tiles (UDIM), and how many the photos' detail needs."""

from __future__ import annotations

import importlib.util
import json
import shutil

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.documents.document_files import write_document
from blender_recon3d.pipeline.documents.photos_json import PhotosDocument
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.exporting.export_mesh import export
from blender_recon3d.pipeline.photos.deep_pixels import encoded
from blender_recon3d.pipeline.results import outputs
from blender_recon3d.pipeline.stage_settings import TextureSettings
from blender_recon3d.pipeline.stages import texture as stage
from blender_recon3d.pipeline.texel_density import Density
from blender_recon3d.pipeline.texturing.photo_detail import density_of
from blender_recon3d.pipeline.texturing.textured_mesh import read_textured
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.painted_scene import true_color, write_capture
from tests.support.scenes import INTRINSICS

SIZE, TILES = 256, 3


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    workspace = write_capture(tmp_path_factory.mktemp("tiles") / "workspace", 5).workspace
    stage.run(workspace, TextureSettings(texture_size=SIZE, texture_tiles=TILES), Progress())
    return workspace


def test_each_tile_has_its_part_of_the_surface_in_true_colors(workspace):
    mesh = read_textured(workspace.textured_mesh)
    assert mesh.tiles == TILES == len(workspace.texture_images)
    assert not workspace.texture_image.exists()
    parts = mesh.parts()
    assert sum(len(part.faces) for part in parts) == len(mesh.faces)
    areas = []
    for part, file in zip(parts, workspace.texture_images, strict=True):
        image = cv2.imread(str(file))[..., ::-1].astype(float)
        middle = part.positions[part.faces].mean(axis=1)
        uv = part.uv[part.faces].mean(axis=1)
        assert uv.min() > 0 and uv.max() < 1
        color = image[((1 - uv[:, 1]) * SIZE).astype(int), (uv[:, 0] * SIZE).astype(int)]
        seen = (
            (middle[:, 1] > -1e-4)
            & (np.abs(middle[:, 0]) < 0.6)
            & (middle[:, 2] < -0.45)
            & (middle[:, 2] > -1)
        )
        if seen.any():
            assert np.median(np.abs(color - true_color(middle))[seen]) < 8
        corners = part.positions[part.faces]
        areas.append(
            np.linalg.norm(
                np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
            ).sum()
        )
    assert min(areas) > 0.1 * sum(areas)


def test_more_tiles_show_more_of_the_surface_in_a_texel(workspace, tmp_path):
    shutil.copytree(workspace.root, tmp_path / "workspace")
    one = Workspace(tmp_path / "workspace")
    stage.run(one, TextureSettings(texture_size=SIZE), Progress())
    assert one.texture_images == [one.texture_image]
    assert _texel(workspace) == pytest.approx(_texel(one) / np.sqrt(TILES), rel=0.15)


def _texel(workspace: Workspace) -> float:
    mesh = read_textured(workspace.textured_mesh)
    space, chart = mesh.positions[mesh.faces], mesh.uv[mesh.faces].astype(float) * SIZE
    area = np.linalg.norm(np.cross(space[:, 1] - space[:, 0], space[:, 2] - space[:, 0]), axis=1)
    one, other = chart[:, 1] - chart[:, 0], chart[:, 2] - chart[:, 0]
    texels = np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])
    return float(np.sqrt(area.sum() / texels.sum()))


def test_all_tiles_are_results_that_are_checked(workspace):
    images = {f"{name}.{1001 + k}.png" for name in ("texture", "filled") for k in range(TILES)}
    found = {path.name for path in outputs(workspace, "texture")}
    assert found == {"mesh.ply", "mesh.obj", "mesh.mtl"} | images


def test_an_obj_and_a_glb_have_a_material_for_each_tile(workspace, tmp_path):
    files = export(workspace, tmp_path / "box.obj")
    assert [file.name for file in files] == [
        "box.obj", "box.mtl", "box.1001.png", "box.1002.png", "box.1003.png"
    ]  # fmt: skip
    lines = (tmp_path / "box.obj").read_text().splitlines()
    assert [line.split()[1] for line in lines if line.startswith("usemtl")] == [
        "photos",
        "photos_2",
        "photos_3",
    ]
    uv = np.array([line.split()[1:] for line in lines if line.startswith("vt ")], float)
    assert uv.min() >= 0 and uv.max() <= 1
    assert sum(line.startswith("f ") for line in lines) == len(read_textured(workspace.textured_mesh).faces)
    export(workspace, tmp_path / "box.glb")
    data = (tmp_path / "box.glb").read_bytes()
    document = json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])
    assert len(document["materials"]) == len(document["images"]) == TILES
    assert [each["material"] for each in document["meshes"][0]["primitives"]] == [0, 1, 2]


@pytest.mark.skipif(importlib.util.find_spec("OpenEXR") is None, reason="OpenEXR is not installed")
def test_each_tile_is_written_as_light_too_with_soft_light_taken_out(workspace, tmp_path):
    """The EXR of each tile is its PNG in linear light; delighting changes both alike, in all tiles."""
    package = importlib.import_module("OpenEXR")
    shutil.copytree(workspace.root, tmp_path / "workspace")
    own = Workspace(tmp_path / "workspace")
    write_document(own.photos, PhotosDocument(photos=[]))  # none has more than 8 bits
    found = []
    for strength in (0.0, 1.0):
        settings = TextureSettings(
            texture_size=SIZE, texture_tiles=TILES, texture_format="exr", delight=strength
        )
        stage.run(own, settings, Progress())
        lights = sorted(own.texture.glob("texture.*.exr"))
        assert [file.name for file in lights] == [f"texture.{1001 + tile}.exr" for tile in range(TILES)]
        assert set(lights) <= set(outputs(own, "texture"))
        for light, image in zip(lights, own.texture_images, strict=True):
            with package.File(str(light)) as file:
                values = np.asarray(file.channels()["RGB"].pixels, np.float32)
            shown = cv2.imread(str(image))[..., ::-1].astype(np.float32)
            # Light that is brighter than white stays so in the EXR alone.
            assert np.abs(np.clip(encoded(values) * 255, 0, 255) - shown).max() < 1
            found.append(shown)
    changed = [np.abs(a - b).mean() for a, b in zip(found[:TILES], found[TILES:], strict=True)]
    assert min(changed) > 0.5
    files = export(own, tmp_path / "box.obj")
    assert [file.suffix for file in files][2:] == [".exr"] * TILES


def test_a_picture_of_several_tiles_shows_what_one_texture_shows(workspace, tmp_path):
    shutil.copytree(workspace.root, tmp_path / "workspace")
    one = Workspace(tmp_path / "workspace")
    stage.run(one, TextureSettings(texture_size=1024), Progress())
    pictures = []
    for number, each in enumerate((workspace, one)):
        export(each, tmp_path / f"{number}.png")
        pictures.append(cv2.imread(str(tmp_path / f"{number}.png")).astype(float))
    assert np.abs(pictures[0] - pictures[1]).mean() < 2


def test_the_photos_detail_is_what_their_cameras_see(tmp_path):
    """The box scene's ground and box from about two units away, at a slant: a pixel is 2 to 4 / focal length."""
    capture = write_capture(tmp_path / "workspace", 8)
    density = density_of(capture.workspace.model, capture.vertices, capture.normals, capture.faces)
    assert 2 < density.pixel * INTRINSICS[0, 0] < 4.5
    size = int(np.sqrt(density.pixels))
    assert density.detail(size) == pytest.approx(0.6**0.5, rel=0.01)
    assert density.tiles(size // 2) > density.tiles(size) == 2
    turned = density_of(capture.workspace.model, capture.vertices, -capture.normals, capture.faces)
    assert turned.pixels < 0.2 * density.pixels  # only the far sides face a camera then


def test_what_is_said_in_advance():
    density = Density(pixel=0.0004, pixels=4.2e7)
    assert density.sentence(4096, 1) == (
        "A texture of 4,096 pixels shows 49% of the photos' detail; 5 tiles would show 100%."
    )
    assert density.sentence(4096, 5, 1000).startswith(
        "The photos have 0.4 mm per pixel. 5 tiles of 4,096 pixels show"
    )


def test_zero_tiles_means_as_many_as_the_detail_needs(tmp_path):
    workspace = write_capture(tmp_path / "workspace", 3).workspace
    summary = stage.run(workspace, TextureSettings(texture_size=512, texture_tiles=0), Progress())
    assert summary["tiles"] > 1 and len(workspace.texture_images) == summary["tiles"]
