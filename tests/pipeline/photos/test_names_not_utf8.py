"""File names that are not UTF-8, from old archives and cards, pass through all stages unchanged."""

import io
import json
import os
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from blender_recon3d.pipeline.cli.console import Console
from blender_recon3d.pipeline.documents.state_json import StageRecord, StageState
from blender_recon3d.pipeline.events import Event, Progress, append_event, read_events
from blender_recon3d.pipeline.exporting.glb import GlbImage, GlbMaterial, write_glb
from blender_recon3d.pipeline.exporting.obj import ObjMaterial, beside, write_obj
from blender_recon3d.pipeline.inspection import describe, inspect_photos
from blender_recon3d.pipeline.photos.video import extract_frames
from blender_recon3d.pipeline.report import write_report
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.stage_settings import PhotosSettings
from blender_recon3d.pipeline.stages import photos as stage
from blender_recon3d.pipeline.stages.pairs import _from_file
from blender_recon3d.pipeline.texturing.textured_mesh import TexturedMesh
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.engine import recon3d
from tests.support.scenes import noise_texture

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
NAMES = [os.fsdecode(b"M\xfcnster %d.jpg" % number) for number in range(4)]


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / os.fsdecode(b"Fotos \xfc")
    folder.mkdir()
    for number, name in enumerate(NAMES):
        Image.fromarray(noise_texture(number, 512)[:320, :480]).save(folder / name, "JPEG")
    (folder / os.fsdecode(b"leer \xe4.jpg")).write_bytes(b"")
    return folder


@pytest.fixture
def taken(photos, tmp_path):
    """The workspace of the photos, with a mask for the first of them."""
    masks = tmp_path / "masks"
    masks.mkdir()
    cv2.imwrite(str(masks / "m.png"), np.zeros((320, 480), np.uint8))
    (masks / "m.png").rename(masks / os.fsdecode(b"M\xfcnster 0.png"))
    workspace = Workspace(tmp_path / "out")
    said = []

    def sink(event: Event) -> None:
        said.append(event)
        append_event(workspace.events, event)
        Console(io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace"))(event)

    workspace.create()
    stage.run(
        workspace, PhotosSettings(sources=(str(photos),), masks=str(masks)), Progress(sink, stage="photos")
    )
    return workspace


def test_the_list_of_photos_contains_the_existing_files(photos, taken):
    entries = taken.read_photos().photos
    assert {entry.source for entry in entries} == {str(path) for path in photos.iterdir()}
    assert all(os.path.exists(entry.source) for entry in entries)
    used = taken.used_photos()
    assert [entry.name for entry in used] == [f"Mnster_{n}.jpg" for n in range(4)]
    assert [path.name for path in taken.masks.iterdir()] == ["Mnster_0.jpg.png"]
    events, _ = read_events(taken.events)
    assert any(os.fsdecode(b"leer \xe4.jpg") in event.message for event in events if event.kind == "warning")


def test_report_and_inspection_can_be_printed(photos, taken):
    settings = JobSettings.build(photos=str(photos), features="sift")
    taken.write_stage("photos", StageRecord(state=StageState.DONE))
    write_report(taken, settings, Progress())
    page = taken.report_html.read_text("utf-8")
    assert "M\N{REPLACEMENT CHARACTER}nster 1.jpg" in page
    assert page.count("data:image/jpeg") >= len(NAMES)  # their thumbnails
    facts = json.loads(taken.report_json.read_text("utf-8"))
    assert str(photos / NAMES[2]) in [photo["source"] for photo in facts["photos"]]
    found = inspect_photos(settings, Progress(), taken.root)
    assert "leer \N{REPLACEMENT CHARACTER}.jpg: the file is empty" in describe(found).encode("utf-8").decode()


def test_the_commands_work(photos, tmp_path):
    for more in ([], ["--json"]):
        result = recon3d("inspect", photos, "-o", tmp_path / "w", "--features", "sift", *more)
        assert result.returncode == 0, result.stderr
        assert "is empty" in result.stdout


def test_a_list_of_pairs_names_them(taken, tmp_path):
    listed = tmp_path / "pairs.txt"
    # A list cannot contain names with spaces, so the names in the workspace and one original name.
    entries = taken.used_photos()
    entries[0] = replace(entries[0], source=os.fsdecode(b"/p/M\xfcnster.jpg"))
    listed.write_bytes(b"M\xfcnster.jpg Mnster_1.jpg\n")
    assert _from_file(listed, entries, Progress()) == [(0, 1)]


def test_a_video_is_read(tmp_path):
    plain, video = tmp_path / "v.avi", tmp_path / os.fsdecode(b"M\xfcll.avi")
    writer = cv2.VideoWriter(str(plain), cv2.VideoWriter_fourcc(*"MJPG"), 10, (320, 240))
    for number in range(6):
        writer.write(noise_texture(number, 512)[:240, :320])
    writer.release()
    plain.rename(video)
    assert extract_frames(video, tmp_path / "frames", 3, Progress()) == 3


def test_exported_files_find_each_other(tmp_path):
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    mesh = TexturedMesh(
        corners, corners, np.zeros((3, 3), np.uint8), corners[:, :2], np.arange(3), np.array([[0, 1, 2]])
    )
    for name in (b"M\xfcnster", "Münster".encode()):
        path = tmp_path / os.fsdecode(name + b".obj")
        write_obj(path, mesh, [ObjMaterial(beside(path, ".png").name)], "frame")
        material = path.read_bytes().split(b"mtllib ")[1].split(b"\n")[0].decode("ascii")
        image = (tmp_path / material).read_bytes().split(b"map_Kd ")[1].strip().decode("ascii")
        assert material == beside(path, ".mtl").name and image == beside(path, ".png").name
        write_glb(path.with_suffix(".glb"), mesh, [GlbMaterial(GlbImage("jpeg", b""))], "test")
        path.with_suffix(".glb").read_bytes()[20:].split(b"\0")[0].decode("utf-8")
        assert b"\\udcfc" not in path.with_suffix(".glb").read_bytes()
