"""Cameras for VFX project like the photos: in FBX, Alembic, USD, glTF and .chan; landscape, portrait, off-center."""

import json
from dataclasses import astuple

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="bpy is not installed in this environment")

from blender_recon3d.pipeline.alignments.readers import (  # noqa: E402
    read_bundler,
    read_meshroom,
    read_metashape,
    read_nvm,
    read_realityscan,
    read_transforms,
)
from blender_recon3d.pipeline.errors import UserError  # noqa: E402
from blender_recon3d.scene.exporting.camera_text_files import Y_UP  # noqa: E402
from blender_recon3d.scene.exporting.export_cameras import KINDS, export_cameras  # noqa: E402
from blender_recon3d.scene.exporting.film_cameras import film_cameras  # noqa: E402
from blender_recon3d.scene.exporting.scene_cameras import write_scene_cameras  # noqa: E402
from blender_recon3d.scene.importing.import_workspace import import_workspace  # noqa: E402
from tests.support.made_workspaces import MadeCamera, ring, write_workspace  # noqa: E402

LENSES = {
    "landscape": MadeCamera(width=60, height=40, params=(55.0, 55.0, 30.0, 20.0)),
    "portrait": MadeCamera(width=40, height=60, params=(55.0, 55.0, 20.0, 30.0)),
    "off the middle": MadeCamera(width=60, height=40, params=(55.0, 55.0, 33.0, 18.0)),
}
MIDDLE = np.array([1.0, 2.0, 3.0])  # of the subject after the placement
POINTS = np.random.default_rng(0).uniform(-0.5, 0.5, (20, 3)) + MIDDLE


@pytest.fixture(params=list(LENSES))
def imported(request, tmp_path):
    write_workspace(tmp_path / "w", ring(4, camera=LENSES[request.param]))
    return import_workspace(tmp_path / "w")


def seen_by(matrix: np.ndarray, width, height, fx, fy, cx, cy) -> np.ndarray:
    """Pixels of POINTS in a camera that looks along -z."""
    local = (POINTS - matrix[:3, 3]) @ matrix[:3, :3]
    return np.stack([cx - fx * local[:, 0] / local[:, 2], cy + fy * local[:, 1] / local[:, 2]], axis=1)


def pixels_of(thing, width: int, height: int) -> np.ndarray:
    """As Blender's camera sees POINTS, from its lens, sensor and shift alone.

    Blender reads film backs with a sensor fit of AUTO, which uses their width for the longer side.
    """
    data = thing.data
    data.sensor_fit = "HORIZONTAL"
    focal = data.lens / data.sensor_width * width
    matrix = np.array(thing.matrix_world)
    matrix[:3, :3] /= np.linalg.norm(matrix[:3, :3], axis=0)
    return seen_by(matrix, width, height, focal, focal, width / 2 - data.shift_x * width,
                   height / 2 + data.shift_y * width)  # fmt: skip


def expected(cameras) -> list[np.ndarray]:
    return [seen_by(camera.matrix, *astuple(camera.pinhole)) for camera in cameras]


IMPORTERS = {
    "FBX": lambda path: bpy.ops.import_scene.fbx(filepath=path, anim_offset=0.0),
    "ALEMBIC": lambda path: bpy.ops.wm.alembic_import(filepath=path, as_background_job=False),
    "USD": lambda path: bpy.ops.wm.usd_import(filepath=path),
}


@pytest.mark.parametrize("animated", [False, True])
@pytest.mark.parametrize("kind", list(IMPORTERS))
def test_cameras_come_back_from_film_formats(imported, kind, animated, tmp_path):
    if not KINDS[kind].available():
        pytest.skip(f"this Blender was built without {kind}")
    cameras = film_cameras(imported.collection)
    wanted, names = expected(cameras), [camera.name for camera in cameras]
    before = sorted(thing.name for thing in bpy.data.objects)
    path = tmp_path / "out" / KINDS[kind].file
    export_cameras(imported.collection, path, kind, animated)
    assert sorted(thing.name for thing in bpy.data.objects) == before and not bpy.data.actions
    bpy.ops.wm.read_factory_settings(use_empty=True)
    IMPORTERS[kind](str(path))
    found = sorted(
        (thing for thing in bpy.data.objects if thing.type == "CAMERA"), key=lambda each: each.name
    )
    size = cameras[0].pinhole.width, cameras[0].pinhole.height
    if animated:
        (camera,) = found
        for frame, pixels in enumerate(wanted, 1):
            bpy.context.scene.frame_set(frame)
            assert np.abs(pixels_of(camera, *size) - pixels).max() < 0.02, frame
        places = {thing.name.replace("_", " ") for thing in bpy.data.objects if thing.type == "EMPTY"}
        assert set(names) <= places
        lines = (path.parent / "cameras_frames.csv").read_text().splitlines()
        assert lines[1] == f'1,"{names[0]}"' and len(lines) == 5
        return
    bpy.context.view_layer.update()
    assert len(found) == 4
    assert [camera.name.replace("_", " ") for camera in found] == sorted(names)
    for camera, pixels in zip(found, wanted, strict=True):
        assert np.abs(pixels_of(camera, *size) - pixels).max() < 0.02
        assert camera.data.clip_end >= 99


def test_chan_is_what_nuke_reads(imported, tmp_path):
    cameras = film_cameras(imported.collection)
    said = export_cameras(imported.collection, tmp_path / "cameras.chan", "CHAN")
    assert ("no shift" in said) == (not cameras[0].centered)
    for number, (line, camera) in enumerate(
        zip((tmp_path / "cameras.chan").read_text().splitlines(), cameras, strict=True), 1
    ):
        frame, *values = (float(word) for word in line.split())
        x, y, z = np.radians(values[3:6])
        about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
        about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
        about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
        assert frame == number
        assert np.allclose(about_y @ about_x @ about_z, (Y_UP @ camera.matrix)[:3, :3], atol=1e-6)
        assert np.allclose(values[:3], (Y_UP @ camera.matrix)[:3, 3], atol=1e-5)
        assert np.tan(np.radians(values[6]) / 2) == pytest.approx(
            camera.pinhole.height / 2 / camera.pinhole.fy, rel=1e-6
        )


def test_gltf_holds_fields_of_view(imported, tmp_path):
    cameras = film_cameras(imported.collection)
    export_cameras(imported.collection, tmp_path / "cameras.gltf", "GLTF")
    document = json.loads((tmp_path / "cameras.gltf").read_text())
    for node, lens, camera in zip(document["nodes"], document["cameras"], cameras, strict=True):
        assert lens["perspective"]["yfov"] == pytest.approx(
            2 * np.arctan(camera.pinhole.height / 2 / camera.pinhole.fy)
        )
        assert lens["perspective"]["aspectRatio"] == pytest.approx(
            camera.pinhole.width / camera.pinhole.height
        )
        assert np.allclose(np.array(node["matrix"]).reshape(4, 4).T, Y_UP @ camera.matrix)
    with pytest.raises(UserError, match="animated"):
        export_cameras(imported.collection, tmp_path / "b.gltf", "GLTF", animated=True)


READERS = {
    "METASHAPE": read_metashape.read, "MESHROOM": read_meshroom.read, "INSTANT_NGP": read_transforms.read,
    "BUNDLER": read_bundler.read, "NVM": read_nvm.read, "REALITYSCAN": read_realityscan.read_xmp,
}  # fmt: skip


@pytest.mark.parametrize("kind", list(READERS))
def test_blender_writes_the_same_formats_as_the_engine(kind, tmp_path):
    write_workspace(tmp_path / "w", ring(4))
    imported = import_workspace(tmp_path / "w")
    path = tmp_path / "out" / (KINDS[kind].file or "xmp")
    export_cameras(imported.collection, path, kind)
    found = READERS[kind](path, lambda name: (60, 40))
    for photo, (*_, t) in zip(sorted(found.photos, key=lambda p: p.name), ring(4).images, strict=True):
        assert photo.lens.params[:4] == pytest.approx((55.0, 55.0, 30.0, 20.0), abs=1e-9)
        assert np.allclose(photo.cam_from_world[:, 3], t, atol=1e-9)


def test_the_cameras_of_a_scene_are_an_alignment(imported, tmp_path):
    """Also after they were changed: at their position in the world."""
    cameras = film_cameras(imported.collection)
    write_scene_cameras(bpy.context.scene, tmp_path / "cameras.json")
    found = read_transforms.read(tmp_path / "cameras.json", lambda name: None)
    assert [photo.name for photo in found.photos] == [f"photo_{n:03d}.jpg" for n in range(4)]
    for photo, camera in zip(found.photos, cameras, strict=True):
        local = POINTS @ photo.cam_from_world[:, :3].T + photo.cam_from_world[:, 3]
        fx, fy, cx, cy = photo.lens.params[:4]
        pixels = local[:, :2] / local[:, 2:] * np.array([fx, fy]) + np.array([cx, cy])
        wanted = seen_by(camera.matrix, *astuple(camera.pinhole))
        assert np.abs(pixels - wanted).max() < 0.02


@pytest.mark.parametrize("fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
@pytest.mark.parametrize("size", [(1600, 1200), (1200, 1600)])
@pytest.mark.parametrize("aspect", [(1.0, 1.0), (1.0, 1.5), (2.0, 1.0)])
def test_a_foreign_camera_is_what_blender_renders(fit, size, aspect, tmp_path):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    data = bpy.data.cameras.new("IMG_1")
    data.sensor_fit, data.sensor_width, data.sensor_height = fit, 23.5, 15.6
    data.lens, data.shift_x, data.shift_y = 35.0, 0.05, -0.02
    scene.collection.objects.link(bpy.data.objects.new("IMG_1", data))
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = aspect
    write_scene_cameras(scene, tmp_path / "cameras.json")
    lens = read_transforms.read(tmp_path / "cameras.json", lambda name: None).photos[0].lens
    matrix = bpy.data.objects["IMG_1"].calc_matrix_camera(
        bpy.context.evaluated_depsgraph_get(), x=size[0], y=size[1], scale_x=aspect[0], scale_y=aspect[1]
    )
    width, height = size
    wanted = (matrix[0][0] * width / 2, matrix[1][1] * height / 2, width / 2 * (1 - matrix[0][2]),
              height / 2 * (1 + matrix[1][2]))  # fmt: skip
    assert lens.params == pytest.approx(wanted, rel=1e-5)


def test_a_scene_without_cameras_is_reported(tmp_path):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with pytest.raises(UserError, match="no perspective cameras"):
        write_scene_cameras(bpy.context.scene, tmp_path / "cameras.json")
