"""Masks that the stage `photos` makes by itself, against the true outline of the subject."""

import json

import cv2
import numpy as np
import pytest

pytest.importorskip("pycolmap", reason="the engine's environment has pycolmap; Blender's has not")

from blender_recon3d.pipeline.cli.recon3d import main
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.events import Progress
from blender_recon3d.pipeline.job import run_job
from blender_recon3d.pipeline.masking.laid_over import laid_over
from blender_recon3d.pipeline.masking.mask_pixels import write_mask
from blender_recon3d.pipeline.masking.own_masks import read_masks
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.masked_scenes import (
    backdrop,
    overlap,
    photo_before,
    subject_alone,
    turntable,
    wall,
    write_photos,
)
from tests.support.scenes import HEIGHT, WIDTH, box_scene, render, ring

GREEN, WHITE, BLACK = (60, 190, 50), (240, 243, 245), (14, 12, 12)


def bring_in(folder, out, events=None, **options):
    progress = Progress(events.append if events is not None else lambda event: None)
    run_job(Workspace(out), JobSettings.build(photos=str(folder), until="photos", **options), progress)
    return Workspace(out)


def masks(workspace):
    """By number of the photo, bool [H, W]."""
    found = sorted(workspace.masks.glob("*.png")) if workspace.masks.is_dir() else []
    return {int(path.name[1:3]): cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 0 for path in found}


def worst(workspace, poses):
    found = masks(workspace)
    assert sorted(found) == list(range(len(poses)))
    return min(overlap(found[number], subject_alone(pose)) for number, pose in enumerate(poses))


@pytest.mark.parametrize(
    ("color", "option", "origin"),
    [(GREEN, "auto", "screen"), (WHITE, "color", "color"), (BLACK, "color", "color")],
    ids=["green screen", "white sweep", "black velvet"],
)
def test_a_backdrop_is_left_out(tmp_path, color, option, origin):
    poses = turntable(4)
    photos = [photo_before(number, pose, backdrop(*color)) for number, pose in enumerate(poses)]
    workspace = bring_in(write_photos(tmp_path / "in", photos), tmp_path / "out", masks=option)
    assert worst(workspace, poses) > 0.97
    assert {entry.origin for entry in read_masks(workspace).masks.values()} == {origin}


def test_a_background_that_stands_still_is_left_out_and_told(tmp_path):
    poses, events = turntable(), []
    photos = [photo_before(number, pose, wall) for number, pose in enumerate(poses)]
    workspace = bring_in(write_photos(tmp_path / "in", photos), tmp_path / "out", events)
    assert worst(workspace, poses) > 0.9
    assert any("stands still in 10 photos" in event.message for event in events)


def test_the_camera_may_be_moved_between_two_rounds(tmp_path):
    poses = turntable(8)
    photos = [photo_before(number, pose, wall) for number, pose in enumerate(poses)]
    photos += [
        photo_before(number, pose, lambda number: np.flip(wall(0), axis=(0, 1)))
        for number, pose in enumerate(poses)
    ]
    workspace = bring_in(write_photos(tmp_path / "in", photos), tmp_path / "out")
    assert worst(workspace, [*poses, *poses]) > 0.88


def test_a_photo_of_the_empty_scene_gives_masks_of_few_photos(tmp_path):
    poses = turntable(4)
    photos = [photo_before(number, pose, wall) for number, pose in enumerate(poses)]
    folder = write_photos(tmp_path / "in", photos)
    (folder / "empty.png").write_bytes(cv2.imencode(".png", wall(0))[1].tobytes())
    workspace = bring_in(folder, tmp_path / "out", masks=str(folder / "empty.png"))
    assert worst(workspace, poses) > 0.96
    assert len(workspace.used_photos()) == 4, "it is not a photo of the subject"


def test_transparency_is_a_mask(tmp_path):
    poses = turntable(3)
    photos = [
        np.dstack([photo_before(number, pose, backdrop(*WHITE)), 255 * subject_alone(pose).astype(np.uint8)])
        for number, pose in enumerate(poses)
    ]
    workspace = bring_in(write_photos(tmp_path / "in", photos, "png"), tmp_path / "out")
    assert worst(workspace, poses) == 1


def test_bars_a_stamp_and_a_watermark_are_left_out(tmp_path):
    """And nothing else: the stamp's minutes change, the watermark is half transparent."""
    photos, over = [], np.zeros((HEIGHT, WIDTH), bool)
    over[:50] = over[-50:] = True
    for number, pose in enumerate(ring(10, radius=1.7, arc=3)):
        photo = render(box_scene(), pose)
        marked = cv2.putText(photo.copy(), "SAMPLE", (180, 240), 0, 2.5, (255, 255, 255), 8)
        photo = cv2.addWeighted(photo, 0.65, marked, 0.35, 0)
        cv2.putText(photo, f"2024-05-01 12:{number:02d}", (400, 400), 0, 0.6, (0, 200, 255), 2)
        photo[over] = 0
        photos.append(photo)
    workspace = bring_in(write_photos(tmp_path / "in", photos), tmp_path / "out")
    found = masks(workspace)
    assert len(found) == 10
    letters = cv2.putText(np.zeros((HEIGHT, WIDTH), np.uint8), "SAMPLE", (180, 240), 0, 2.5, 255, 8) > 0
    stamp = cv2.putText(np.zeros((HEIGHT, WIDTH), np.uint8), "2024-05-01", (400, 400), 0, 0.6, 255, 2) > 0
    assert (~found[0])[over].mean() > 0.97
    assert (~found[0])[letters].mean() > 0.9
    assert (~found[0])[stamp].mean() > 0.9
    assert found[0].mean() > 0.6


@pytest.mark.parametrize("option", ["auto", "off"])
def test_a_capture_made_by_walking_around_has_no_masks(tmp_path, option):
    photos = [render(box_scene(), pose) for pose in ring(10, radius=1.7, arc=3)]
    workspace = bring_in(write_photos(tmp_path / "in", photos), tmp_path / "out", masks=option)
    assert not masks(workspace)
    assert not workspace.masks_json.exists()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("color", "No backdrop of one color"),
        ("still", "No background that stands still"),
        ("alpha", "transparent"),
    ],
)
def test_masks_that_were_asked_for_and_cannot_be_made_are_an_error(tmp_path, option, said):
    photos = [render(box_scene(), pose) for pose in ring(3)]
    folder = write_photos(tmp_path / "in", photos)
    with pytest.raises(UserError, match=rf"{said}.*--masks"):
        bring_in(folder, tmp_path / "out", masks=option)


def test_a_painted_mask_is_used_by_the_next_run(tmp_path):
    """It comes before the one that is made, and running again without a change keeps everything."""
    poses = turntable(3)
    photos = [photo_before(number, pose, backdrop(*GREEN)) for number, pose in enumerate(poses)]
    folder = write_photos(tmp_path / "in", photos)
    workspace = bring_in(folder, tmp_path / "out")
    painted = np.zeros((HEIGHT, WIDTH), bool)
    painted[100:300, 200:400] = True
    write_mask(workspace.painted_masks / "p01.jpg.png", painted)
    bring_in(folder, tmp_path / "out")
    assert (masks(workspace)[1] == painted).all()
    assert overlap(masks(workspace)[0], subject_alone(poses[0])) > 0.97
    events = []
    bring_in(folder, tmp_path / "out", events)
    assert any(event.message == "unchanged, kept" for event in events if event.stage == "photos")


def test_the_command_says_what_is_masked_and_writes_pictures(tmp_path, capsys):
    poses = turntable(3)
    photos = [photo_before(number, pose, backdrop(*GREEN)) for number, pose in enumerate(poses)]
    workspace = bring_in(write_photos(tmp_path / "in", photos), tmp_path / "out")
    assert main(["masks", str(workspace.root), "--pictures", str(tmp_path / "shown"), "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-1]["message"] == "3 of 3 photos have a mask: 3 before a screen"
    picture, photo = (cv2.imread(str(tmp_path / name / "p01.jpg")).astype(int) for name in ("shown", "in"))
    assert np.abs(picture - photo).max(axis=2)[~subject_alone(poses[1])].mean() > 40, "it is tinted"
    assert np.abs(picture - photo).max(axis=2)[240, 320] < 30


def test_masks_cannot_be_drawn_from_a_model_that_is_not_there(tmp_path, capsys):
    photos = [render(box_scene(), pose) for pose in ring(3)]
    workspace = bring_in(write_photos(tmp_path / "in", photos), tmp_path / "out")
    assert main(["masks", str(workspace.root), "--from-model"]) == 2
    assert "holds no cameras yet" in capsys.readouterr().err


def test_edges_of_the_scene_that_stay_in_place_are_not_laid_over():
    """A horizon keeps its place in a drive along a road; a few photos of any texture agree here and there."""
    drive = []
    for number in range(20):
        picture = np.full((192, 256, 3), 60, np.uint8)
        picture[:90] = (230, 190, 150)
        ground = np.random.default_rng(number).integers(40, 110, (102, 256, 3), np.uint8)
        picture[90:] = cv2.GaussianBlur(ground, (0, 0), 2)
        drive.append(picture)
    assert laid_over(drive) is None
    around = [render(box_scene(), pose) for pose in ring(8)]
    assert laid_over(around) is None
